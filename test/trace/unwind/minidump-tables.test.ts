/** Stacks of minidumps by unwind tables: each kind finds callers that neither frame pointers nor a search would. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Thread } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { PdataTable } from '../../../src/trace/unwind/pdata.ts';
import type { UnwindTable } from '../../../src/trace/unwind/table.ts';
import { UnwindFiles } from '../../../src/trace/unwind-files/files.ts';
import { codeView, type DumpParts, GUID_BYTES, minidump } from '../../support/minidump.ts';
import { ID } from '../../support/traces.ts';
import { tempFolder } from '../../support/world.ts';

const STACK = 0x7000_0000n;
const BASE = 0x40_0000n;
/** A decoy: an address in code that no call comes back to. */
const DECOY = BASE + 0x999n;

interface Case {
  arch?: DumpParts['arch'];
  platform?: number;
  ip: bigint;
  fp?: bigint;
  stack: bigint[];
  tables?: UnwindTable;
  symbols?: string;
}

/** One thread of one module, and what tables or a symbol file say of it. */
function threadOf({ arch = 'x86_64', platform = 0x8201, ip, fp = 1n, stack, tables, symbols }: Case): Thread {
  const view = platform === 2 ? codeView('RSDS', GUID_BYTES, 1) : codeView('BpEL', ID);
  const bytes = minidump({
    ...{ arch, platform },
    modules: [{ base: BASE, size: 0x2000, name: 'app', codeView: view }],
    threads: [{ id: 7, registers: { ip: BASE + ip, sp: STACK, fp }, stackFrom: STACK, stack }],
    exception: { thread: 7, code: 11 },
  });
  if (symbols === undefined) return readTrace(bytes, 'trace', () => tables).threads[0]!;
  const path = join(tempFolder(), 'app.sym');
  writeFileSync(path, symbols);
  return readTrace(bytes, 'trace', new UnwindFiles([path]).of).threads[0]!;
}
const placesOf = ({ frames }: Thread): string[] =>
  frames.map(({ rel_addr, activation, trust }) => `${rel_addr}${activation ? '*' : ''} ${trust}`);

const LINUX = `MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 app\nINFO CODE_ID ${ID}\n`;
const WINDOWS = 'MODULE windows x86 0102030405060708090A0B0C0D0E0F101 app.pdb\n';

it('STACK CFI: the rules of a function and of the place in it, registers that it saved, to where they end', () => {
  const thread = threadOf({
    ip: 0x105n,
    // Decoys lie where a search looks first.
    stack: [DECOY, DECOY, 0x5555n, BASE + 0x205n, DECOY, BASE + 0x305n, 0n, 0n],
    symbols: `${LINUX}FILE 0 a.c
FUNC 100 10 0 f
STACK CFI INIT 100 10 .cfa: $rsp 8 + .ra: .cfa 8 - ^
STACK CFI 102 .cfa: $rsp 32 + $rbp: .cfa 16 - ^
STACK CFI 108 .cfa: $rsp 999 +
STACK CFI INIT 200 10 .cfa: rsp 16 + .ra: .cfa 8 - ^
STACK CFI INIT 300 10 .cfa: $rsp 8 + .ra: .undef
`,
  });
  expect(placesOf(thread)).toEqual(['0x105* context', '0x205 cfi', '0x305 cfi']);
  expect(thread.ended).toMatchObject({ outermost: true, missing: 0 });
});

it('tables that lead down the stack, in a ring or out of all code are not followed', () => {
  const of = (rules: string, stack: bigint[]): Thread =>
    threadOf({ ip: 0x105n, stack, symbols: `${LINUX}STACK CFI INIT 100 10 ${rules}\n` });
  for (const rules of [
    '.cfa: $rsp 8 - .ra: $rip',
    '.cfa: $rsp .ra: $rip',
    '.cfa: $rsp 8 + .ra: 12',
    '.cfa: $rsp 8 + .ra: .cfa 4096 + ^',
    '.cfa: $r99 .ra: $rip',
    '.cfa:',
    '.ra: $rip',
  ])
    expect(placesOf(of(rules, [1n, 2n]))).toEqual(['0x105* context']);
  // One that goes up by a word each time ends with the stack.
  const endless = of('.cfa: $rsp 8 + .ra: $rip', Array(64).fill(1n));
  expect(endless.frames.length).toBeGreaterThan(64);
  expect(endless.ended).toMatchObject({ outermost: false, reason: 'too_many_frames' });
});

it('STACK WIN: a program, or sizes alone; arguments of the callee are taken off; an aligned stack is a little higher', () => {
  const thread = threadOf({
    ...{ arch: 'x86', platform: 2, ip: 0x105n, fp: STACK + 8n },
    stack: [
      ...[DECOY, DECOY, STACK + 0x100n, BASE + 0x205n], // +0: by program, from ebp
      ...[11n, 12n], // +16: two arguments of the first
      ...[13n, 0n, BASE + 0x305n], // +24: one local, aligned by a word
      ...[21n, 22n, BASE + 0x405n],
    ],
    symbols: `${WINDOWS}STACK WIN 4 100 10 0 0 8 0 0 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =
STACK WIN 0 200 10 0 0 0 0 4 0 0 0
STACK WIN 0 300 10 0 0 0 4 4 0 0 1
STACK WIN what is this
`,
  });
  expect(placesOf(thread).slice(0, 4)).toEqual(['0x105* context', '0x205 cfi', '0x305 cfi', '0x405 cfi']);
});

/** An image whose unwind information lies at 0x1000; `entries` are begin, end and place of each function's. */
const pdata = (entries: number[][], information: Record<number, number[]>): PdataTable =>
  new PdataTable(Buffer.from(new Uint32Array(entries.flat()).buffer), (address, length) => {
    const from =
      Object.keys(information)
        .map(Number)
        .findLast((at) => at <= address) ?? 0;
    const bytes = Buffer.from(information[from] ?? []).subarray(address - from, address - from + length);
    return bytes.length === length ? bytes : undefined;
  });

it('.pdata: pushes, allocations, a frame register, chained entries; a function without an entry is a leaf', () => {
  const tables = pdata(
    [
      [0x200, 0x210, 0x1000],
      [0x300, 0x310, 0x1010],
      [0x400, 0x410, 0x1020],
      [0x500, 0x510, 0x1030],
    ],
    {
      // push rbx; sub rsp, 16
      4096: [1, 5, 2, 0, 5, 0x12, 1, 0x30],
      // Goes on in the one before; sub rsp, 24 by the long form.
      4112: [(4 << 3) | 1, 7, 2, 0, 7, 0x01, 3, 0, ...[0, 2, 0, 0, 0x10, 2, 0, 0, 0, 0x10, 0, 0]],
      // push rbp; lea rbp, [rsp+16]
      4128: [1, 6, 2, 0x15, 6, 0x03, 1, 0x50],
      4144: [9, 0, 0, 0],
    },
  );
  const thread = threadOf({
    ...{ platform: 2, ip: 0x105n, fp: STACK + 8n * 20n, tables },
    stack: [
      BASE + 0x20an, // +0: of the leaf
      ...[DECOY, DECOY, 0xbbn, BASE + 0x30an], // +8: 16 bytes, rbx
      ...[DECOY, DECOY, DECOY, DECOY, DECOY, 0xcdn, BASE + 0x40an], // +40: 24 bytes, then what it goes on in
      ...[...Array(6).fill(DECOY), STACK + 0x500n, BASE + 0x50an], // +96: rbp is two words above the saved one
      ...[DECOY, 0n],
    ],
  });
  expect(placesOf(thread).slice(0, 5)).toEqual([
    ...['0x105* context', '0x20a cfi', '0x30a cfi', '0x40a cfi', '0x50a cfi'],
  ]);
});

it('.pdata: in its prologue a function has done only a part, and a version that is not known is not guessed', () => {
  const information = { 4096: [1, 5, 2, 0, 5, 0x12, 1, 0x30] };
  const at = (ip: bigint, stack: bigint[], version = 1): string[] =>
    placesOf(
      threadOf({
        ...{ platform: 2, ip, stack },
        tables: pdata([[0x200, 0x210, 0x1000]], { 4096: [version, ...information[0x1000].slice(1)] }),
      }),
    ).slice(0, 2);
  expect(at(0x200n, [BASE + 0x305n, 0n])).toEqual(['0x200* context', '0x305 cfi']);
  expect(at(0x201n, [0xbbn, BASE + 0x305n, 0n])).toEqual(['0x201* context', '0x305 cfi']);
  expect(at(0x205n, [1n, 2n, 0xbbn, BASE + 0x305n, 0n])).toEqual(['0x205* context', '0x305 cfi']);
  expect(at(0x205n, [1n, 2n, 0xbbn, BASE + 0x305n, 0n], 3)).toEqual(['0x205* context', '0x305 scan']);
});

it('a file counts for the build alone whose id it bears', () => {
  const stack = [DECOY, BASE + 0x205n, 0n];
  const rules = 'STACK CFI INIT 100 10 .cfa: $rsp 16 + .ra: .cfa 8 - ^\n';
  const of = (head: string): string => placesOf(threadOf({ ip: 0x105n, stack, symbols: head + rules }))[1]!;
  expect(of(LINUX)).toBe('0x205 cfi');
  expect(of(LINUX.replace(ID, `${ID.slice(0, 38)}00`))).toBe('0x999 scan');
});
