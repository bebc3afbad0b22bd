/** Upper folders of other overlay set-ups: the right state, or a refusal that says which engine would do; never a wrong state. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { findProgram } from '../../setup/packages.ts';
import { readOverlay } from '../../src/state/overlay.ts';
import { BlobStore } from '../../src/store/blobs.ts';

const SCAN = join(import.meta.dirname, '../../harness/bin/scan');
const folder = mkdtempSync(join(tmpdir(), 'reenact-marks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A lower layer with a folder and a file, and an upper folder that `make` fills. */
function layers(make: (upper: string) => void): { upper: string; lower: string[] } {
  const here = join(folder, String(count++));
  const [upper, lower] = [join(here, 'upper'), join(here, 'lower')];
  for (const path of [upper, join(lower, 'again')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(lower, 'again/old'), 'old');
  writeFileSync(join(lower, 'file'), 'x');
  make(upper);
  return { upper, lower: [lower] };
}

async function scanned(overlay: { upper: string; lower: string[] }): Promise<string[]> {
  const changes = await readOverlay(SCAN, overlay, new BlobStore(join(folder, 'store')), () => true);
  return [...changes].map(
    ([path, { change, xattrs }]) => `${change} ${path}${xattrs ? ` ${Object.keys(xattrs)}` : ''}`,
  );
}

function mark(path: string, name: string, value: string): void {
  execFileSync('python3', [
    '-c',
    'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())',
    path,
    name,
    value,
  ]);
}

const remade = (name: string) => (upper: string) => {
  mkdirSync(join(upper, 'again'));
  mark(join(upper, 'again'), name, 'y');
};
const marked =
  (name: string, value = 'y') =>
  (upper: string) => {
    writeFileSync(join(upper, 'file'), 'other');
    mark(join(upper, 'file'), name, value);
  };
/** What only the kernel can have set, and sets where it alone keeps the marks. */
const byKernel = (make: (upper: string) => void) => (upper: string) => {
  mark(upper, 'trusted.overlay.impure', 'y');
  make(upper);
};
const named = (name: string) => (upper: string) => writeFileSync(join(upper, name), '');

const ABLE = process.getuid?.() === 0 && findProgram('python3') !== undefined;
const able = ABLE ? describe : describe.skip;
able(`upper folders${ABLE ? '' : ' (skipped: only root with python3 can mark them)'}`, () => {
  it.each([
    ['a folder made again', byKernel(remade('trusted.overlay.opaque')), ['deleted again/old']],
    ['the same where the root says nothing', remade('trusted.overlay.opaque'), ['deleted again/old']],
    ['a copied file', byKernel(marked('trusted.overlay.origin')), ['changed file']],
    [
      'the guest’s own user.overlay',
      byKernel(marked('user.overlay.opaque')),
      ['changed file user.overlay.opaque'],
    ],
    [
      'the guest’s own user.fuseoverlayfs',
      byKernel(marked('user.fuseoverlayfs.origin')),
      ['changed file user.fuseoverlayfs.origin'],
    ],
    ['the guest’s own .wh.x', byKernel(named('.wh.x')), ['added .wh.x']],
    ['no mark at all', marked('user.mine'), ['changed file user.mine']],
  ])('%s: the right state', async (_name, make, wanted) => {
    expect(await scanned(layers(make))).toEqual(wanted);
  });

  it.each([
    ['userxattr: a folder made again', remade('user.overlay.opaque')],
    ['userxattr: a copied file', marked('user.overlay.origin')],
    ['userxattr: a renamed folder', remade('user.overlay.redirect')],
    ['fuse-overlayfs: a copied file', marked('user.fuseoverlayfs.origin')],
    ['fuse-overlayfs: a folder made again', named('.wh..wh..opq')],
    ['fuse-overlayfs without root: a deleted file', named('.wh.file')],
    ['fuse-overlayfs without root: owner and mode kept aside', marked('user.containers.override_stat')],
    [
      'a folder made again, marked by both',
      (upper: string) => {
        remade('trusted.overlay.opaque')(upper);
        named('again/.wh..wh..opq')(upper);
      },
    ],
    ['redirect_dir', byKernel(remade('trusted.overlay.redirect'))],
    ['metacopy', byKernel(marked('trusted.overlay.metacopy'))],
    ['a deletion by attribute', byKernel(marked('trusted.overlay.whiteout'))],
    [
      'a folder with such deletions',
      byKernel((upper) => {
        mkdirSync(join(upper, 'again'));
        mark(join(upper, 'again'), 'trusted.overlay.opaque', 'x');
      }),
    ],
    ['a mark of a later kernel', byKernel(marked('trusted.overlay.later'))],
  ])('%s: refused', async (_name, make) => {
    await expect(scanned(layers(make))).rejects.toMatchObject({
      code: 'capture_incomplete',
      message: expect.stringContaining('which this scan does not follow'),
      next: expect.stringContaining('without fuse-overlayfs, redirect_dir and metacopy'),
    });
  });

  /** What each set-up makes of the same: a folder removed and made again, a file's mode changed. */
  const mounts: [string, string, RegExp | string[]][] = [
    ['overlay', 'mount -t overlay overlay -o $o merged', ['deleted again/old', 'changed file']],
    ['overlay with userxattr', 'mount -t overlay overlay -o $o,userxattr merged', /userxattr/],
    ['fuse-overlayfs', 'fuse-overlayfs -o $o merged 2>/dev/null', /fuse-overlayfs/],
  ];
  const works = (line: string): boolean => {
    try {
      execFileSync('unshare', [
        '-m',
        'bash',
        '-c',
        `cd $(mktemp -d) && mkdir lower upper work merged && o=lowerdir=lower,upperdir=upper,workdir=work && ${line} && touch merged/x && umount merged`,
      ]);
      return true;
    } catch {
      return false;
    }
  };
  for (const [name, line, wanted] of mounts)
    if (ABLE && works(line))
      it(`made by ${name} itself`, async () => {
        const made = layers((upper) => {
          const at = `cd ${upper}/.. && mkdir work merged && o=lowerdir=lower,upperdir=upper,workdir=work`;
          const changes =
            'rm -r merged/again && mkdir merged/again && chmod 600 merged/file && umount merged';
          execFileSync('unshare', ['-m', 'bash', '-c', `${at} && ${line} && ${changes}`]);
        });
        if (Array.isArray(wanted)) expect(await scanned(made)).toEqual(wanted);
        else await expect(scanned(made)).rejects.toThrow(wanted);
      });
    else it.skip(`made by ${name} itself (skipped: it cannot be mounted here)`, () => undefined);
});
