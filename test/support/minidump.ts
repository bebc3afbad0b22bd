/** Minidumps made by hand from their formats' documents. */
import { ID } from './traces.ts';

export const GUID_BYTES = '0403020106050807090a0b0c0d0e0f10';

/** Registers of a thread, where each processor's context has them. */
interface Registers {
  ip: bigint;
  sp: bigint;
  fp: bigint;
  link?: bigint;
}

const CONTEXTS = {
  x86: { number: 0, bytes: 716, word: 4, ip: 184, sp: 196, fp: 180, link: -1 },
  x86_64: { number: 9, bytes: 1232, word: 8, ip: 248, sp: 152, fp: 160, link: -1 },
  arm64: { number: 12, bytes: 912, word: 8, ip: 264, sp: 256, fp: 240, link: 248 },
} as const;
type Arch = keyof typeof CONTEXTS;

export interface DumpParts {
  arch: Arch;
  /** 2 is Windows NT, 0x8101 macOS, 0x8201 Linux. */
  platform: number;
  modules: { base: bigint; size: number; name: string; codeView?: Buffer }[];
  threads: { id: number; registers: Registers; stackFrom: bigint; stack: (bigint | number)[] }[];
  exception?: { thread: number; code: number; registers?: Registers };
  /** The stacks lie in the list of all memory, and the threads do not say where. */
  full?: boolean | 'described';
}

export function codeView(kind: 'RSDS' | 'BpEL', id: string, age = 0): Buffer {
  const bytes = Buffer.from(id, 'hex');
  const head = Buffer.alloc(4);
  head.writeUInt32LE(kind === 'RSDS' ? 0x53445352 : 0x4270454c);
  const end = Buffer.alloc(5);
  end.writeUInt32LE(age);
  return Buffer.concat(kind === 'RSDS' ? [head, bytes, end] : [head, bytes]);
}

function words(arch: Arch, values: (bigint | number)[]): Buffer {
  const { word } = CONTEXTS[arch];
  const bytes = Buffer.alloc(word * values.length);
  values.forEach((value, i) => {
    if (word === 8) bytes.writeBigUInt64LE(BigInt(value), 8 * i);
    else bytes.writeUInt32LE(Number(value), 4 * i);
  });
  return bytes;
}

export function context(arch: Arch, registers: Registers): Buffer {
  const at = CONTEXTS[arch];
  const bytes = Buffer.alloc(at.bytes);
  for (const name of ['ip', 'sp', 'fp', 'link'] as const)
    if (at[name] >= 0) words(arch, [registers[name] ?? 0n]).copy(bytes, at[name]);
  return bytes;
}

const u32 = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer);
const u64 = (...values: bigint[]): Buffer => Buffer.from(new BigUint64Array(values).buffer);

/** The whole file; streams of no interest stand among those that are read. */
export function minidump(parts: DumpParts): Buffer {
  const pieces: Buffer[] = [];
  let end = 32 + 12 * 7;
  /** Size and place of what was put at the end. */
  const put = (bytes: Buffer): Buffer => {
    pieces.push(bytes);
    end += bytes.length;
    return u32(bytes.length, end - bytes.length);
  };
  const { arch, full = false } = parts;
  const stacks = parts.threads.map(({ stack }) => words(arch, stack));
  const modules = parts.modules.map(({ base, size, name, codeView: record }) => {
    const text = Buffer.from(name, 'utf16le');
    const named = put(Buffer.concat([u32(text.length), text])).subarray(4);
    const found = record ? put(record) : u32(0, 0);
    const rest = Buffer.alloc(52);
    return Buffer.concat([u64(base), u32(size, 0, 0xab), named, rest, found, Buffer.alloc(24)]);
  });
  const threads = parts.threads.map(({ id, registers, stackFrom }, i) => {
    const place = full ? Buffer.alloc(0) : put(stacks[i]!);
    const own = put(context(arch, registers));
    // dbghelp says where the stack is in memory, and no place in the file; others say nothing.
    const size = u32(full === 'described' ? stacks[i]!.length : 0, 0);
    const from = full === true ? 0n : stackFrom;
    return Buffer.concat([u32(id, 0, 0, 0), u64(0n), u64(from), full ? size : place, own]);
  });
  const system = Buffer.alloc(56);
  system.writeUInt16LE(CONTEXTS[arch].number, 0);
  system.writeUInt32LE(parts.platform, 20);
  const streams: [number, Buffer][] = [
    [0xffff, put(Buffer.from('x'))],
    [7, put(system)],
    [4, put(Buffer.concat([u32(modules.length), ...modules]))],
    // Four bytes behind the count, as some writers leave them.
    [3, put(Buffer.concat([u32(threads.length, 0), ...threads]))],
  ];
  if (parts.exception) {
    const { thread, code, registers } = parts.exception;
    const at = registers ? put(context(arch, registers)) : u32(0, 0);
    streams.push([6, put(Buffer.concat([u32(thread, 0, code), Buffer.alloc(148), at]))]);
  }
  if (full) {
    const places = parts.threads.flatMap(({ stackFrom }, i) => [stackFrom, BigInt(stacks[i]!.length)]);
    const [, table] = [null, put(Buffer.alloc(16 + 8 * places.length))];
    const body = u64(BigInt(parts.threads.length), BigInt(end), ...places);
    body.copy(pieces.at(-1)!);
    put(Buffer.concat(stacks));
    streams.push([9, table]);
  }
  const head = Buffer.alloc(32);
  head.write('MDMP', 'latin1');
  head.writeUInt32LE(0xa793, 4);
  head.writeUInt32LE(streams.length, 8);
  head.writeUInt32LE(32, 12);
  const directory = Buffer.alloc(12 * 7);
  streams.forEach(([type, place], i) => {
    directory.writeUInt32LE(type, 12 * i);
    place.copy(directory, 12 * i + 4);
  });
  return Buffer.concat([head, directory, ...pieces]);
}

export const STACK = 0x7ffc_0000_1000n;

/** A stack of x86-64: two frames by frame pointer, one that only a search finds, from which the chain goes on. */
export const LINUX: DumpParts = {
  arch: 'x86_64',
  platform: 0x8201,
  modules: [
    { base: 0x5000_0000_0000n, size: 0x2000, name: '/bin/crash', codeView: codeView('BpEL', ID) },
    { base: 0x7f00_0000_0000n, size: 0x1000, name: 'libc.so.6', codeView: codeView('BpEL', '00'.repeat(20)) },
    { base: 0x7f10_0000_0000n, size: 0x1000, name: 'old.so', codeView: codeView('RSDS', GUID_BYTES) },
  ],
  threads: [
    {
      id: 7,
      registers: { ip: 0x5000_0000_0100n, sp: STACK, fp: STACK + 16n },
      stackFrom: STACK,
      stack: [
        1n,
        2n,
        ...[STACK + 48n, 0x5000_0000_0200n], // +16: saved frame pointer, return address
        ...[3n, 4n],
        ...[STACK + 8n, 0x5000_0000_0300n], // +48: a frame pointer that goes back down
        ...[5n, 6n],
        ...[STACK + 112n, 0x7f00_0000_0400n], // +80: found by a search, with the frame pointer below it
        ...[7n, 8n],
        ...[0n, 0x5000_0000_0500n], // +112: the outermost
        ...[9n, 0x5000_0000_0600n],
      ],
    },
    {
      id: 8,
      registers: { ip: 0x10n, sp: 0x1n, fp: 0x2n },
      stackFrom: STACK + 0x1000n,
      stack: [0x5000_0000_0600n],
    },
  ],
  exception: {
    thread: 7,
    code: 11,
    registers: { ip: 0x5000_0000_1ec7n, sp: STACK, fp: STACK + 16n },
  },
};
