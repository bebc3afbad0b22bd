/** The trace of a bundle with its joined frames, as they are read: all of it, or nothing. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { showProblem } from '../../base/json.ts';
import { type JoinDocument, joinShape } from '../../join/document.ts';
import { parseStored, STORED_BYTES } from '../../trace/model/stored.ts';
import type { Trace } from '../../trace/model/trace.ts';
import { type CaseDocument, type Item, parseDocument, TRACE_ROLES } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import type { Problems } from './contents.ts';

export interface Traced {
  trace: Trace;
  /** Commitments, used like digests. */
  join: JoinDocument;
  /** The document as it is in the bundle. */
  shown: JoinDocument;
}

function bytesOf(item: Item, kept: Map<Digest, Buffer>): Buffer {
  const bytes = kept.get(item.sha256);
  if (!bytes)
    throw new Refused(
      'content_missing',
      `the ${item.role} ${item.sha256} is not there, or over ${STORED_BYTES} bytes`,
    );
  return bytes;
}

/** Undefined where the bundle has only a record, or the trace was withheld. Throws Refused where its form is wrong. */
export function readTraced(
  { items, withheld = [] }: CaseDocument,
  kept: Map<Digest, Buffer>,
  unveil: (bytes: Buffer) => Buffer,
  problems: Problems,
): Traced | undefined {
  const of = items.filter(({ role }) => TRACE_ROLES.includes(role));
  const traces = of.filter(({ role }) => role === 'trace');
  const joins = of.filter(({ role }) => role === 'join');
  const gone = withheld.filter(({ role }) => role === 'trace').length;
  if (of.length === 0) return undefined;
  const [trace, join] = [traces[0], joins[0]];
  if (!trace || !join || traces.length > 1 || joins.length > 1 || gone > 0)
    throw new Refused('manifest_form', 'a bundle is of one trace with its joined frames, or of none');
  const bytes = bytesOf(join, kept);
  const parsed = parseDocument(unveil(bytes), joinShape, 'the joined frames', STORED_BYTES);
  const shown = JSON.parse(bytes.toString('utf8')) as JoinDocument;
  if (digestOf(canonicalJson(shown)) !== join.sha256)
    problems.push({ code: 'manifest_form', message: 'the joined frames are not in canonical form' });
  const stored = parseStored(bytesOf(trace, kept));
  if (!stored.ok)
    throw new Refused(
      'trace_differs',
      `the trace: ${stored.problems.slice(0, 5).map(showProblem).join('; ')}`,
    );
  return { trace: stored.value, join: parsed, shown };
}
