/** Instructions to rewrite are found where they are proven to begin, and nowhere else: small programs, and mangled ones. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { buildFinder, findIn, offsetOf, parseFound, segmentsOf } from '../support/instructions.ts';
import { tempFolder } from '../support/world.ts';

const able = process.arch === 'x64' && spawnSync('gcc', ['--version']).status === 0;
if (!able) console.log('finding instructions: NOT tested here, which needs x86-64 and gcc');

/** An assembler program whose labels that begin with "yes" stand where something is to be found. */
interface Case {
  code: string;
  flags?: string[];
  unproven?: number;
}

/** Every form, and the same bytes inside of other instructions. */
const FORMS = `
  yes_cpuid: cpuid
  mov $0x0000a20f, %eax
  movabs $0xa20fa20fa20fa20f, %rcx
  yes_prefixed: .byte 0xf3, 0x0f, 0xa2
  yes_rdrand: rdrand %eax
  yes_rdrand_rex: rdrand %r9
  yes_rdrand_word: rdrand %ax
  yes_rdseed: rdseed %rcx
  yes_rdpid: rdpid %rax
  cmpxchg8b (%rsi)
  yes_xgetbv: xgetbv
  jne 1f + 0xa20f
  yes_rdpru: .byte 0x0f, 0x01, 0xfd
  .byte 0xf3, 0x0f, 0x01, 0xfd
  yes_lsl: lsl %ecx, %eax
  yes_lsl_memory: lsl 16(%rsp, %rax, 4), %rdx
  lea 0x030f(%rip), %rax
1: ret
`;
/** With a table of unwinding, which says where the function ends too. */
const unwound = (name: string, code: string) => `${name}: .cfi_startproc\n${code}\n.cfi_endproc\n`;

/** A table of Go's functions, of two in .text and their end, in one of its formats. */
function goTable(magic: string, count: number, entry: (label: string) => string, code = FORMS): string {
  const header = `.long ${magic}; .byte 0, 0, 1, 8; .quad 2`;
  const words = Array.from({ length: count }, (_, i) => {
    if (i === count - 1) return '.quad functions - table';
    return `.quad ${i === 1 && count === 7 ? 'text' : '0'}`;
  });
  const entries = ['text', 'second', 'end'].map(entry).join('\n');
  return `text: ret\n.balign 16, 0xcc\nsecond: ${code}\nend:\n.section .gopclntab, "a"
    table: ${header}\n${words.join('\n')}\n.balign 8\nfunctions: ${entries}\n.space 64`;
}
const wide = (label: string) => `.quad ${label}, 0`;
const narrow = (label: string) => `.long ${label} - text, 0`;

const CASES: Record<string, Case> = {
  'a sorted unwind table': { code: unwound('one', FORMS) + unwound('two', 'cpuid_after: ret') },
  'the same far from where their function begins': {
    code: unwound(
      'one',
      `.rept 40\nmovabs $0xa20fa20fa20fa20f, %rcx\naddl $0x030f, 64(%rsp)\n.endr\n${FORMS}`,
    ),
  },
  'an unwind table that is not sorted': {
    code: unwound('one', 'ret') + unwound('two', FORMS),
    flags: ['-Wl,--no-eh-frame-hdr'],
  },
  symbols: { code: `.type one, @function\none: ${FORMS}\n.size one, . - one` },
  'symbols without sizes': { code: `.type one, @function\none: ${FORMS}\n.type two, @function\ntwo: ret` },
  "Go's table of 1.2": { code: goTable('0xfffffffb', 0, wide) },
  "Go's table of 1.16": { code: goTable('0xfffffffa', 6, wide) },
  "Go's table of 1.18": { code: goTable('0xfffffff0', 7, narrow) },
  "Go's table of 1.20": { code: goTable('0xfffffff1', 7, narrow) },
  "Go's table that leaves out where .text begins": {
    code: goTable('0xfffffff1', 7, narrow).replace('.quad text', '.quad 0'),
  },
  'the same where C may stand before': {
    code: `${goTable('0xfffffff1', 7, narrow, 'cpuid\nret').replace('.quad text', '.quad 0')}\n.text\n${unwound('c', 'ret')}`,
    unproven: 1,
  },
  "Go's table in a section of other data": {
    code:
      goTable('0xfffffff1', 7, narrow).replace('.gopclntab, "a"', '.data, "aw"\n.balign 32') +
      '\n.section .go.buildinfo, "aw"\n.byte 1',
  },
  'a function that is called, without a table': { code: `${unwound('one', 'call two\nret')}two: ${FORMS}` },
  'the part after a branch of a function that is called': {
    code: `${unwound('one', 'call two\nret')}two: jz 1f\nret\n1: yes: cpuid\nret`,
  },
  'bytes that nothing leads to': { code: `${unwound('one', 'ret')}two: cpuid\nret`, unproven: 1 },
  'data behind a function that is called': {
    code: `${unwound('one', 'call two\nret')}two: yes: cpuid\nret\n.byte 0x0f, 0xa2`,
    unproven: 1,
  },
  'data behind a function with a table': {
    code: `${unwound('one', 'yes: cpuid\nret')}.byte 0x0f, 0xa2`,
    unproven: 1,
  },
  'data behind a symbol with a size': {
    code: '.type one, @function\none: yes: cpuid\nret\n.size one, . - one\n.byte 0x0f, 0xa2',
    unproven: 1,
  },
  'a call that is itself not proven': {
    code: `${unwound('one', 'ret')}three: call two\nret\ntwo: cpuid\nret`,
    unproven: 1,
  },
  'what is behind bytes that no program executes': {
    code: unwound('one', 'jmp 1f\n.byte 0x06\n1: cpuid\nret') + unwound('two', 'in (%dx), %al\ncpuid\nret'),
    unproven: 2,
  },
  'what is before such bytes in one function': {
    code: unwound('one', 'cpuid\njmp 1f\n.byte 0x06\n1: ret'),
    unproven: 1,
  },
  'an instruction that its function cuts': {
    code: unwound('one', 'cpuid\n.byte 0x48, 0xb8'),
    unproven: 1,
  },
  'a branch whose length depends on the processor': {
    code: unwound('one', '.byte 0x66, 0xe9, 0, 0, 0x0f, 0xa2\nret'),
    unproven: 1,
  },
  'data in the segment of code': {
    code: `${unwound('one', 'yes: cpuid\nret')}.section .rodata\n.byte 0x0f, 0xa2`,
    flags: ['-Wl,-z,noseparate-code'],
  },
};

let folder: string;
let finder: string;
const programs = new Map<string, string>();

function assemble(name: string, { code, flags = [] }: Case): string {
  const path = join(folder, `case-${programs.size}`);
  programs.set(name, path);
  writeFileSync(`${path}.s`, `.text\n.globl _start\n_start:\n${code}\n`);
  execFileSync('gcc', ['-nostdlib', '-static', '-Wl,--eh-frame-hdr', ...flags, '-o', path, `${path}.s`]);
  return path;
}

/** Where the labels that begin with "yes" lie in the file. */
function wanted(path: string): number[] {
  const segments = segmentsOf(path);
  const symbols = execFileSync('nm', [path], { encoding: 'utf8' });
  return [...symbols.matchAll(/^([0-9a-f]+) \w yes/gm)]
    .map((match) => offsetOf(segments, Number.parseInt(match[1]!, 16)))
    .sort((a, b) => a - b);
}

describe.skipIf(!able)('finding instructions', () => {
  beforeAll(() => {
    folder = tempFolder();
    finder = buildFinder(folder, 'finder', [
      ...['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    ]);
  });

  it.each(Object.entries(CASES))('%s', (name, one) => {
    const path = assemble(name, one);
    const [found] = findIn(finder, [path]);
    expect([...found!.instructions.keys()]).toEqual(wanted(path));
    expect(found!.unproven).toBe(one.unproven ?? 0);
  });

  it('each is told by its kind and whole length', () => {
    const [found] = findIn(finder, [assemble('forms', { code: unwound('one', FORMS) })]);
    expect([...found!.instructions.values()]).toEqual([
      ...[
        'cpuid 2',
        'cpuid 3',
        'rdrand 3',
        'rdrand 4',
        'rdrand 4',
        'rdseed 4',
        'rdpid 4',
        'xgetbv 3',
        'rdpru 3',
      ],
      ...['lsl 3', 'lsl 6'],
    ]);
  });

  it('code made at run time is taken to begin with an instruction', () => {
    const bytes = [0xb8, 0x0f, 0xa2, 0x0f, 0xa2, 0x0f, 0xa2, 0x90, 0x66, 0x0f, 0xc7, 0xf0, 0x06, 0x0f, 0xa2];
    const done = spawnSync(finder, ['memory'], { input: Buffer.from(bytes), encoding: 'utf8' });
    const [found] = parseFound(done.stdout);
    expect([...found!.instructions]).toEqual([
      [5, 'cpuid 2'],
      [8, 'rdrand 4'],
    ]);
    expect(found!.unproven).toBe(1);
  });

  it('what is no program of this processor, or is cut short, is refused', () => {
    const cut = join(folder, 'cut');
    const whole = execFileSync('cat', [finder]);
    writeFileSync(cut, whole.subarray(0, 4096));
    writeFileSync(join(folder, 'text'), '#!/bin/sh\n');
    for (const { unproven } of findIn(finder, [cut, join(folder, 'text'), folder, '/dev/zero']))
      expect(unproven).toBeNaN();
  });

  it('a file full of such bytes is given up on, in the time of some honest files of its size', () => {
    const size = 64 << 20;
    const file = Buffer.alloc(size);
    execFileSync('cat', [programs.values().next().value!]).copy(file, 0, 0, 64);
    file.writeUInt16LE(1, 56);
    // One segment that is all of the file, readable and executable.
    const segment = [1n | (5n << 32n), 0n, 0n, 0n, BigInt(size), BigInt(size), 4096n];
    for (const [i, word] of segment.entries()) file.writeBigUInt64LE(word, 64 + 8 * i);
    const time = (name: string, bytes: number[]) => {
      const path = join(folder, name);
      writeFileSync(path, file.fill(Buffer.from(bytes), 4096));
      return findIn(finder, [path], 3)[0]!;
    };
    const honest = time('honest', [0x90]);
    for (const bytes of [
      [0x0f, 0xa2],
      [0x0f, 0x03, 0x05],
      [0xe8, 0, 0, 0xf0, 0xff, 0x0f, 0xa2],
    ]) {
      const hostile = time('full', bytes);
      expect(hostile.unproven).toBeGreaterThan(1_000_000);
      expect(hostile.bestMs).toBeLessThan(20 * honest.bestMs);
    }
  });

  it('mangled headers, unwind tables, symbols and tables of Go are read within their bounds, and in time', () => {
    const rounds = 2000;
    for (const path of [...programs.values(), '/lib64/ld-linux-x86-64.so.2', '/bin/true']) {
      const done = spawnSync(finder, ['fuzz', String(rounds), path], { encoding: 'utf8' });
      expect(done.stderr).toBe('');
      expect(done.status).toBe(0);
      // Mangled beyond all reading would test nothing.
      const [, read] = done.stdout.split('\t');
      expect(Number(read)).toBeGreaterThan(rounds / 4);
    }
  });
});
