/** Fetching proofs from a log on the loopback interface, an honest one and others. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/base/clock.ts';
import type { LogReference } from '../../../src/evidence/documents/reference.ts';
import { parseLogReference } from '../../../src/evidence/documents/reference.ts';
import { logFolder, readCachedProof } from '../../../src/evidence/log/cache.ts';
import { leafHash, verifyInclusion } from '../../../src/evidence/log/merkle.ts';
import { parseVerifierKey } from '../../../src/evidence/log/note.ts';
import { fetchProof, parseLogUrl } from '../../../src/evidence/verify/log-fetch.ts';
import { type Served, serve, TestLog } from '../../support/log.ts';
import { tempFolder } from '../../support/world.ts';

const log = new TestLog().grow(700);
const open: Served[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
});

type Answer = (path: string) => Buffer | number | undefined;

async function fetchFrom(
  answer: Answer,
  store: string,
  index = 300,
  signal = new AbortController().signal,
): Promise<LogReference> {
  const served = await serve(answer);
  open.push(served);
  return fetchProof({
    url: served.url,
    index,
    logs: [
      {
        key: parseVerifierKey(log.verifierKey),
        window: { startMs: 0, endMs: null },
        id: Buffer.alloc(32),
        origins: 'exact',
        witnesses: null,
      },
    ],
    store,
    clock: systemClock,
    signal,
  });
}

const honest =
  (size: number): Answer =>
  (path) =>
    log.serveFile(path, size);

describe('evidence fetch', () => {
  it('keeps a proof that is then verified without network, entry and all', async () => {
    const store = tempFolder();
    const reference = await fetchFrom(honest(400), store);
    expect(reference).toEqual(parseLogReference(log.reference(300, 400)));
    const proof = await readCachedProof(store, reference);
    expect(proof?.extra?.toString()).toBe('entry 300');
    verifyInclusion({ ...reference, leaf: leafHash(proof!.extra!), proof: proof!.hashes });
  });

  it('follows a log as it grows, and keeps what older references need', async () => {
    const store = tempFolder();
    const first = await fetchFrom(honest(400), store);
    const second = await fetchFrom(honest(700), store);
    expect([first.size, second.size]).toEqual([400, 700]);
    for (const reference of [first, second]) expect(await readCachedProof(store, reference)).toBeDefined();
  });

  it('may run twice at once', async () => {
    const store = tempFolder();
    const found = await Promise.all([400, 500, 600].map((size) => fetchFrom(honest(size), store)));
    for (const reference of found) expect(await readCachedProof(store, reference)).toBeDefined();
  });

  it('works with a log that serves no entries', async () => {
    const store = tempFolder();
    const reference = await fetchFrom(
      (path) => (path.includes('entries') ? 404 : log.serveFile(path, 400)),
      store,
    );
    expect((await readCachedProof(store, reference))?.extra).toBeNull();
  });

  const fork = new Map(
    [...forkOf(log, 500).files()].map(([path, bytes]) => [
      path,
      path === 'checkpoint' ? Buffer.alloc(0) : bytes,
    ]),
  );
  it.each([
    ['log_stale', 'a log that shrank', honest(300)],
    [
      'log_split_view',
      'another history of the same size',
      (path: string) =>
        path === 'checkpoint'
          ? Buffer.from(log.checkpoint(400, { root: Buffer.alloc(32) }))
          : log.serveFile(path, 400),
    ],
    [
      'log_split_view',
      'a longer history that does not continue the first',
      (path: string) =>
        path === 'checkpoint'
          ? Buffer.from(log.checkpoint(500, { root: forkOf(log, 500).root() }))
          : fork.get(path),
    ],
  ])('%s: %s, and both are kept', async (code, _name, answer) => {
    const store = tempFolder();
    await fetchFrom(honest(400), store);
    await expect(fetchFrom(answer, store)).rejects.toMatchObject({ code });
    expect(globSync('logs/*/split-view/*/checkpoint-{kept,shown}', { cwd: store }).length).toBe(2);
    // What was known before still is.
    expect(await readCachedProof(store, parseLogReference(log.reference(300, 400)))).toBeDefined();
  });

  it.each<[string, string, Answer]>([
    ['log_key', 'a checkpoint of somebody else', () => Buffer.from(new TestLog().grow(400).checkpoint())],
    ['log_proof', 'a tile with a flipped bit', (path) => flipped(path, 'tile/0/', log.serveFile(path, 400))],
    [
      'log_proof',
      'another entry than the tree has',
      (path) => flipped(path, 'tile/entries', log.serveFile(path, 400)),
    ],
    [
      'log_proof',
      'another entry beside the one asked for',
      (path) => changed(path, 'tile/entries', log.serveFile(path, 400), 'entry 301'),
    ],
    [
      'log_checkpoint',
      'a checkpoint with bytes that are not UTF-8',
      () =>
        Buffer.concat([
          Buffer.from(`${log.checkpoint(400)}— x`),
          Buffer.from([0xff, 0x20]),
          Buffer.from('AAAAAAAA\n'),
        ]),
    ],
    ['evidence_too_large', 'a checkpoint without end', () => Buffer.alloc(1 << 20, 'x')],
    [
      'evidence_too_large',
      'a tile longer than any',
      (path) => (path.startsWith('tile/0') ? Buffer.alloc(8193) : log.serveFile(path, 400)),
    ],
    ['log_unreachable', 'a redirect to elsewhere', () => 302],
    ['log_unreachable', 'nothing at all', () => undefined],
    ['log_unreachable', 'a server that fails', () => 503],
  ])('%s: %s, and nothing is kept', async (code, _name, answer) => {
    const store = tempFolder();
    await expect(fetchFrom(answer, store)).rejects.toMatchObject({ code });
    expect(existsSync(join(store, 'logs'))).toBe(false);
  });

  it('log_split_view: a run at the same time was shown, and recorded, another history', async () => {
    const store = tempFolder();
    const place = join(logFolder(store, log.origin), 'checkpoints');
    const other = log.checkpoint(400, { root: Buffer.alloc(32) });
    const answer: Answer = (path) => {
      if (path.startsWith('tile/entries')) {
        mkdirSync(place, { recursive: true });
        writeFileSync(join(place, '400'), other);
      }
      return log.serveFile(path, 400);
    };
    await expect(fetchFrom(answer, store)).rejects.toMatchObject({ code: 'log_split_view' });
    expect(readFileSync(join(place, '400'), 'utf8')).toBe(other);
    expect(globSync('logs/*/split-view/*/checkpoint-{kept,shown}', { cwd: store }).length).toBe(2);
  });

  it('log_proof: a false hash that the proof has no use for, and older references keep theirs', async () => {
    const store = tempFolder();
    const first = await fetchFrom(honest(700), store);
    // Entry 3's proof takes the first hash of the level above from its own tile; entry 300's needs it.
    const answer: Answer = (path) => {
      const bytes = log.serveFile(path, 700);
      return bytes && path.startsWith('tile/1/')
        ? Buffer.concat([Buffer.alloc(32), bytes.subarray(32)])
        : bytes;
    };
    await expect(fetchFrom(answer, store, 3)).rejects.toMatchObject({ code: 'log_proof' });
    const proof = await readCachedProof(store, first);
    verifyInclusion({ ...first, leaf: leafHash(proof!.extra!), proof: proof!.hashes });
  });

  it('log_unreachable: a redirect is not followed, though the log be there', async () => {
    const elsewhere = await serve(honest(400));
    const from = createServer((request, response) =>
      response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end(),
    );
    await new Promise<void>((resolve) => from.listen(0, '127.0.0.1', resolve));
    open.push(elsewhere, {
      url: '',
      requests: [],
      close: async () => {
        from.closeAllConnections();
        from.close();
      },
    });
    const url = `http://127.0.0.1:${(from.address() as AddressInfo).port}`;
    const o = { url, index: 0, logs: [], store: tempFolder(), clock: systemClock };
    const asked = fetchProof({ ...o, signal: new AbortController().signal });
    await expect(asked).rejects.toMatchObject({ code: 'log_unreachable' });
    expect(elsewhere.requests).toEqual([]);
  });

  it('interrupted: at any request, and nothing is kept', async () => {
    for (const at of ['checkpoint', 'tile/0', 'tile/entries']) {
      const [store, stop] = [tempFolder(), new AbortController()];
      const answer: Answer = (path) => {
        if (path.startsWith(at)) stop.abort();
        return log.serveFile(path, 400);
      };
      await expect(fetchFrom(answer, store, 300, stop.signal)).rejects.toMatchObject({ code: 'interrupted' });
      expect(existsSync(join(store, 'logs'))).toBe(false);
    }
  });

  it('asks three times, and no more', async () => {
    const served = await serve(() => 503);
    open.push(served);
    const o = { index: 0, logs: [], store: tempFolder(), clock: systemClock };
    const asked = fetchProof({ ...o, url: served.url, signal: new AbortController().signal });
    await expect(asked).rejects.toMatchObject({ code: 'log_unreachable' });
    expect(served.requests).toEqual(['checkpoint', 'checkpoint', 'checkpoint']);
  });

  it('asks only over https, or this machine', () => {
    for (const url of ['http://log.example', 'file:///etc', 'https://log.example/?q', 'log.example'])
      expect(() => parseLogUrl(url)).toThrow(/https/);
    expect(parseLogUrl('https://log.example/a').href).toBe('https://log.example/a/');
  });
});

function flipped(path: string, prefix: string, bytes: Buffer | undefined): Buffer | undefined {
  if (!bytes || !path.startsWith(prefix)) return bytes;
  const copy = Buffer.from(bytes);
  for (let i = 3; i < copy.length; i += 7) copy[i]! ^= 1;
  return copy;
}

/** The bytes with one character of a text in them changed, which keeps every length. */
function changed(path: string, prefix: string, bytes: Buffer | undefined, text: string): Buffer | undefined {
  if (!bytes || !path.startsWith(prefix)) return bytes;
  const copy = Buffer.from(bytes);
  copy[copy.indexOf(text)]! ^= 1;
  return copy;
}

/** The same log, but for one entry near its beginning. */
function forkOf(original: TestLog, size: number): TestLog {
  const other = new TestLog();
  for (const [index, entry] of original.entries.slice(0, size).entries())
    other.append(index === 3 ? Buffer.from('forged') : entry);
  return other;
}
