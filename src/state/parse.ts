/** The form of a final state (docs/final-state.md), for states that somebody else wrote. */
import { DIGEST_PATTERN } from '../base/digest.ts';
import { type Parsed, type Problem, parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { array, dictionary, integer, nullable, object, oneOf, type Shape, string } from '../base/shape.ts';
import type { FinalState, PathChange } from './final-state.ts';

const text = string();
const digest = string({ pattern: DIGEST_PATTERN });
const hex = string({ pattern: /^(?:[0-9a-f]{2})+$/ });
const count = integer(0, Number.MAX_SAFE_INTEGER);
/** Of a content that was taken out of a bundle, the size is withheld as well. */
const size = nullable(count);
const printed = object({ sha256: digest, size }, ['sha256', 'size']);

const changeFields: Record<keyof PathChange, Shape> = {
  path: string({ pattern: /^\// }),
  path_hex: hex,
  change: oneOf('added', 'changed', 'deleted'),
  type: oneOf('file', 'dir', 'symlink', 'fifo', 'socket', 'char', 'block'),
  mode: string({ pattern: /^[0-7]{4}$/ }),
  uid: count,
  gid: count,
  size,
  sha256: digest,
  target: text,
  target_hex: hex,
  device: text,
  hard_link_of: text,
  xattrs: dictionary(/^[^\0]+$/, string({ pattern: /^(?:[0-9a-f]{2})*$/, max: 131_072 })),
};
const changeShape = object(changeFields, ['change']);

const pathShape: Shape = {
  check(value, path, problems) {
    changeShape.check(value, path, problems);
    const change = Object(value) as PathChange;
    if ((change.path === undefined) === (change.path_hex === undefined))
      problems.push({ path, message: 'has not exactly one of path and path_hex' });
  },
  schema: changeShape.schema,
};

const stateFields: Record<keyof FinalState, Shape> = {
  exit_code: nullable(integer(0, 255)),
  signal: nullable(text),
  stdout: printed,
  stderr: printed,
  files: array(pathShape, { max: LIMITS.statePaths }),
};
const stateShape = object(stateFields, Object.keys(stateFields));

/** Checks untrusted bytes; the value is only a state when `ok`. */
export function parseState(bytes: Uint8Array): Parsed<FinalState> {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth });
  if (!parsed.ok) return parsed;
  const problems: Problem[] = [];
  stateShape.check(parsed.value, '$', problems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: parsed.value as FinalState };
}
