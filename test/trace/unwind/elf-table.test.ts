/** Stacks of minidumps by the DWARF tables of ELF files that a person names: to where nothing called, past a signal's trampoline. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { readObject } from '../../../src/objects/object.ts';
import { readTraceFile } from '../../../src/trace/read-file.ts';
import { codeView, minidump } from '../../support/minidump.ts';
import { reenact, tempFolder } from '../../support/world.ts';

/** Functions of known places, 16 bytes each, whose tables say more than their code does. */
const SOURCE = `
.macro function name
  .balign 16
  \\name: .globl \\name
  .cfi_startproc
.endm
.text
.balign 4096
function leaf
  .cfi_def_cfa_offset 40
  .cfi_offset rbx, -16
  nop; nop; nop; nop; nop; nop; nop; nop
  .cfi_endproc
function by_expression
  # DW_CFA_def_cfa_expression: DW_OP_breg3 (rbx) 16
  .cfi_escape 0x0f, 2, 0x73, 16
  nop; nop; nop; nop; nop; nop; nop; nop
  .cfi_endproc
function trampoline
  .cfi_signal_frame
  .cfi_def_cfa rsp, 16
  .cfi_offset rip, -16
  .cfi_offset rsp, -8
  nop; nop; nop; nop; nop; nop; nop; nop
  .cfi_endproc
function start
  .cfi_undefined rip
  nop; nop; nop; nop; nop; nop; nop; nop
  .cfi_endproc
`;
const STACK = 0x7000_0000n;
const BASE = 0x5000_0000_0000n;
const DECOY_OFFSET = 8n;

const folder = tempFolder();
const [program, dump] = [join(folder, 'app.so'), join(folder, 'app.dmp')];
beforeAll(() => {
  const source = join(folder, 'app.s');
  writeFileSync(source, SOURCE);
  execFileSync('gcc', ['-shared', '-nostdlib', '-Wl,--build-id=sha1', '-o', program, source]);
  execFileSync('gcc', [
    '-shared',
    '-nostdlib',
    '-Wl,--build-id=sha1',
    '-Wl,-soname,x',
    '-o',
    `${program}.2`,
    source,
  ]);
  const names = execFileSync('nm', [program], { encoding: 'utf8' });
  const at = (name: string): bigint =>
    BASE + BigInt(`0x${new RegExp(`^(\\w+) T ${name}$`, 'm').exec(names)![1]}`);
  const decoy = at('start') + DECOY_OFFSET;
  const { id } = readObject(program).images[0]!;
  writeFileSync(
    dump,
    minidump({
      ...{ arch: 'x86_64', platform: 0x8201 },
      modules: [{ base: BASE, size: 0x8000, name: 'app.so', codeView: codeView('BpEL', id!.slice(4)) }],
      threads: [
        {
          ...{ id: 7, registers: { ip: at('leaf') + 4n, sp: STACK, fp: 1n }, stackFrom: STACK },
          stack: [
            ...[decoy, decoy, decoy, STACK + 48n, at('by_expression') + 4n], // the leaf's, with its caller's rbx
            // +40: to rbx + 16. The C library's table of its trampoline begins a byte before it.
            ...[decoy, decoy, at('trampoline') + 1n],
            ...[at('leaf') + 1n, STACK + 96n], // +64: what the signal interrupted
            ...Array(6).fill(decoy), // +80: of what was interrupted, from +96
            ...[at('start') + 4n, 0n],
          ],
        },
      ],
      exception: { thread: 7, code: 11 },
    }),
  );
});

const placesOf = async (executables: string[]): Promise<string[]> => {
  const trace = await readTraceFile(dump, [], { executables, sysroot: null, stored: [] });
  const [{ frames, ended }] = trace.threads as [(typeof trace.threads)[number]];
  const first = Number(frames[0]!.rel_addr) - 4;
  const places = frames.map(({ rel_addr, activation, trust }) => {
    const distance = Number(rel_addr) - first;
    return `${Math.floor(distance / 16)}+${distance % 16}${activation ? '*' : ''} ${trust}`;
  });
  return [...places, ended!.outermost ? 'outermost' : ended!.reason!];
};

it('registers that were saved, expressions, a trampoline that is no frame, and where nothing called', async () => {
  expect(await placesOf([program])).toEqual([
    // What was interrupted is looked up as it is; the trampoline between is left out.
    ...['0+4* context', '1+4 cfi', '0+1* context', '3+4 cfi', 'outermost'],
  ]);
  expect((await placesOf([])).slice(0, 2)).toEqual(['0+4* context', '3+8 scan']);
});

it('a file of another build is refused by name, and one that is none', async () => {
  const show = (file: string): ReturnType<typeof reenact> =>
    reenact(['trace', 'show', 'app.dmp', '--exec', file], { cwd: folder });
  expect((await show('app.so')).stdout).toContain('app.so+0x');
  const other = await show('app.so.2');
  expect(other).toMatchObject({ status: 64, stdout: '' });
  expect(other.stderr).toContain('app.so.2 is not what crashed');
  expect((await show('app.s')).stderr).toContain('app.s');
});
