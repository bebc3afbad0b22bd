/** What tests of the instruction finder share: the program that runs it, what objdump sees, and where code lies in a file. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const KINDS = ['cpuid', 'rdrand', 'rdseed', 'rdpid', 'xgetbv', 'rdpru', 'lsl'];
const SOURCES = [
  'supervisor/arch/x86_64/x86_64_find.c',
  'supervisor/arch/x86_64/x86_64_walk.c',
  'supervisor/arch/x86_64/x86_64_called.c',
  'supervisor/arch/x86_64/x86_64_length.c',
  'supervisor/crash/unwind/functions.c',
  'supervisor/crash/unwind/unwind_functions.c',
  'supervisor/crash/unwind/go_functions.c',
  'supervisor/crash/unwind/elf_file.c',
  'supervisor/crash/unwind/unwind_entry.c',
  'supervisor/crash/unwind/cfa.c',
  'common/sha256.c',
];

/** What was found in one file: each instruction by its offset, as "cpuid 2" with its length. */
export interface Found {
  path: string;
  unproven: number;
  bestMs: number;
  instructions: Map<number, string>;
}

/** Builds fixtures/instructions/instructions.c with the finder into `folder`. */
export function buildFinder(folder: string, name: string, flags: string[]): string {
  const harness = join(ROOT, 'harness');
  const program = join(folder, name);
  execFileSync('gcc', [
    ...[
      '-std=gnu11',
      '-w',
      ...flags,
      '-iquote',
      harness,
      '-iquote',
      join(harness, 'supervisor'),
      '-o',
      program,
    ],
    join(ROOT, 'fixtures/instructions/instructions.c'),
    ...SOURCES.map((source) => join(harness, source)),
  ]);
  return program;
}

export function parseFound(output: string): Found[] {
  const all: Found[] = [];
  for (const line of output.split('\n')) {
    const [path, unproven, ms] = line.split('\t');
    if (ms !== undefined)
      all.push({ path: path!, unproven: Number(unproven), bestMs: Number(ms), instructions: new Map() });
    const one = /^ (\d+) (\d+) (\d+)$/.exec(line);
    if (one) all.at(-1)!.instructions.set(Number(one[1]), `${KINDS[Number(one[2])]} ${one[3]}`);
  }
  return all;
}

export function findIn(program: string, files: string[], times = 1): Found[] {
  const done = spawnSync(program, ['find', String(times), ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0) throw new Error(`${program} ended with ${done.status}: ${done.stderr}`);
  return parseFound(done.stdout);
}

interface Segment {
  offset: number;
  address: number;
  size: number;
}

/** The loaded segments of a 64-bit x86 program or library; none when the file is something else. */
export function segmentsOf(path: string): Segment[] {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(64);
    if (readSync(file, head, 0, 64, 0) < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2)
      return [];
    if (head.readUInt16LE(18) !== 62) return [];
    const count = head.readUInt16LE(56);
    const table = Buffer.alloc(56 * count);
    readSync(file, table, 0, table.length, Number(head.readBigUInt64LE(32)));
    return Array.from({ length: count }, (_, i) => table.subarray(56 * i, 56 * i + 56))
      .filter((entry) => entry.readUInt32LE(0) === 1)
      .map((entry) => ({
        offset: Number(entry.readBigUInt64LE(8)),
        address: Number(entry.readBigUInt64LE(16)),
        size: Number(entry.readBigUInt64LE(32)),
      }));
  } finally {
    closeSync(file);
  }
}

export function offsetOf(segments: Segment[], address: number): number {
  const holds = segments.find((s) => address >= s.address && address < s.address + s.size);
  return holds ? address - holds.address + holds.offset : -1;
}

/** One line of objdump: an instruction's address, its bytes in hexadecimal and its text. */
export interface Line {
  address: number;
  bytes: string;
  text: string;
}

/** Has objdump decode a file's code, in pieces: a large program's text is hundreds of megabytes. Pieces without `only` are
 * passed over. */
export async function disassemble(path: string, only: RegExp, each: (line: Line) => void): Promise<void> {
  const child = spawn('objdump', ['-d', '-w', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let rest = '';
  for await (const chunk of child.stdout.setEncoding('latin1')) {
    const piece = rest + chunk;
    const end = piece.lastIndexOf('\n') + 1;
    rest = piece.slice(end);
    const whole = piece.slice(0, end);
    if (!only.test(whole)) continue;
    for (const line of whole.split('\n')) {
      const [address, bytes, text] = line.split('\t');
      if (text !== undefined)
        each({ address: Number.parseInt(address!, 16), bytes: bytes!.replaceAll(' ', ''), text });
    }
  }
}

/** Tells, line by line, what objdump reads out of data: what stands shortly behind bytes that it cannot decode itself. */
export function dataDetector(): (line: Line) => boolean {
  const near = 256;
  let bad = Number.NEGATIVE_INFINITY;
  return ({ address, text }) => {
    if (text.includes('(bad)')) bad = address;
    return address - bad < near;
  };
}

/** What objdump sees, as Found has it; `inData` are those that it reads out of data. */
export async function seenByObjdump(
  path: string,
): Promise<{ seen: Map<number, string>; inData: Map<number, string> }> {
  const segments = segmentsOf(path);
  const isData = dataDetector();
  const wanted = new RegExp(`^(?:\\S+ )*(${KINDS.join('|')})(?: |$)`);
  const seen = new Map<number, string>();
  const inData = new Map<number, string>();
  await disassemble(path, new RegExp(`${KINDS.join('|')}|\\(bad\\)`), (line) => {
    const into = isData(line) ? inData : seen;
    const kind = wanted.exec(line.text);
    if (kind) into.set(offsetOf(segments, line.address), `${kind[1]} ${line.bytes.length / 2}`);
  });
  return { seen, inData };
}
