/** A trace as stores and bundles keep it: the canonical form whose digest is its id, read back without believing it. */
import { DIGEST_PATTERN } from '../../base/digest.ts';
import { memberPath, type Problem, parseJson } from '../../base/json.ts';
import { array, boolean, integer, nullable, object, oneOf, type Shape, string } from '../../base/shape.ts';
import {
  codeShape,
  debugIdShape,
  endedProblem,
  endedShape,
  hexShape,
  idShape,
  TRACE_LIMITS,
  TRUSTS,
  type Trace,
} from './trace.ts';

/** Bytes of a trace, and of its joined frames, that are read back whole. */
export const STORED_BYTES = 33_554_432;

const closed = (fields: Record<string, Shape>): Shape => object(fields, Object.keys(fields));
const text = string();
const count = integer(0, Number.MAX_SAFE_INTEGER);

const storedFields = {
  code: codeShape,
  fault_address: hexShape,
  format: text,
  images: array(
    closed({
      arch: nullable(text),
      base: nullable(hexShape),
      debug_id: nullable(debugIdShape),
      id: nullable(idShape),
      path: text,
      sha256: nullable(string({ pattern: DIGEST_PATTERN })),
      size: nullable(count),
    }),
    { max: TRACE_LIMITS.images },
  ),
  signal: nullable(text),
  threads: array(
    object(
      {
        crashed: boolean(),
        ended: endedShape,
        frames: array(
          closed({
            activation: boolean(),
            claimed: nullable(text),
            image: nullable(integer(0, TRACE_LIMITS.images - 1)),
            ip: nullable(hexShape),
            rel_addr: nullable(hexShape),
            trust: oneOf(...TRUSTS),
          }),
          { max: TRACE_LIMITS.frames },
        ),
        id: count,
      },
      ['crashed', 'frames', 'id'],
    ),
    { min: 1, max: TRACE_LIMITS.threads },
  ),
};
const storedShape: Shape = object(storedFields, ['format', 'images', 'signal', 'threads']);

/** Whether a JSON value is meant to be a trace in this form. */
export function isStored(value: unknown): boolean {
  const has = (key: string): boolean =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return has('format') && has('images') && has('signal') && has('threads');
}

/** Checks a value; what is wrong with it is added to `problems`. */
export function readStored(value: unknown, problems: Problem[]): Trace {
  storedShape.check(value, '$', problems);
  const trace = value as Trace;
  if (problems.length > 0) return trace;
  for (const [t, { ended, frames }] of trace.threads.entries()) {
    const path = memberPath('$', 'threads');
    const wrong = ended && endedProblem(ended);
    if (wrong) problems.push({ path: memberPath(path, `${t}.ended`), message: wrong });
    for (const [n, { image }] of frames.entries())
      if (image !== null && !trace.images[image])
        problems.push({ path: memberPath(path, `${t}.frames.${n}`), message: `is in image ${image}` });
  }
  return trace;
}

/** The trace in these bytes; whether they are the canonical form, its id tells. */
export function parseStored(bytes: Buffer, problems: Problem[]): Trace | undefined {
  const parsed = parseJson(bytes, { sizeBytes: STORED_BYTES, depth: TRACE_LIMITS.jsonDepth });
  if (!parsed.ok) problems.push(...parsed.problems);
  const trace = parsed.ok ? readStored(parsed.value, problems) : undefined;
  return problems.length === 0 ? trace : undefined;
}
