/** Finds the differences of two final states: first how they ended, then output, then paths. */
import { open } from 'node:fs/promises';

import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { present } from '../base/list.ts';
import { described, integer, object, oneOf, type Shape, string } from '../base/shape.ts';
import type { BlobStore } from '../store/blobs.ts';
import { type FinalState, type PathChange, showPath } from './final-state.ts';

export interface Difference {
  /** `crash`: the states do not differ, and where a signal ended the program does. */
  kind: 'ending' | 'stdout' | 'stderr' | 'path' | 'crash';
  /** The path, for kind "path". */
  path?: string;
  /** The attribute of the path that differs first: sha256, mode, change … */
  attribute?: string;
  expected: string;
  actual: string;
  /** Byte offset of the first difference of two contents. */
  offset?: number;
  /** Bytes around it, escaped, from each side. */
  context?: { expected: string; actual: string };
}

const text = string();
export const differenceFields: { [field in keyof Difference]-?: Shape<Required<Difference>[field]> } =
  described(
    {
      kind: 'What differs first; crash: the states are alike, and where a signal ended the program is not',
      path: 'The path that differs; left out: no path does',
      attribute:
        'The attribute of the path that differs first, such as sha256 or mode; left out: no path differs',
      expected: 'What was expected there',
      actual: 'What was found there',
      offset: 'Byte offset of the first difference of two contents; left out: unknown',
      context: 'The bytes around that offset, escaped; left out: unknown',
    },
    {
      kind: oneOf('ending', 'stdout', 'stderr', 'path', 'crash'),
      path: text,
      attribute: text,
      expected: text,
      actual: text,
      offset: integer(0, Number.MAX_SAFE_INTEGER),
      context: object(
        described(
          { expected: 'Those that were expected', actual: 'Those that were found' },
          { expected: text, actual: text },
        ),
        ['expected', 'actual'],
      ),
    },
  );

const CONTEXT_BYTES = 24;
const CHUNK_BYTES = 1 << 16;

export function describeEnding(state: Pick<FinalState, 'exit_code' | 'signal'>): string {
  return state.signal !== null ? `signal ${state.signal}` : `exit ${state.exit_code}`;
}

function escapeBytes(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1'))
    .slice(1, -1)
    .replace(/[\u007f-\u00ff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)
    .replace(/\\u00(..)/g, '\\x$1');
}

/** Where two kept contents first differ, with context; undefined when either is not kept. */
async function firstDifference(
  store: BlobStore,
  a: Digest,
  b: Digest,
): Promise<{ offset: number; context: { expected: string; actual: string } } | undefined> {
  if (!store.has(a) || !store.has(b)) return undefined;
  const fa = await open(store.path(a));
  const fb = await open(store.path(b));
  try {
    const ba = Buffer.alloc(CHUNK_BYTES);
    const bb = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; ; at += CHUNK_BYTES) {
      const na = (await fa.read(ba, 0, CHUNK_BYTES, at)).bytesRead;
      const nb = (await fb.read(bb, 0, CHUNK_BYTES, at)).bytesRead;
      const common = Math.min(na, nb);
      let i = 0;
      while (i < common && ba[i] === bb[i]) i++;
      if (i < common || na !== nb) {
        const offset = at + i;
        const around = async (file: typeof fa): Promise<string> => {
          const start = Math.max(0, offset - CONTEXT_BYTES);
          const piece = Buffer.alloc(2 * CONTEXT_BYTES);
          return escapeBytes(piece.subarray(0, (await file.read(piece, 0, piece.length, start)).bytesRead));
        };
        return { offset, context: { expected: await around(fa), actual: await around(fb) } };
      }
      if (na === 0) return undefined;
    }
  } finally {
    await fa.close();
    await fb.close();
  }
}

const ATTRIBUTES = [
  'change',
  'type',
  'mode',
  'uid',
  'gid',
  'target',
  'target_hex',
  'device',
  'hard_link_of',
  'xattrs',
  'size',
  'sha256',
] as const;

function show(value: unknown): string {
  if (value === undefined) return 'absent';
  return typeof value === 'string' ? value : canonicalJson(value);
}

async function comparePath(
  store: BlobStore,
  a: PathChange | undefined,
  b: PathChange | undefined,
): Promise<Difference[]> {
  const path = showPath(present(a ?? b));
  if (!a || !b) {
    const summary = (p: PathChange | undefined): string =>
      p ? `${p.change}${p.type ? ` ${p.type}` : ''}` : 'unchanged';
    return [{ kind: 'path', path, attribute: 'change', expected: summary(a), actual: summary(b) }];
  }
  const differing = ATTRIBUTES.filter((name) => show(a[name]) !== show(b[name]));
  const result: Difference[] = [];
  for (const attribute of differing) {
    // A different size is already shown by the different content.
    if (attribute === 'size' && differing.includes('sha256')) continue;
    const contents =
      attribute === 'sha256' && a.sha256 && b.sha256
        ? await firstDifference(store, a.sha256, b.sha256)
        : undefined;
    result.push({
      kind: 'path',
      path,
      attribute,
      expected: show(a[attribute]),
      actual: show(b[attribute]),
      ...contents,
    });
  }
  return result;
}

function byPath(state: FinalState): Map<string, PathChange> {
  return new Map(state.files.map((change) => [change.path ?? `\0${change.path_hex}`, change]));
}

/** All differences, most telling first; `limit` stops early. */
export async function diffStates(
  store: BlobStore,
  expected: FinalState,
  actual: FinalState,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<Difference[]> {
  const found: Difference[] = [];
  if (describeEnding(expected) !== describeEnding(actual))
    found.push({ kind: 'ending', expected: describeEnding(expected), actual: describeEnding(actual) });
  for (const kind of ['stdout', 'stderr'] as const) {
    const [a, b] = [expected[kind], actual[kind]];
    if (a.sha256 === b.sha256 || found.length >= limit) continue;
    found.push({
      kind,
      expected: `${a.size} bytes`,
      actual: `${b.size} bytes`,
      ...(await firstDifference(store, a.sha256, b.sha256)),
    });
  }
  const [before, now] = [byPath(expected), byPath(actual)];
  for (const key of [...new Set([...before.keys(), ...now.keys()])].sort()) {
    if (found.length >= limit) break;
    found.push(...(await comparePath(store, before.get(key), now.get(key))));
  }
  return found.slice(0, limit);
}
