/** A debuginfod server: only the one that is named, only what is of the build asked for, whole or not at all. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { digestOf, hexOf } from '../../src/base/digest.ts';
import { PATIENCE } from '../../src/base/patience.ts';
import { FETCH_LIMITS, type Fetching, fetchDebugInfo, parseServer } from '../../src/objects/debuginfod.ts';
import { symbolFilesIn } from '../../src/objects/layouts.ts';
import { readObject } from '../../src/objects/object.ts';
import { elfOf, run } from '../support/symbols.ts';
import { reenact, tempFolder } from '../support/world.ts';

const built = tempFolder();
const program = elfOf(built, 'program');
run('objcopy', ['--only-keep-debug', program, 'program.debug'], built);
const bytes = readFileSync(join(built, 'program.debug'));
const id = readObject(program).images[0]!.id!;
const hex = id.slice(4);
const OTHER = 'ab'.repeat(20);

let answer: RequestListener;
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url!);
  answer(request, response);
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const serve: RequestListener = (request, response) => {
  const known = request.url === `/buildid/${hex}/debuginfo`;
  response.writeHead(known ? 200 : 404).end(known ? bytes : 'not found');
};

it('what is there is kept in a folder that symbols add reads, with its digest; what is not is said', async () => {
  answer = serve;
  const out = tempFolder();
  const fetched = await reenact(['symbols', 'fetch', hex, OTHER, '--debuginfod', `${url}/`, '--out', out]);
  expect(fetched).toMatchObject({ status: 1, stderr: '' });
  expect(fetched.stdout).toBe(
    `${id}\n  file       ${out}/buildid/${hex}/debuginfo\n  sha256     ${digestOf(bytes)}\n` +
      `elf:${OTHER}\n  not there  the server has no debug information of this build\n`,
  );
  expect(asked).toEqual([`/buildid/${hex}/debuginfo`, `/buildid/${OTHER}/debuginfo`]);
  const files = [];
  for await (const one of symbolFilesIn(out)) files.push(one);
  expect(files).toMatchObject([{ says: id, layout: 'debuginfod' }]);
  const again = await reenact(['symbols', 'fetch', id, '--debuginfod', url, '--out', out, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject([{ id, sha256: digestOf(bytes) }]);
  expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8')).toBe(
    `${hexOf(digestOf(bytes))}  buildid/${hex}/debuginfo\n`,
  );
  expect(run('sha256sum', ['-c', 'SHA256SUMS'], out)).toContain('OK');
});

it.each([
  [['symbols', 'fetch', hex, '--out', 'x'], 'name the server that is asked'],
  [['symbols', 'fetch', hex, '--debuginfod', 'https://x'], 'name the folder to write to'],
  [['symbols', 'fetch', '--debuginfod', 'https://x', '--out', 'x'], 'name 1 to 256 build-ids'],
  [['symbols', 'fetch', '../../etc', '--debuginfod', 'https://x', '--out', 'x'], 'is no build-id'],
  [['symbols', 'fetch', hex, '--debuginfod', 'http://host/', '--out', 'x'], 'has an https address'],
])('%j is a wrong use', async (args, why) => {
  const { status, stderr } = await reenact(args);
  expect(stderr).toContain(why);
  expect(status).toBe(64);
});

const limits = { ...FETCH_LIMITS, signal: new AbortController().signal };
const SHORT = { unpackQuietMs: 300, limits: { ...PATIENCE, quietMs: 300 } };

it.each<[string, string, RequestListener, Partial<Fetching>, RegExp]>([
  ['another build', OTHER, (_, response) => response.end(bytes), {}, /^object_malformed: .*its path says/],
  ['a page', hex, (_, response) => response.end('<html>'), {}, /^object_malformed: .*neither ELF/],
  [
    'an error',
    hex,
    (_, response) => response.writeHead(503).end(),
    {},
    /^symbols_unreachable: .*answers 503/,
  ],
  [
    'a redirect',
    hex,
    (_, response) => response.writeHead(302, { location: `${url}/elsewhere` }).end(),
    {},
    /^symbols_unreachable: .*redirect/,
  ],
  ['too much', hex, serve, { maxBytes: 100 }, /^symbols_unreachable: .*sends over 100 bytes/],
  [
    'half of it',
    hex,
    (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 100), () => response.destroy());
    },
    {},
    /^symbols_unreachable: /,
  ],
  ['no end', hex, (_, response) => void response.write('x'), SHORT, /^symbols_unreachable: /],
  ['no answer', hex, () => {}, SHORT, /^symbols_unreachable: /],
])('a server that sends %s leaves nothing', async (_name, build, how, less, expected) => {
  answer = how;
  asked.length = 0;
  const out = tempFolder();
  const error = await fetchDebugInfo(parseServer(url), `elf:${build}`, out, { ...limits, ...less }).catch(
    (thrown: { code: string; message: string }) => `${thrown.code}: ${thrown.message}`,
  );
  expect(error).toMatch(expected);
  expect(asked).toHaveLength(1);
  const folder = join(out, 'buildid', build);
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
});

it('an earlier file stays as it was where a later answer is refused', async () => {
  answer = serve;
  const out = tempFolder();
  const fetched = await fetchDebugInfo(parseServer(url), id, out, limits);
  answer = (_, response) => response.end('no ELF');
  await expect(fetchDebugInfo(parseServer(url), id, out, limits)).rejects.toMatchObject({
    code: 'object_malformed',
  });
  expect(readFileSync(join(out, fetched!.path)).equals(bytes)).toBe(true);
});
