/** One bad bundle, one exit status: every subcommand that is given it refuses it alike, whatever it was asked for. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { runCommandLine } from '../../src/cli/main.ts';
import { REGISTRY } from '../../src/cli/registry.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeCase } from '../support/case.ts';
import { makeKey } from '../support/keys.ts';
import { tempFolder } from '../support/world.ts';

let folder: string;
let good: Buffer;

beforeAll(async () => {
  folder = tempFolder();
  const made = await makeCase(['a', 'a']);
  await createBundle(
    join(folder, 'good.tar'),
    await collect(made.record, new BlobStore(made.out), made.out, 'full'),
    { state: 'full' },
  );
  good = readFileSync(join(folder, 'good.tar'));
  writeFileSync(
    join(folder, 'key.pem'),
    makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  writeFileSync(join(folder, 'reply.tsr'), 'no reply');
});

/** The bundle with one byte changed, the first after this text. */
function changedAfter(text: string, by = 1): Buffer {
  const bytes = Buffer.from(good);
  const at = bytes.lastIndexOf(text) + text.length + by;
  bytes[at] = bytes[at]! ^ 1;
  return bytes;
}

/** The exit status, in this process: starting one for each of some 170 takes minutes. */
async function statusOf(args: string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true);
  try {
    return await runCommandLine(['bundle', ...args], REGISTRY);
  } finally {
    vi.restoreAllMocks();
  }
}

/** What stands where a bundle should be: its bytes, or null where there are none to be read. */
const BAD: [string, number, () => Buffer | null | 'folder'][] = [
  ['nothing', 64, () => null],
  ['a folder', 64, () => 'folder'],
  ['an empty file', 2, () => Buffer.alloc(0)],
  ['a text', 2, () => Buffer.from('no bundle\n'.repeat(200))],
  ['a compressed file', 2, () => Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), good])],
  ['a bundle cut in the middle', 2, () => good.subarray(0, good.length >> 1)],
  ['a bundle without its end', 2, () => good.subarray(0, -512)],
  ['a bundle with bytes after its end', 2, () => Buffer.concat([good, Buffer.alloc(512, 1)])],
  ['another layout', 2, () => changedAfter('imageLayoutVersion', 4)],
  ['another record', 2, () => changedAfter('"record_version')],
  ['another report', 2, () => changedAfter('<title>')],
  ['another VERIFY.txt', 2, () => changedAfter('sha256sum')],
  ['another bag', 2, () => changedAfter('Payload-Oxum: ', 0)],
];

const at = (name: string): string => join(folder, name);

const COMMANDS: [string, (bad: string) => string[]][] = [
  ['ls', (bad) => ['ls', bad]],
  ['ls --json', (bad) => ['ls', bad, '--json']],
  ['inspect', (bad) => ['inspect', bad]],
  ['verify', (bad) => ['verify', bad]],
  ['extract', (bad) => ['extract', bad, '--to', at('out')]],
  ['diff, first', (bad) => ['diff', bad, at('good.tar')]],
  ['diff, second', (bad) => ['diff', at('good.tar'), bad]],
  ['replay', (bad) => ['replay', bad]],
  ['custody log', (bad) => ['custody', 'log', bad]],
  ['custody add', (bad) => ['custody', 'add', bad, '--key', at('key.pem'), '--action', 'received']],
  ['custody stamp', (bad) => ['custody', 'stamp', bad, '--timestamp', at('reply.tsr')]],
  [
    'redact',
    (bad) => [
      'redact',
      bad,
      '--out',
      at('out'),
      '--reason',
      'r',
      '--key',
      at('key.pem'),
      '--secret',
      at('secret'),
      '--drop',
      'x',
    ],
  ],
  ['push', (bad) => ['push', bad, '127.0.0.1:9/case']],
];

describe.each(BAD)('%s ends each subcommand with %i', (name, status, make) => {
  it.each(COMMANDS)('%s', async (_command, args) => {
    const bad = `${name.replaceAll(' ', '-')}.tar`;
    const path = join(folder, bad);
    const bytes = make();
    if (bytes === 'folder') mkdirSync(path, { recursive: true });
    else if (bytes) writeFileSync(path, bytes);
    const before = readdirSync(folder);
    expect(await statusOf(args(path))).toBe(status);
    expect(readdirSync(folder)).toEqual(before);
    expect(existsSync(join(folder, 'out'))).toBe(false);
    if (bytes instanceof Buffer) expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});
