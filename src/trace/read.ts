/** Which form a trace has, by what stands in it, and its threads in the one form of ours. */
import { type Problem, parseJson, showProblem } from '../base/json.ts';
import { parseRecord } from '../verdict/parse.ts';
import { fromApple } from './from/apple.ts';
import { fromJavaScript, isJavaScript, SNIFFED_BYTES } from './from/javascript.ts';
import { fromMinidump } from './from/minidump.ts';
import { readNative } from './from/native.ts';
import { fromPprof } from './from/pprof.ts';
import { fromCrash } from './from/replay.ts';
import { fromSentry } from './from/sentry.ts';
import { fromStackwalk } from './from/stackwalk.ts';
import { fromSystemd } from './from/systemd.ts';
import { isStored, readStored } from './stored.ts';
import { checked, TRACE_LIMITS, type Trace, wrongTrace } from './trace.ts';

const KNOWN =
  'a trace of ours (reenact_trace), a replay record with a crash, a minidump, a Sentry event, an Apple .ips report, entries of systemd-coredump, the output of minidump_stackwalk -m, a profile of pprof, or a stack of JavaScript';

function jsonOf(bytes: Uint8Array, name: string): unknown {
  const parsed = parseJson(bytes, { sizeBytes: TRACE_LIMITS.fileBytes, depth: TRACE_LIMITS.jsonDepth });
  if (parsed.ok) return parsed.value;
  throw wrongTrace(name, parsed.problems.slice(0, 3).map(showProblem).join('; '));
}

function native(value: unknown, name: string, read: typeof readNative = readNative): Trace {
  const problems: Problem[] = [];
  const trace = read(value, problems);
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
  if (isStored(value)) return native(value, name, readStored);
  if (has('record_version')) return ofRecord(bytes, name);
  if (has('MESSAGE')) return ofJournal(value as { MESSAGE: unknown }, name);
  if (has('exception') || has('threads') || has('debug_meta')) return fromSentry(value);
  const stack = has('stack') && (value as { stack: unknown }).stack;
  if (typeof stack === 'string') return fromJavaScript(stack);
  throw wrongTrace(name, `none of the forms that are read: ${KNOWN}`);
}

function ofJournal(entry: { MESSAGE: unknown }, name: string): Trace {
  if (entry.MESSAGE === null)
    throw wrongTrace(name, 'journalctl left the message out, as too long: give it --all as well');
  return fromSystemd(entry);
}

/** Of many entries of a journal, one a line, the first with a stack; the others need not be what they should be. */
function fromJournalLines(bytes: Buffer, name: string): Trace {
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(at, end);
    if (line.includes('Stack trace of thread ')) {
      const trace = fromJson(line, name);
      if (trace.threads.some(({ frames }) => frames.length > 0)) return trace;
    }
    at = end + 1;
  }
  throw wrongTrace(
    name,
    'lines of JSON, and none is an entry of systemd-coredump with a stack (journalctl leaves long messages out without --all)',
  );
}

/** A first line that is a whole object, and a second that begins another. */
function isLines(bytes: Buffer, end: number): boolean {
  return (
    end > 0 && /\}\s*$/.test(bytes.toString('latin1', Math.max(0, end - 8), end)) && bytes[end + 1] === 0x7b
  );
}

/** gzip, or near the beginning what samples are of: a message whose first number is of field 1, as no text has it. */
function isPprof(bytes: Buffer): boolean {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  return /\n[\x02-\x16]\x08/.test(bytes.toString('latin1', 0, 64));
}

/** Reads a trace of any form that is known. Throws a Fault that names the file, and what in it is wrong. */
export function readTrace(bytes: Buffer, name: string): Trace {
  if (bytes.length > TRACE_LIMITS.fileBytes)
    throw wrongTrace(name, `${bytes.length} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
  if (bytes.toString('latin1', 0, 4) === 'MDMP') return checked(fromMinidump(bytes, name), name);
  if (isPprof(bytes)) return checked(fromPprof(bytes, name), name);
  const end = bytes.indexOf(10);
  const first = bytes.toString('latin1', 0, Math.min(end < 0 ? bytes.length : end, 4096));
  if (/^(?:OS|CPU|Crash|Module)\|/.test(first)) return checked(fromStackwalk(bytes.toString('utf8')), name);
  if (/^\{.*"(?:app_name|bug_type|incident_id)".*\}\s*$/.test(first) && end >= 0)
    return checked(fromApple(jsonOf(bytes.subarray(end + 1), name), name), name);
  if (/^\s*\{/.test(first) && isLines(bytes, end)) return checked(fromJournalLines(bytes, name), name);
  if (/^\s*\{/.test(first)) return checked(fromJson(bytes, name), name);
  if (isJavaScript(bytes.toString('utf8', 0, SNIFFED_BYTES)))
    return checked(fromJavaScript(bytes.toString('utf8')), name);
  throw wrongTrace(name, `none of the forms that are read: ${KNOWN}`);
}
