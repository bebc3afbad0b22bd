/** Ids of real files, as others read them. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readObject } from '../../src/objects/object.ts';
import { reenact } from '../support/world.ts';

const cases = join(process.env.REENACT_CASES ?? '/nowhere', 'symbols');
const real = existsSync(cases);
if (!real) console.log('ids of real PDB, PE and Mach-O files: NOT tested, REENACT_CASES has no symbols');

describe.skipIf(!real)('a real file', () => {
  it.each([
    [
      'linux/crash',
      'elf:f1c3bcc0279865fe3058404b2831d9e64135386c',
      'C0BCC3F19827FE653058404B2831D9E60',
      'code',
    ],
    [
      'linux/crash.debug',
      'elf:f1c3bcc0279865fe3058404b2831d9e64135386c',
      'C0BCC3F19827FE653058404B2831D9E60',
      'debug_info',
    ],
    ['windows/crash.exe', 'pe:5ab380779000', '3249D99D0C4049318610F4E4FB0B69361', 'code'],
    [
      'windows/crash.pdb',
      'pdb:3249D99D0C4049318610F4E4FB0B6936-1',
      '3249D99D0C4049318610F4E4FB0B69361',
      'debug_info',
    ],
    ['macos/crash', 'macho:67e9247c814e392ba027dbde6748fcbf', '67E9247C814E392BA027DBDE6748FCBF0', 'code'],
    [
      'macos/crash.dSYM/Contents/Resources/DWARF/crash',
      'macho:67e9247c814e392ba027dbde6748fcbf',
      '67E9247C814E392BA027DBDE6748FCBF0',
      'debug_info',
    ],
  ])('%s has the id it is known to have', (path, id, debugId, feature) => {
    const [image] = readObject(join(cases, path)).images;
    expect(image).toMatchObject({ id, debug_id: debugId });
    expect(image!.features).toContain(feature);
    expect(image!.features.includes('code')).toBe(feature === 'code');
  });

  it('is shown with its digest, and one that is no object file ends with 2', async () => {
    const shown = await reenact(['symbols', 'id', join(cases, 'windows/crash.exe')]);
    expect(shown).toMatchObject({ status: 0 });
    expect(shown.stdout).toContain('  belongs to pdb:3249D99D0C4049318610F4E4FB0B6936-1\n');
    const refused = await reenact(['symbols', 'id', join(cases, 'minidump/minidump2.dmp'), '--json']);
    expect(refused).toMatchObject({ status: 2 });
    expect(JSON.parse(refused.stdout)[0].code).toBe('object_malformed');
  });
});

/** The plain ELF files of a folder, links left out. */
function elfFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return elfFiles(path);
    if (!entry.isFile() || statSync(path).size < 64) return [];
    const magic = Buffer.alloc(4);
    const fd = openSync(path, 'r');
    readSync(fd, magic, 0, 4, 0);
    closeSync(fd);
    return magic.toString('latin1') === '\x7fELF' ? [path] : [];
  });
}

it('every ELF file of this machine has the build-id that readelf finds', { timeout: 120_000 }, () => {
  const files = ['/usr/bin', '/usr/sbin', '/usr/lib'].flatMap(elfFiles);
  expect(files.length).toBeGreaterThan(100);
  const theirs = new Map<string, string | null>();
  const go = new Set<string>();
  for (let at = 0; at < files.length; at += 500) {
    const args = ['-nW', ...files.slice(at, at + 500), '/dev/null'];
    // It ends with 1 where it warns of one file, and goes on with the rest.
    const text = spawnSync('readelf', args, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
    for (const part of text.split(/^File: /m).slice(1)) {
      const [path] = part.split('\n');
      theirs.set(path!, /Build ID: ([0-9a-f]+)/.exec(part)?.[1] ?? null);
      if (/^ +Go +0x/m.test(part)) go.add(path!);
    }
  }
  const different = files
    .map((path) => {
      const ours = readObject(path).images[0]!.id;
      const known = theirs.get(path);
      return { path, ours, theirs: known ? `elf:${known}` : null };
    })
    // Go's own id, which readelf shows as bytes, is taken where there is no build-id.
    .filter(({ path, ours, theirs: id }) =>
      ours?.startsWith('go:') ? id !== null || !go.has(path) : ours !== id,
    );
  expect(different).toEqual([]);
  expect([...theirs.values()].filter(Boolean).length).toBeGreaterThan(100);
});
