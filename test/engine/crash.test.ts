import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { pushImage } from '../../setup/image.ts';
import { findProgram } from '../../setup/packages.ts';
import { digestOf } from '../../src/base/digest.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { humanReport } from '../../src/report/human.ts';
import type { Crash } from '../../src/sandbox/crash.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { fixtureLayers, glibcLayer, LIBC } from '../support/fixture-image.ts';
import { unwrapped } from '../support/lines.ts';
import {
  describeEngine,
  manifest,
  type RunHelp,
  reenact,
  replay,
  tempFolder,
  world,
  writeManifest,
} from '../support/world.ts';

const FULL: Partial<Manifest> = { determinism: 'full', replays: 2 };
const PROGRAM = '/bin/crashes';

async function crashing(how: string, o: RunHelp = {}, more: Partial<Manifest> = {}): Promise<ReplayRecord> {
  return replay(manifest(`${PROGRAM} ${how}`, { ...FULL, ...more }), o);
}

/** The crash that all replays share. */
function crashOf(record: ReplayRecord): Crash {
  const [first, ...others] = record.replays.map(({ crash }) => crash);
  for (const other of others) expect(other).toEqual(first);
  expect(first).toBeDefined();
  return first!;
}

const ENDINGS: [string, string, object][] = [
  ['a null pointer', 'segv', { signal: 'SIGSEGV', code: 1, fault: { area: 'null', offset: '0x8' } }],
  [
    'a wild pointer',
    'wild',
    { signal: 'SIGSEGV', fault: { area: 'unmapped', offset: null, address: '0xdead0000' } },
  ],
  ['an address that is none', 'noncanonical', { signal: 'SIGSEGV', code: 128, fault: null }],
  ['a mapped file that is too short', 'bus', { signal: 'SIGBUS', fault: { area: 'file', offset: '0x0' } }],
  ['an illegal instruction', 'ill', { signal: 'SIGILL', fault: { area: 'module', module: PROGRAM } }],
  ['a division', 'fpe', { signal: 'SIGFPE', fault: { area: 'module', module: PROGRAM } }],
  ['abort', 'abort', { signal: 'SIGABRT', code: -6, fault: null }],
  ['raise', 'raise', { signal: 'SIGABRT', code: -6, fault: null }],
  ['a signal that is no fault', 'term', { signal: 'SIGTERM', fault: null }],
];

const STOPS: [string, string, string, number][] = [
  ['leads to itself', 'loop', 'not_upwards', 3],
  ['is unaligned', 'unaligned', 'unaligned', 3],
  ['leads nowhere', 'unmapped', 'unmapped', 3],
  ['wraps around', 'wraps', 'not_upwards', 3],
  ['returns to data', 'data', 'not_code', 2],
  ['returns into the middle of code', 'middle', 'not_after_call', 2],
  ['goes on and on', 'deep', 'limit', 256],
];

describeEngine('crash sites', () => {
  it.each(ENDINGS)('%s', async (_name, how, expected) => {
    const crash = crashOf(await crashing(how));
    expect(crash).toMatchObject({ thread: 20, threads: [20], thread_count: 1, core: null, ...expected });
    expect(crash.frames[0]).toMatchObject({ area: 'module', module: PROGRAM, by: 'counter' });
    expect(crash.modules).toMatchObject([{ path: PROGRAM, base: '0x400000', not_hashed: null }]);
    expect(crash.registers.rip).toBe(`0x${(0x400000 + Number(crash.frames[0]!.offset)).toString(16)}`);
  });

  it.each([
    ['a signal that is handled', 'handled', { exit_code: 3 }],
    ['a forked child: the program itself did not crash', 'child', { exit_code: 11 }],
    ['SIGKILL, which nobody sees coming', 'kill9', { signal: 'SIGKILL' }],
    ['a forged record', 'forge-exit', { exit_code: 0 }],
    ['a signal that is ignored', 'ignored', { exit_code: 4 }],
  ])('none is recorded of %s, and no core begun', async (_name, how, expected) => {
    for (const one of (await crashing(how, { core: true })).replays) {
      expect(one).toMatchObject(expected);
      expect(one).not.toHaveProperty('crash');
    }
  });

  it('none is recorded without full determinism', async () => {
    const record = await crashing('segv', {}, { determinism: 'off' });
    expect(record.replays[0]).toMatchObject({ signal: 'SIGSEGV' });
    expect(record.replays[0]).not.toHaveProperty('crash');
  });

  it('of a thread, among all threads', async () => {
    const crash = crashOf(await crashing('thread'));
    expect(crash).toMatchObject({ thread: 23, threads: [20, 21, 22, 23], walk_ended: 'outermost' });
    expect(crash.frames).toHaveLength(14);
  });

  it('in a handler, and on to the very instruction that it was called for', async () => {
    const plain = crashOf(await crashing('segv'));
    const crash = crashOf(await crashing('reported'));
    expect(crash).toMatchObject({ signal: 'SIGILL', walk_ended: plain.walk_ended });
    const found = crash.frames.map(({ by }) => by);
    expect(found.slice(0, 4)).toEqual(['counter', 'unwind_table', 'signal_frame', 'unwind_table']);
    const offsets = ({ frames }: Crash): unknown[] => frames.map(({ offset }) => offset);
    // The same fault, and what led to it, but for where main called from.
    expect(offsets(crash).slice(2, 13)).toEqual(offsets(plain).slice(0, 11));
  });

  it('behind forged records, which stay the program’s own words', async () => {
    const folder = tempFolder();
    const record = await crashing('forge', { folder });
    expect(crashOf(record)).toMatchObject({ signal: 'SIGSEGV', fault: { area: 'null' } });
    const store = new BlobStore(join(folder, 'out'));
    const state = await readState(store, record.final_state_sha256!);
    const stderr = String(await store.get(state!.stderr.sha256));
    expect(stderr).toContain('"forged":true');
    expect(stderr).toMatch(/crash=37 *\n0{64}\n$/);
  });

  it('of a program whose file is gone, without the digest of another', async () => {
    const run = `sh -c 'cp ${PROGRAM} x; exec ./x unlink'`;
    const { modules, frames } = crashOf(await replay(manifest(run, FULL)));
    expect(modules).toMatchObject([{ path: '/work/x (deleted)', sha256: null, not_hashed: 'deleted' }]);
    expect(frames).toHaveLength(14);
  });

  it('of a program too large to be hashed in time', async () => {
    const run = `sh -c 'cp ${PROGRAM} x; dd if=/dev/null of=x bs=1048576 seek=300 2>/dev/null; exec ./x segv'`;
    const record = await replay(manifest(run, { ...FULL, state: { exclude: ['/work'] } }));
    expect(crashOf(record).modules).toMatchObject([
      { path: '/work/x', sha256: null, not_hashed: 'too_large' },
    ]);
  });

  it.each(STOPS)('the walk stops where the frame pointer %s', async (_name, how, ended, frames) => {
    const crash = crashOf(await crashing(how, {}, { replays: 1 }));
    expect(crash).toMatchObject({ walk_ended: ended });
    expect(crash.frames).toHaveLength(frames);
  });
});

const EU_STACK = findProgram('eu-stack');

/** Program counters of the first thread, as an outside unwinder finds them. */
function euStack(core: string, executable: string): { address: string; name: string | undefined }[] {
  // A walk that ends in _start, which has no unwind information, is an error to it.
  let text: string;
  try {
    text = execFileSync(EU_STACK!, [`--core=${core}`, `--executable=${executable}`], {
      encoding: 'utf8',
    });
  } catch (error) {
    text = (error as { stdout: string }).stdout;
  }
  return [...text.matchAll(/^#\d+ +0x0*([0-9a-f]+)(?: (\S+))?/gm)].map(([, hex, name]) => ({
    address: `0x${hex}`,
    name,
  }));
}

function absolute(crash: Crash): string[] {
  const base = new Map(crash.modules.map((one) => [one.path, Number(one.base)]));
  return crash.frames.map(({ module, offset }) => `0x${(base.get(module!)! + Number(offset)).toString(16)}`);
}

const TEN = ['ten', 'nine', 'eight', 'seven', 'six', 'five', 'four', 'three', 'two', 'one'];
const why = !EU_STACK
  ? ' (skipped: no eu-stack; npm test installs elfutils)'
  : existsSync(LIBC)
    ? ''
    : ` (skipped: no ${LIBC})`;

interface Built {
  record: ReplayRecord;
  core: string;
  program: string;
}

/** Ten calls on glibc, with a core. */
async function tenDeep(flags: string[], words = ''): Promise<Built> {
  const folder = tempFolder();
  const program = join(folder, 'case', 'ten');
  mkdirSync(join(folder, 'case'));
  const source = join(import.meta.dirname, '../../fixtures/crash/ten.c');
  const common = ['-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-nostdlib', '-nostartfiles'];
  execFileSync('gcc', [...flags, ...common, '-o', program, source, LIBC]);
  const inputs = [{ path: 'ten', source: 'case/ten', sha256: digestOf(readFileSync(program)) }];
  const layers = [...(await fixtureLayers()), await glibcLayer()];
  const built = await pushImage(world.registry, 'reenact-fixture-glibc', layers, { Env: ['PATH=/bin'] });
  const image = { sandbox_image_sha256: built.manifest, sandbox_image: built.repository };
  const run = `sh -c 'cp /case/ten ten; chmod +x ten; exec ./ten${words}'`;
  const record = await replay(manifest(run, { ...FULL, inputs, ...image }), { folder, core: true });
  const core = join(folder, 'core');
  writeFileSync(core, (await new BlobStore(join(folder, 'out')).get(crashOf(record).core!.sha256))!);
  return { record, core, program };
}

describeEngine('cores', () => {
  describe.skipIf(why !== '')(`on glibc${why}`, () => {
    it.each([['-O0'], ['-O2']])('ten calls deep at %s, all ten as eu-stack finds them', async (level) => {
      const { record, core, program } = await tenDeep([level]);
      const crash = crashOf(record);
      const theirs = euStack(core, program);
      expect(theirs.slice(0, 10).map(({ name }) => name)).toEqual(TEN);
      expect(absolute(crash).slice(0, 10)).toEqual(theirs.slice(0, 10).map(({ address }) => address));
      const note = execFileSync('readelf', ['-n', program], { encoding: 'utf8' });
      const [, id] = /Build ID: ([0-9a-f]+)/.exec(note)!;
      const sha256 = digestOf(readFileSync(program));
      expect(crash.modules[0]).toMatchObject({ path: '/work/ten', build_id: id, sha256, not_hashed: null });
      for (const frame of crash.frames.slice(0, 10))
        expect(frame).toMatchObject({ module: '/work/ten', build_id: id });
      expect(crash.modules.map(({ path }) => path)).toContain('/lib/x86_64-linux-gnu/libc.so.6');
      expect(unwrapped(humanReport(record, { colour: false }))).toContain(
        `  crash      SIGSEGV in /work/ten+${crash.frames[0]!.offset} at null+0x8, called from /work/ten+`,
      );
    });

    it('through frames without frame pointers, by unwind tables, to the outermost', async () => {
      const { record, core, program } = await tenDeep(['-O2'], ' abort');
      const crash = crashOf(record);
      const theirs = euStack(core, program);
      expect(crash).toMatchObject({ signal: 'SIGABRT', walk_ended: 'outermost' });
      expect(theirs.map(({ name }) => name)).toEqual(expect.arrayContaining(['abort', ...TEN.slice(2)]));
      expect(absolute(crash)).toEqual(theirs.slice(0, crash.frames.length).map(({ address }) => address));
      expect(new Set(crash.frames.map(({ by }) => by))).toEqual(new Set(['counter', 'unwind_table']));
    });

    it('a stripped program without build-id is known by its digest', async () => {
      const { record, program } = await tenDeep(['-O0', '-s', '-Wl,--build-id=none']);
      const crash = crashOf(record);
      expect(crash.modules[0]).toMatchObject({ build_id: null, sha256: digestOf(readFileSync(program)) });
      expect(crash.frames[9]).toMatchObject({ module: '/work/ten', build_id: null, by: 'unwind_table' });
    });
  });

  it('a core changes nothing about the state, and is read as one of the process', async () => {
    const folder = tempFolder();
    const record = await crashing('thread', { folder, core: true });
    const plain = await crashing('thread');
    expect(record.final_state_sha256).toBe(plain.final_state_sha256);
    const { core, ...crash } = crashOf(record);
    expect({ ...crash, core: null }).toEqual(crashOf(plain));
    const bytes = (await new BlobStore(join(folder, 'out')).get(core!.sha256))!;
    expect(bytes).toHaveLength(core!.size);
    expect(bytes.includes(`${PROGRAM}\0`)).toBe(true);
    const path = join(folder, 'core');
    writeFileSync(path, bytes);
    const text = execFileSync('readelf', ['-hnlW', path], { encoding: 'utf8' });
    expect(text).toMatch(/Type: +CORE/);
    expect(text.match(/NT_PRSTATUS/g)).toHaveLength(4);
    for (const note of ['NT_PRPSINFO', 'NT_AUXV', 'NT_FILE', 'NT_SIGINFO', 'NT_FPREGSET'])
      expect(text).toContain(note);
  });

  it('a core has its limit, and the stack before all else', async () => {
    const folder = tempFolder();
    const crash = crashOf(await crashing('large', { folder, core: true }, { replays: 1 }));
    expect(crash.core!.size).toBeGreaterThan(128 << 20);
    expect(crash.core!.size).toBeLessThanOrEqual(LIMITS.coreBytes);
    const path = new BlobStore(join(folder, 'out')).path(crash.core!.sha256);
    const text = execFileSync('readelf', ['-lW', path], { encoding: 'utf8', maxBuffer: 1 << 26 });
    const [, file, memory] = /LOAD +\S+ 0x00007ffffff\S+ \S+ (\S+) (\S+) RW/.exec(text)!;
    expect(file).toBe(memory);
  });

  it('thousands of mappings are all in it, the stack behind them too', async () => {
    const folder = tempFolder();
    const crash = crashOf(await crashing('maps', { folder, core: true }));
    expect(crash.frames).toHaveLength(14);
    const path = new BlobStore(join(folder, 'out')).path(crash.core!.sha256);
    const text = execFileSync('readelf', ['-hlW', path], { encoding: 'utf8', maxBuffer: 1 << 26 });
    expect(Number(/Number of program headers: +(\d+)/.exec(text)![1])).toBeGreaterThan(9000);
    expect(text).toMatch(/LOAD +\S+ 0x00007ffffff/);
  });

  it('--core wants full determinism', async () => {
    const folder = tempFolder();
    const path = writeManifest(folder, manifest(`${PROGRAM} segv`));
    const refused = await reenact(['run', path, '--core', '--determinism', 'off'], { cwd: folder });
    expect(refused).toMatchObject({ status: 64 });
    expect(refused.stderr).toContain('core wants determinism full');
    const run = await reenact(['run', path, '--core', '--determinism', 'full'], { cwd: folder });
    expect(run.stdout).toMatch(/ {2}core {7}sha256:[0-9a-f]{64} in the store, \d+ bytes\n/);
  });
});
