/** Files that are certainly no bundles: each is called by its name, with the command that helps. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

import { isObject } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { packedForms } from '../../base/packings.ts';
import { BLOCK_BYTES } from '../format/tar.ts';

/** First bytes, what begins so, and what to do with it, where there is something. */
const BEGINNINGS: readonly (readonly [bytes: Buffer, is: string, next: string])[] = [
  ...packedForms('case.tar'),
  [Buffer.from('PK\u0003\u0004'), 'a ZIP archive', 'unpack it: the bundle may be inside'],
  [Buffer.from('\u007fELF', 'latin1'), 'a program or a core (ELF)', 'a core is read by reenact trace show'],
  [Buffer.from('MDMP'), 'a minidump', 'reenact trace show reads it'],
  [Buffer.from('-----BEGIN '), 'a PEM file', ''],
  [Buffer.from('%PDF'), 'a PDF', ''],
];

/** Members that one kind of JSON has alone. */
const DOCUMENTS: readonly (readonly [member: string, is: string, next: string])[] = [
  ['record_version', 'a replay record (JSON)', 'pack it: reenact bundle create FILE --out case.tar'],
  [
    'run_instructions',
    'a replay manifest (JSON)',
    'replay it and pack that: reenact run FILE --bundle case.tar',
  ],
  [
    'harness_version',
    'a replay manifest (JSON)',
    'replay it and pack that: reenact run FILE --bundle case.tar',
  ],
  ['payloadType', 'a DSSE envelope (JSON)', 'reenact evidence verify reads it'],
  ['verificationMaterial', 'a Sigstore bundle (JSON)', 'reenact evidence verify reads it'],
  ['trace_version', 'a stack trace (JSON)', 'reenact trace show reads it'],
];

function beginningOf(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(BLOCK_BYTES);
    return bytes.subarray(0, readSync(fd, bytes, 0, BLOCK_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

function documentKind(path: string): readonly [is: string, next: string] | undefined {
  if (statSync(path).size > LIMITS.documentBytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
  const found = isObject(value) ? DOCUMENTS.find(([member]) => Object.hasOwn(value, member)) : undefined;
  return found ? [found[1], found[2]] : ['JSON of another kind', ''];
}

/** What a file is that cannot be a bundle, and what to do, in words; undefined where it could be a damaged one: a header of tar holds NUL bytes. */
export function foreignText(path: string): string | undefined {
  if (!statSync(path).isFile()) return undefined;
  const beginning = beginningOf(path);
  const known = BEGINNINGS.find(([bytes]) => beginning.subarray(0, bytes.length).equals(bytes));
  const kind = known
    ? ([known[1], known[2]] as const)
    : beginning.length === 0 || beginning.includes(0)
      ? undefined
      : (documentKind(path) ?? (['text', ''] as const));
  if (!kind) return undefined;
  const [is, next] = kind;
  return `${path} is ${is}, not a bundle${next === '' ? '' : `; ${next.replace('FILE', path)}`}`;
}
