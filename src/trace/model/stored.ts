/** A trace as stores and bundles keep it: the canonical form whose digest is its id, checked again when it is read. */
import { isObject, memberPath, type Parsed, type Problem, parseJson } from '../../base/json.ts';
import { read } from '../../base/shape.ts';
import { checkEnds, keptTraceShape } from './schema.ts';
import { TRACE_LIMITS, type Trace } from './trace.ts';

/** The most bytes of a trace, and of its joined frames, that are read. */
export const STORED_BYTES = 33_554_432;

/** Whether a JSON value is meant to be a trace in this form. */
export function isStored(value: unknown): boolean {
  return (
    isObject(value) && ['format', 'images', 'signal', 'threads'].every((key) => Object.hasOwn(value, key))
  );
}

/** Checks a value: its form, and that frames and images fit each other. */
export function readStored(value: unknown): Parsed<Trace> {
  const parsed = read(keptTraceShape, value);
  if (!parsed.ok) return parsed;
  const { threads, images } = parsed.value;
  const problems: Problem[] = [];
  checkEnds(threads, problems);
  for (const [t, { frames }] of threads.entries())
    for (const [n, { image }] of frames.entries())
      if (image !== null && !images[image])
        problems.push({ path: memberPath('$.threads', `${t}.frames.${n}`), message: `is in image ${image}` });
  return problems.length > 0 ? { ok: false, problems } : parsed;
}

/** The trace in these bytes; the caller compares its id to know whether they are the canonical form. */
export function parseStored(bytes: Uint8Array): Parsed<Trace> {
  const parsed = parseJson(bytes, { sizeBytes: STORED_BYTES, depth: TRACE_LIMITS.jsonDepth });
  return parsed.ok ? readStored(parsed.value) : parsed;
}
