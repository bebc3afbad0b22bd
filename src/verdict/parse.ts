/** From a record file's bytes to a record, or to what is wrong with it. */
import { Fault } from '../base/fault.ts';
import { isObject, parseJson, showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { read } from '../base/shape.ts';
import { type ReplayRecord, recordShape } from './record.ts';

const JSON_LIMITS = { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth };

/** The only record of the array that `run --json` prints; other objects there, such as a fault, are no records. */
function onlyRecord(array: readonly unknown[], name: string): unknown {
  const [record, ...more] = array.filter((one) => isObject(one) && Object.hasOwn(one, 'record_version'));
  if (record === undefined) throw new Fault('record_invalid', `${name} is an array without a replay record`);
  if (more.length > 0)
    throw new Fault(
      'record_invalid',
      `${name} holds ${more.length + 1} replay records, and one is wanted`,
      undefined,
      'name the record.json of one of them, below the folder runs of the store, or give it alone: jq ".[0]" FILE',
    );
  return record;
}

/** Checks untrusted bytes against the record's schema: a record, or the array of one that `run --json` prints. `name` is what the Fault calls them. */
export function parseRecord(bytes: Uint8Array, name: string): ReplayRecord {
  const json = parseJson(bytes, JSON_LIMITS);
  const parsed =
    json.ok && Array.isArray(json.value)
      ? read(recordShape, onlyRecord(json.value, name))
      : json.ok
        ? read(recordShape, json.value)
        : json;
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.slice(0, 10).map((p) => `  ${showProblem(p)}`);
  throw new Fault('record_invalid', `${name} is no replay record:\n${lines.join('\n')}`);
}
