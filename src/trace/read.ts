/** Which form a trace has, by what stands in it, and its threads in the one form of ours. */
import { type Problem, parseJson, showProblem } from '../base/json.ts';
import { parseRecord } from '../verdict/parse.ts';
import { fromApple } from './from/apple.ts';
import { readNative } from './from/native.ts';
import { fromCrash } from './from/replay.ts';
import { fromSentry } from './from/sentry.ts';
import { fromStackwalk } from './from/stackwalk.ts';
import { fromSystemd } from './from/systemd.ts';
import { checked, TRACE_LIMITS, type Trace, wrongTrace } from './trace.ts';

const KNOWN =
  'a trace of ours (reenact_trace), a replay record with a crash, a Sentry event, an Apple .ips report, an entry of systemd-coredump, or the output of minidump_stackwalk -m';

function jsonOf(bytes: Uint8Array, name: string): unknown {
  const parsed = parseJson(bytes, { sizeBytes: TRACE_LIMITS.fileBytes, depth: TRACE_LIMITS.jsonDepth });
  if (parsed.ok) return parsed.value;
  throw wrongTrace(name, parsed.problems.slice(0, 3).map(showProblem).join('; '));
}

function native(value: unknown, name: string): Trace {
  const problems: Problem[] = [];
  const trace = readNative(value, problems);
  if (problems.length > 0) throw wrongTrace(name, problems.slice(0, 10).map(showProblem).join('; '));
  return trace;
}

/** The first crash stands for all: equal replays have equal ones. */
function ofRecord(bytes: Uint8Array, name: string): Trace {
  const found = parseRecord(bytes, name).replays.find(({ crash }) => crash);
  if (!found) throw wrongTrace(name, 'no replay in this record has a crash');
  return fromCrash(found.crash!);
}

function fromJson(bytes: Uint8Array, name: string): Trace {
  const value = jsonOf(bytes, name);
  const has = (key: string): boolean =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  if (has('reenact_trace')) return native(value, name);
  if (has('record_version')) return ofRecord(bytes, name);
  if (has('MESSAGE')) return fromSystemd(value as { MESSAGE: unknown });
  if (has('exception') || has('threads') || has('debug_meta')) return fromSentry(value);
  throw wrongTrace(name, `none of the forms that are read: ${KNOWN}`);
}

/** Reads a trace of any form that is known. Throws a Fault that names the file, and what in it is wrong. */
export function readTrace(bytes: Buffer, name: string): Trace {
  if (bytes.length > TRACE_LIMITS.fileBytes)
    throw wrongTrace(name, `${bytes.length} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
  const end = bytes.indexOf(10);
  const first = bytes.toString('latin1', 0, Math.min(end < 0 ? bytes.length : end, 4096));
  if (/^(?:OS|CPU|Crash|Module)\|/.test(first)) return checked(fromStackwalk(bytes.toString('utf8')), name);
  if (/^\{.*"(?:app_name|bug_type|incident_id)".*\}\s*$/.test(first) && end >= 0)
    return checked(fromApple(jsonOf(bytes.subarray(end + 1), name), name), name);
  if (/^\s*\{/.test(first)) return checked(fromJson(bytes, name), name);
  throw wrongTrace(name, `none of the forms that are read: ${KNOWN}`);
}
