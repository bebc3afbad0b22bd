import { expect, it } from 'vitest';

import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder } from '../support/world.ts';

async function both(run: string, user = '1000:1000') {
  const folder = tempFolder();
  const store = new BlobStore(`${folder}/out`);
  const overlay = await replay(manifest(run, { user }), { folder, capture: 'overlay' });
  const archive = await replay(manifest(run, { user }), { folder, capture: 'archive' });
  const stateOf = async (digest: unknown) => (digest ? await readState(store, digest as never) : undefined);
  return {
    overlay,
    archive,
    overlayState: await stateOf(overlay.final_state_sha256),
    archiveState: await stateOf(archive.final_state_sha256),
    store,
  };
}

describeEngine('the two ways of reading a state', () => {
  it.each([
    ['every kind of change', '/bin/states plain'],
    ['nothing', 'sh -c true'],
    ['/work gone', "sh -c 'cd /; chmod 700 /work'"],
    ['output only', "sh -c 'echo a; echo b >&2; exit 4'"],
    ['a tree', "sh -c 'mkdir -p a/b/c; echo x > a/b/c/d; rm -r a/b; mkdir a/b; chmod 700 a/b'"],
  ])('give one digest: %s', async (_name, run) => {
    const { overlayState, archiveState } = await both(run);
    expect(archiveState).toEqual(overlayState);
    expect(overlayState).toBeDefined();
  });

  it('give one digest as uid 0, which may change the whole image', async () => {
    const { overlayState, archiveState } = await both(
      "sh -c 'rm -r /etc/tree; rm /bin/env; mkdir /new; echo x > /new/file; chmod 711 /bin; rmdir /work'",
      '0:0',
    );
    expect(archiveState).toEqual(overlayState);
    const paths = overlayState!.files.map((f) => `${f.change} ${f.path}`);
    expect(paths).toEqual([
      'changed /bin',
      'deleted /bin/env',
      'deleted /etc/tree',
      'added /new',
      'added /new/file',
      'deleted /work',
    ]);
  });

  it('name what changed, and only that', async () => {
    const { overlayState, store } = await both('/bin/states plain');
    const byPath = new Map(overlayState!.files.map((f) => [f.path, f]));
    expect(overlayState).toMatchObject({ exit_code: 3, signal: null });
    expect(byPath.get('/work/a')).toMatchObject({
      change: 'added',
      type: 'file',
      mode: '0644',
      uid: 1000,
      gid: 1000,
      size: 1,
    });
    expect(byPath.get('/work/folder/again')).toMatchObject({ hard_link_of: '/work/a' });
    expect(byPath.get('/work/folder/symlink')).toMatchObject({ type: 'symlink', target: '../nowhere' });
    expect(byPath.get('/work/fifo')).toMatchObject({ type: 'fifo', mode: '0600' });
    expect(byPath.get('/work/setuid')).toMatchObject({ mode: '4755' });
    expect(byPath.get('/work/sparse')).toMatchObject({ size: 50 << 20 });
    expect(byPath.has('/work/with\nnewline')).toBe(true);
    expect(byPath.get('/data/gone')).toEqual({ path: '/data/gone', change: 'deleted' });
    expect(byPath.get('/data/opaque/one')).toEqual({ path: '/data/opaque/one', change: 'deleted' });
    expect(byPath.get('/data/opaque/two')).toMatchObject({ change: 'changed', size: 9 });
    expect(byPath.get('/data/tree')).toEqual({ path: '/data/tree', change: 'deleted' });
    expect(byPath.get('/data/becomes-folder')).toMatchObject({ change: 'changed', type: 'dir' });
    expect(byPath.has('/data/touched')).toBe(false);
    expect(byPath.has('/data')).toBe(false);
    expect(byPath.has('/work')).toBe(false);
    const changed = byPath.get('/data/changed')!;
    expect(changed).toMatchObject({ change: 'changed' });
    expect(String(await store.get(changed.sha256!))).toBe('new content');
  });

  it('keep a name that is not UTF-8, or say that they cannot', async () => {
    const { overlayState, archive } = await both('/bin/states names');
    expect(overlayState!.files).toMatchObject([
      { path_hex: Buffer.from('/work/not-\xff-utf8', 'latin1').toString('hex') },
    ]);
    expect(archive).toMatchObject({ verdict: 'inconclusive', reason: 'capture_incomplete' });
  });

  it('keep sockets and attributes, or say that they cannot', async () => {
    const { overlayState, archive } = await both('/bin/states hidden');
    expect(overlayState!.files).toMatchObject([
      { path: '/work/attributed', xattrs: { 'user.colour': Buffer.from('blue').toString('hex') } },
      { path: '/work/socket', type: 'socket' },
    ]);
    expect(archive).toMatchObject({ verdict: 'inconclusive', reason: 'capture_incomplete' });
  });

  it('look into a folder nobody may search, or say that they cannot', async () => {
    const { overlayState, archive } = await both("sh -c 'mkdir a; echo x > a/b; chmod 000 a'");
    expect(overlayState!.files).toMatchObject([{ path: '/work/a', mode: '0000' }, { path: '/work/a/b' }]);
    expect(archive).toMatchObject({ verdict: 'inconclusive', reason: 'capture_incomplete' });
  });

  it('obey include and exclude', async () => {
    const folder = tempFolder();
    const run = "sh -c 'mkdir keep drop; echo 1 > keep/a; echo 2 > keep/b.tmp; date +%N > drop/noise'";
    const record = await replay(
      manifest(run, { replays: 3, state: { include: ['/work'], exclude: ['/work/drop', '/work/**.tmp'] } }),
      { folder },
    );
    const state = await readState(new BlobStore(`${folder}/out`), record.final_state_sha256!);
    expect(state!.files.map((f) => f.path)).toEqual(['/work/keep', '/work/keep/a']);
    expect(record.verdict).toBe('reproduced');
  });

  it('stream a 1 GB file without growing', async () => {
    const run = "sh -c 'dd if=/dev/zero of=big bs=1M count=1024 2>/dev/null'";
    const before = process.memoryUsage().rss;
    const { overlayState, archiveState } = await both(run);
    expect(archiveState).toEqual(overlayState);
    expect(overlayState!.files).toMatchObject([{ path: '/work/big', size: 1 << 30 }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
  });
});
