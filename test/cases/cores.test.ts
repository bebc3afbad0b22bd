/** Cores that were made elsewhere, and of programs that the cases name: what each says, and how far its walk is known. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { endOf, first, hasGdb, readCore } from '../support/cores.ts';
import { describeReal } from '../support/real-cases.ts';
import { tempFolder } from '../support/world.ts';

/** The C library that these cores were made with: Debian 12's libc6 2.36-9+deb12u14. */
const LIBC = '/usr/lib/debug/.build-id/93/ac61ec5a8eb1396f9fbd350e3169a558528a40.debug';

describeReal('traces', (folder) => {
  const unpacked = (name: string): string => {
    const core = join(tempFolder(), 'core');
    writeFileSync(core, gunzipSync(readFileSync(join(folder, name))));
    return core;
  };

  it.each([
    // Handlers: the frame below is no return address, and the trampoline none at all.
    { name: '01-signal-frame.core.gz', exec: '01-sig', libc: true, want: '10 outermost' },
    { name: '01-signal-frame.core.gz', exec: null, libc: true, want: '4 no_file' },
    // The program is absent: one frame of four is no whole stack.
    { name: '02-cut-core-two.core.gz', exec: null, libc: false, want: '1 no_file' },
    { name: '11-vdso.core.gz', exec: null, libc: true, want: '3 no_file' },
  ])('$name with $exec: $want', async ({ name, exec, libc, want }) => {
    if (libc && !existsSync(LIBC)) return expect(existsSync(LIBC), 'another C library').toBe(false);
    const trace = await readCore(unpacked(name), { executables: exec ? [join(folder, exec)] : [] });
    expect(endOf(trace)).toBe(want);
  });

  it('looks the interrupted instruction up as it is', async () => {
    const trace = await readCore(unpacked('01-signal-frame.core.gz'), {
      executables: [join(folder, '01-sig')],
    });
    if (!existsSync(LIBC)) return;
    expect(trace).toMatchObject({ signal: 'SIGABRT', code: -6 });
    expect(first(trace).frames[4]).toMatchObject({ rel_addr: '0x1198', activation: true, trust: 'context' });
    expect(first(trace).frames.filter(({ activation }) => activation)).toHaveLength(2);
  });
});

const describeMade = hasGdb ? describeReal : () => it.skip('(skipped: no gdb)', () => undefined);

describeMade('discovery', (folder) => {
  const made = (name: string): string => {
    const into = tempFolder();
    execFileSync('bash', [join(folder, name, 'make.sh'), into], { stdio: 'ignore' });
    return into;
  };

  it('2: a .debug_frame that is compressed by zstd is read as the plain one is', async () => {
    const into = made('2-zstd-debug-frame');
    const ends = [];
    for (const name of ['core.df-plain', 'core.df-zstd']) ends.push(endOf(await readCore(join(into, name))));
    expect(ends).toEqual(['7 outermost', '7 outermost']);
  });

  it('11: the file that lies there now is not the one that crashed, and lends no id and no table', async () => {
    const trace = await readCore(join(made('11-foreign-core'), 'core.none'));
    expect(trace.images.find(({ path }) => path.endsWith('libpart.so'))).toMatchObject({ id: null });
    expect(endOf(trace)).toBe('1 no_file');
  });

  it('12: no thread of a living program crashed', async () => {
    const into = tempFolder();
    const source = join(folder, '12-gcore', 'th.c');
    execFileSync('gcc', ['-g', '-O1', '-pthread', '-o', join(into, 'th'), source]);
    const core = join(into, 'gc');
    const script = `./th 0 & pid=$!; sleep 1; gcore -o ${core} $pid >/dev/null 2>&1; mv ${core}.$pid ${core}; kill $pid`;
    execFileSync('bash', ['-c', script], { cwd: into });
    const trace = await readCore(core);
    expect(trace.signal).toBeNull();
    expect(trace.threads.filter(({ crashed }) => crashed)).toEqual([]);
    expect(trace.threads.length).toBeGreaterThan(1);
  });
});
