/** From a record file's bytes to a record, or to what is wrong with it. */
import { Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { parseAs } from '../base/shape.ts';
import { type ReplayRecord, recordShape } from './record.ts';

/** Checks untrusted bytes against the record's schema; `name` is what the Fault calls them. */
export function parseRecord(bytes: Uint8Array, name: string): ReplayRecord {
  const limits = { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth };
  const parsed = parseAs(recordShape, bytes, limits);
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.slice(0, 10).map((p) => `  ${showProblem(p)}`);
  throw new Fault('record_invalid', `${name} is no replay record:\n${lines.join('\n')}`);
}
