/** Programs that cannot be executed, each for a reason of its own: the record names the program and that reason. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type BuiltImage, pushImage } from '../../setup/image.ts';
import { findProgram } from '../../setup/packages.ts';
import { type Entry, layerOf } from '../support/fixture-image.ts';
import { replay, tempFolder } from '../support/world.ts';

const world = inject('world');

/** A program whose loader is named, and lies nowhere. */
function dynamicProgram(): Buffer {
  const folder = tempFolder();
  writeFileSync(join(folder, 'dynamic.c'), 'int main(void) { return 0; }\n');
  const arguments_ = ['-o', join(folder, 'dynamic'), join(folder, 'dynamic.c')];
  execFileSync('musl-gcc', ['-Wl,--dynamic-linker=/lib/ld-other.so.1', ...arguments_]);
  return readFileSync(join(folder, 'dynamic'));
}

/** The same bytes, said to be of another processor: e_machine is at offset 18. */
function ofMachine(program: Buffer, machine: number): Buffer {
  const other = Buffer.from(program);
  other.writeUInt16LE(machine, 18);
  return other;
}

async function imageOf(registry: string): Promise<BuiltImage> {
  const busybox = readFileSync(findProgram('busybox')!);
  const files: Entry[] = [
    { name: 'bin', type: 'directory' },
    { name: 'bin/busybox', content: busybox },
    { name: 'bin/notes', content: 'a text\n', mode: 0o644 },
    { name: 'bin/owners', content: busybox, mode: 0o700 },
    { name: 'bin/plain', content: 'echo without a first line\n' },
    { name: 'bin/empty', content: '' },
    { name: 'bin/python-script', content: '#!/usr/bin/python3 -u\nprint(1)\n' },
    { name: 'bin/env-script', content: '#!/usr/bin/env python3\nprint(1)\n' },
    { name: 'bin/windows-script', content: '#!/bin/busybox sh\r\necho 1\r\n' },
    { name: 'bin/bare-windows-script', content: '#!/bin/busybox\r\necho 1\r\n' },
    { name: 'bin/text-script', content: '#!/bin/notes\n' },
    { name: 'bin/arm', content: ofMachine(busybox, 183) },
    { name: 'bin/intel-32', content: ofMachine(busybox, 3) },
    { name: 'bin/cut', content: busybox.subarray(0, 64) },
    { name: 'bin/dynamic', content: dynamicProgram() },
    { name: 'bin/lost', type: 'symlink', linkname: '/opt/gone' },
    { name: 'bin/circle', type: 'symlink', linkname: 'circle' },
  ];
  return pushImage(registry, 'reenact-not-started', [await layerOf(files)], { Env: ['PATH=/sbin:/bin'] });
}

describe.skipIf(!world)('a program that cannot be executed', () => {
  let image: BuiltImage;
  beforeAll(async () => {
    image = await imageOf(world!.registry);
  });

  it.each([
    ['app', 'app is in no folder of PATH (/harness:/sbin:/bin)'],
    ['/opt/app --once', '/opt/app is not in the image, nor among the inputs'],
    ['/case/app', '/case/app is not in the image, nor among the inputs'],
    ['/bin', '/bin is a folder'],
    ['notes', '/bin/notes is not marked as executable (mode 0644)'],
    ['owners', '/bin/owners may not be executed by this user (mode 0700, owner 0:0)'],
    ['plain', '/bin/plain is neither an ELF program nor a script that begins with #!'],
    ['empty', '/bin/empty is empty'],
    ['python-script', '/bin/python-script is a script for /usr/bin/python3, which the image does not have'],
    ['env-script', '/bin/env-script is a script for /usr/bin/env, which the image does not have'],
    ['bare-windows-script', 'the first line of /bin/bare-windows-script ends in a carriage return'],
    ['text-script', '/bin/text-script is a script for /bin/notes, which may not be executed'],
    ['arm', '/bin/arm is for another processor: ELF machine 183, and this one is x86_64'],
    ['intel-32', '/bin/intel-32 is for another processor: ELF machine 3, and this one is x86_64'],
    ['cut', '/bin/cut is an ELF program, and the kernel refuses it'],
    ['dynamic', '/bin/dynamic needs the loader /lib/ld-other.so.1, which the image does not have'],
    ['/bin/lost', '/bin/lost is a link that leads nowhere'],
    ['/bin/circle', '/bin/circle is a link that leads nowhere'],
    ['deterministic-run.sh --seed $seed -- app', 'app is in no folder of PATH (/harness:/sbin:/bin)'],
    ['deterministic-run.sh --twice', "deterministic-run.sh: unexpected '--twice'"],
  ])('%s: %s', async (run_instructions, why) => {
    for (const determinism of ['full', 'off'] as const) {
      const record = await replay({
        harness_version: '1',
        os: 'linux',
        sandbox_image: image.repository,
        sandbox_image_sha256: image.manifest,
        seed: 1,
        run_instructions,
        replays: 1,
        determinism,
      });
      expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'exec_failed' });
      expect(record.message).toContain(why);
    }
  });
});
