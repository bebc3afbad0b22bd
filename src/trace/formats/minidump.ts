/** A minidump (Microsoft, minidumpapiset.h; Breakpad, minidump_format.h): modules by their ids, a walk of each thread's stack. */

import { hex } from '../../base/hex.ts';
import { elfIds, guidText, pdbId } from '../../objects/common/identity.ts';
import {
  frameAt,
  imageFinder,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  traceImage,
  wrongTrace,
} from '../model/trace.ts';
import type { UnwindTables } from '../unwind-files/files.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { type Memory, PROCESSORS, type Processor, StackWalker } from './minidump-stack.ts';
import { surroundingsOf } from './walked.ts';

const THREADS = 3;
const MODULES = 4;
const MEMORY = 5;
const EXCEPTION = 6;
const SYSTEM = 7;
const MEMORY64 = 9;
const MOST_STREAMS = 4096;
const MOST_RANGES = 262_144;
/** In all modules together: one name's bytes can lie inside of another's. */
const MOST_NAME_BYTES = 16 << 20;
const MOST_ID_BYTES = 64;
const PDB70 = 0x53445352;
const ELF = 0x4270454c;

type Family = 'windows' | 'apple' | 'other';
const FAMILIES: Readonly<Record<number, Family>> = { 2: 'windows', 33025: 'apple', 33026: 'apple' };

/** The name of an exception's code: on Windows a status, on Apple's systems a Mach exception, elsewhere a signal. */
const CODES: Readonly<Record<Family, Readonly<Record<number, string>>>> = {
  windows: {
    2147483651: 'EXCEPTION_BREAKPOINT',
    3221225477: 'EXCEPTION_ACCESS_VIOLATION',
    3221225478: 'EXCEPTION_IN_PAGE_ERROR',
    3221225501: 'EXCEPTION_ILLEGAL_INSTRUCTION',
    3221225620: 'EXCEPTION_INT_DIVIDE_BY_ZERO',
    3221225725: 'EXCEPTION_STACK_OVERFLOW',
    3221226356: 'STATUS_HEAP_CORRUPTION',
    3221226505: 'STATUS_STACK_BUFFER_OVERRUN',
  },
  apple: {
    1: 'EXC_BAD_ACCESS',
    2: 'EXC_BAD_INSTRUCTION',
    3: 'EXC_ARITHMETIC',
    5: 'EXC_SOFTWARE',
    6: 'EXC_BREAKPOINT',
    10: 'EXC_CRASH',
    11: 'EXC_RESOURCE',
    12: 'EXC_GUARD',
  },
  other: { 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 11: 'SIGSEGV', 31: 'SIGSYS' },
};

interface Range {
  from: bigint;
  size: bigint;
  at: bigint;
}

class Dump {
  readonly name: string;
  private readonly bytes: Buffer;
  private readonly streams = new Map<number, Buffer>();

  constructor(bytes: Buffer, name: string) {
    this.bytes = bytes;
    this.name = name;
    const head = this.piece(0, 32, 'the header');
    const count = head.readUInt32LE(8);
    if (head.readUInt16LE(4) !== 0xa793) throw wrongTrace(name, 'a minidump of another version');
    if (count > MOST_STREAMS) throw wrongTrace(name, `${count} streams, at most ${MOST_STREAMS} are read`);
    const table = this.piece(head.readUInt32LE(12), 12 * count, 'the directory of streams');
    for (let at = 0; at < table.length; at += 12) {
      const type = table.readUInt32LE(at);
      if ([THREADS, MODULES, MEMORY, EXCEPTION, SYSTEM, MEMORY64].includes(type))
        this.streams.set(type, this.located(table.subarray(at + 4), `stream ${type}`));
    }
  }

  /** `length` bytes from `offset`; a Fault that names `what` where the dump does not have them. */
  piece(offset: number | bigint, length: number | bigint, what: string): Buffer {
    const [at, count] = [Number(offset), Number(length)];
    if (at + count <= this.bytes.length) return this.bytes.subarray(at, at + count);
    const has = `and the file has ${this.bytes.length} bytes: it was cut off, or is damaged`;
    throw wrongTrace(this.name, `${what} would lie at ${at} to ${at + count}, ${has}`);
  }

  /** The bytes that a pair of size and place refers to. */
  located(pair: Buffer, what: string): Buffer {
    return this.piece(pair.readUInt32LE(4), pair.readUInt32LE(0), what);
  }

  /** A stream of one record; undefined where there is none. */
  record(type: number, length: number): Buffer | undefined {
    const stream = this.streams.get(type);
    if (stream && stream.length < length)
      throw wrongTrace(this.name, `stream ${type} has ${stream.length} bytes, not ${length}`);
    return stream;
  }

  /** The records of a stream that is a list. Some writers leave four bytes behind the count. */
  list(type: number, each: number, most: number, head: 4 | 16 = 4): Buffer[] {
    const stream = this.record(type, head);
    if (!stream) return [];
    const count = head === 4 ? stream.readUInt32LE(0) : Number(stream.readBigUInt64LE(0));
    if (count > most)
      throw wrongTrace(this.name, `${count} entries in stream ${type}, at most ${most} are read`);
    const begin = head === 4 && stream.length === 8 + each * count ? 8 : head;
    if (begin + each * count > stream.length)
      throw wrongTrace(this.name, `${count} entries in stream ${type}, which has ${stream.length} bytes`);
    return Array.from({ length: count }, (_, i) => stream.subarray(begin + each * i, begin + each * (i + 1)));
  }
}

function idsOf(record: Buffer, family: Family, code: string): Pick<TraceImage, 'id' | 'debug_id'> {
  const kind = record.length >= 4 ? record.readUInt32LE(0) : 0;
  if (
    kind === ELF &&
    record.length > 4 &&
    record.length <= 4 + MOST_ID_BYTES &&
    record.some((b, i) => i > 3 && b > 0)
  )
    return elfIds(record.toString('hex', 4));
  const guid = kind === PDB70 && record.length >= 24 ? guidText(record.subarray(4, 20)) : '0';
  if (/^0+$/.test(guid)) return { id: family === 'windows' ? code : null, debug_id: null };
  const pdb = pdbId(guid, record.readUInt32LE(20));
  if (family === 'windows') return pdb;
  // Except on Apple's systems, these are the first 16 bytes of a build-id, which cannot be compared.
  return { id: family === 'apple' ? `macho:${guid.toLowerCase()}` : null, debug_id: pdb.debug_id };
}

function imagesOf(dump: Dump, family: Family, arch: string): TraceImage[] {
  let left = MOST_NAME_BYTES;
  return dump.list(MODULES, 108, TRACE_LIMITS.images).map((module) => {
    const nameAt = module.readUInt32LE(20);
    const nameBytes = dump.piece(nameAt, 4, 'the name of a module').readUInt32LE(0);
    left -= nameBytes;
    if (left < 0) throw wrongTrace(dump.name, `names of modules of more than ${MOST_NAME_BYTES} bytes`);
    const [size, stamp] = [module.readUInt32LE(8), module.readUInt32LE(16)];
    const code = `pe:${stamp.toString(16).padStart(8, '0')}${size.toString(16)}`;
    return traceImage({
      ...idsOf(dump.located(module.subarray(76), 'the CodeView record of a module'), family, code),
      path: dump.piece(nameAt + 4, nameBytes, 'the name of a module').toString('utf16le'),
      arch,
      base: hex(module.readBigUInt64LE(0)),
      size,
    });
  });
}

/** Which memory lies where in the dump: the list with places, and the one whose contents follow each other. */
function memoryOf(dump: Dump): (address: bigint) => Memory | undefined {
  const ranges = dump.list(MEMORY, 16, MOST_RANGES).map((entry): Range => {
    const [size, at] = [BigInt(entry.readUInt32LE(8)), BigInt(entry.readUInt32LE(12))];
    return { from: entry.readBigUInt64LE(0), size, at };
  });
  let at = dump.record(MEMORY64, 16)?.readBigUInt64LE(8) ?? 0n;
  for (const entry of dump.list(MEMORY64, 16, MOST_RANGES, 16)) {
    const size = entry.readBigUInt64LE(8);
    ranges.push({ from: entry.readBigUInt64LE(0), size, at });
    at += size;
  }
  const find = imageFinder(
    ranges.map(({ from, size }) => traceImage({ base: hex(from), size: Number(size) })),
  );
  return (address) => {
    const found = find(address);
    if (found === null) return undefined;
    const { from, size, at } = ranges[found]!;
    return { from, bytes: dump.piece(at, size, `the memory at ${hex(from)}`) };
  };
}

/** Where a thread's record says where its stack lies: in a dump with all memory it names no place, and the list of memory holds the stack. */
function stackOf(dump: Dump, entry: Buffer, id: number): Memory | undefined {
  if (entry.readUInt32LE(36) === 0) return undefined;
  const bytes = dump.located(entry.subarray(32), `the stack of thread ${id}`);
  return { from: entry.readBigUInt64LE(24), bytes };
}

function threadsOf(
  dump: Dump,
  cpu: Processor,
  images: TraceImage[],
  options: { windows: boolean; unwind: UnwindTables },
): Thread[] {
  const find = imageFinder(images);
  const walker = new StackWalker(cpu, surroundingsOf(images, find, options));
  const memory = memoryOf(dump);
  const exception = dump.record(EXCEPTION, 168);
  const crashedId = exception?.readUInt32LE(0);
  let frames = 0;
  return dump.list(THREADS, 48, TRACE_LIMITS.threads).map((entry) => {
    const id = entry.readUInt32LE(0);
    const crashed = id === crashedId;
    const what = `the context of thread ${id}`;
    const own = dump.located(entry.subarray(40), what);
    // The thread's own context is from the exception's handler, which wrote the dump.
    const at = crashed ? dump.located(exception!.subarray(160), `${what} in the exception`) : own;
    const context = at.length >= cpu.contextBytes ? at : own;
    if (context.length < cpu.contextBytes) return { id, crashed, frames: [] };
    const stack = stackOf(dump, entry, id);
    const { places, ended } = walker.walk(context, (address) =>
      stack && address >= stack.from && address < stack.from + BigInt(stack.bytes.length)
        ? stack
        : memory(address),
    );
    frames += places.length;
    if (frames > TRACE_LIMITS.frames) throw wrongTrace(dump.name, `more than ${TRACE_LIMITS.frames} frames`);
    const placed = places.map(({ address, trust, activation }) =>
      frameAt(address, images, find, { activation, trust, claimed: null }),
    );
    return { id, crashed, frames: placed, ended };
  });
}

function signalOf(dump: Dump, family: Family): string | null {
  const code = dump.record(EXCEPTION, 168)?.readUInt32LE(8);
  return code === undefined ? null : (CODES[family][code] ?? hex(code));
}

export const minidump: TraceFormat = {
  name: 'minidump',
  title: 'a minidump',
  recognise: ({ bytes }) => bytes.toString('latin1', 0, 4) === 'MDMP',
  parse: fromMinidump,
};

/** Modules with the ids that were loaded; a dump holds no unwind tables, so without symbols only frame pointers and a search are left. */
function fromMinidump({ bytes, name, unwind }: TraceFile): Trace {
  const dump = new Dump(bytes, name);
  const system = dump.record(SYSTEM, 24);
  if (!system) throw wrongTrace(name, 'a minidump that does not say of which processor it is');
  const cpu = PROCESSORS[system.readUInt16LE(0)];
  if (!cpu)
    throw wrongTrace(
      name,
      `a minidump of processor ${system.readUInt16LE(0)}: those of x86, x86-64 and arm64 are read`,
    );
  const family = FAMILIES[system.readUInt32LE(20)] ?? 'other';
  const images = imagesOf(dump, family, cpu.arch);
  return {
    format: 'minidump',
    signal: signalOf(dump, family),
    images,
    threads: threadsOf(dump, cpu, images, { windows: family === 'windows', unwind }),
  };
}
