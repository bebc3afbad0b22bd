/** The form of a final state (docs/final-state.md), for states from outside. */
import { memberOf, type Parsed } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import {
  array,
  closed,
  dictionary,
  digestText,
  integer,
  nullable,
  object,
  oneOf,
  parseAs,
  type Shape,
  string,
} from '../base/shape.ts';
import type { FinalState, PathChange } from './final-state.ts';

const text = string();
const digest = digestText();
const hex = string({ pattern: /^(?:[0-9a-f]{2})+$/ });
const count = integer(0, Number.MAX_SAFE_INTEGER);
/** The size of a content that was taken out of a bundle is withheld as well. */
const size = nullable(count);
const printed = closed({ sha256: digest, size });

const changeShape: Shape<PathChange> = object(
  {
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
  },
  ['change'],
);

const pathShape: Shape<PathChange> = {
  check(value, path, problems) {
    changeShape.check(value, path, problems);
    if ((memberOf(value, 'path') === undefined) === (memberOf(value, 'path_hex') === undefined))
      problems.push({ path, message: 'has not exactly one of path and path_hex' });
  },
  schema: changeShape.schema,
};

const stateShape: Shape<FinalState> = closed({
  exit_code: nullable(integer(0, 255)),
  signal: nullable(text),
  stdout: printed,
  stderr: printed,
  files: array(pathShape, { max: LIMITS.statePaths }),
});

/** Checks untrusted bytes; the value is only a state when `ok`. */
export function parseState(bytes: Uint8Array): Parsed<FinalState> {
  return parseAs(stateShape, bytes, { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth });
}
