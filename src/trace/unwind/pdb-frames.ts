/** The frames that a PDB of x86 describes (LLVM, "The PDB DBI Stream", optional streams): with programs, and in the older form by sizes alone. */
import type { FileBytes } from '../../objects/common/bytes.ts';
import {
  type Container,
  DEBUG_INFORMATION,
  INFORMATION,
  partOf,
  readContainer,
  sizeOfStream,
} from '../../objects/formats/pdb.ts';
import { rangeAt, sorted } from './ranges.ts';
import type { Callee, CallerOf, UnwindTable } from './table.ts';
import { callerByFrame, type WindowsFrame } from './windows-frames.ts';

const HEADER_BYTES = 64;
const FRAME_BYTES = 32;
const FPO_BYTES = 16;
/** Places in the list of optional streams. */
const FPO = 0;
const FRAMES = 9;
const NONE = 0xffff;
const NAMES_MAGIC = 0xeffeeffe;
const MOST_STREAM_BYTES = 64 << 20;
/** The name of one stream; the stream of names is listed under its own name. */
const NAMES = '/names';

function wholeStream(file: FileBytes, c: Container, stream: number, what: string): Buffer | undefined {
  const size = sizeOfStream(c, stream);
  if (size > MOST_STREAM_BYTES)
    throw file.wrong(`${what} of ${size} bytes, at most ${MOST_STREAM_BYTES} are read`);
  return size === 0 ? undefined : partOf(file, c, stream, 0, size);
}

/** The number of a named stream, by the hash table in the information stream. */
function namedStream(file: FileBytes, c: Container, wanted: string): number | undefined {
  const bytes = wholeStream(file, c, INFORMATION, 'an information stream');
  if (!bytes || bytes.length < 32) return undefined;
  const texts = 32;
  const table = texts + bytes.readUInt32LE(28);
  if (table + 12 > bytes.length) return undefined;
  const words = (at: number): number => (at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0);
  const present = table + 12 + 4 * words(table + 8);
  const pairs = present + 4 + 4 * words(present);
  for (let n = 0, at = pairs; n < words(table) && at + 8 <= bytes.length; n++, at += 8) {
    const from = texts + bytes.readUInt32LE(at);
    const end = bytes.indexOf(0, from);
    if (end >= 0 && bytes.toString('latin1', from, Math.min(end, from + 64)) === wanted)
      return bytes.readUInt32LE(at + 4);
  }
  return undefined;
}

/** Texts of programs, by their place. */
function programsOf(file: FileBytes, c: Container): (at: number) => string | null {
  const stream = namedStream(file, c, NAMES);
  const bytes = stream === undefined ? undefined : wholeStream(file, c, stream, 'a stream of names');
  if (!bytes || bytes.length < 12 || bytes.readUInt32LE(0) !== NAMES_MAGIC) return () => null;
  const texts = bytes.subarray(12, 12 + bytes.readUInt32LE(8));
  return (at) => {
    const end = at < texts.length ? texts.indexOf(0, at) : -1;
    return end < 0 || end - at > 4096 ? null : texts.toString('latin1', at, end);
  };
}

/** The optional streams' numbers stand behind all other parts of the debug information. */
function optionalStream(file: FileBytes, c: Container, place: number): number | undefined {
  const head = partOf(file, c, DEBUG_INFORMATION, 0, HEADER_BYTES);
  if (!head) return undefined;
  const sizes = [24, 28, 32, 36, 40, 52].map((at) => head.readUInt32LE(at));
  const from = HEADER_BYTES + sizes.reduce((sum, size) => sum + size, 0);
  if (head.readUInt32LE(48) < 2 * (place + 1)) return undefined;
  const number = partOf(file, c, DEBUG_INFORMATION, from + 2 * place, 2)?.readUInt16LE(0);
  return number === NONE ? undefined : number;
}

function framesWithPrograms(file: FileBytes, c: Container): WindowsFrame[] {
  const stream = optionalStream(file, c, FRAMES);
  const bytes = stream === undefined ? undefined : wholeStream(file, c, stream, 'a stream of frames');
  if (!bytes) return [];
  const programAt = programsOf(file, c);
  // A relocation may stand before the first.
  const from = bytes.length % FRAME_BYTES === 4 ? 4 : 0;
  return Array.from({ length: Math.floor((bytes.length - from) / FRAME_BYTES) }, (_, i) => {
    const at = from + FRAME_BYTES * i;
    return {
      start: bytes.readUInt32LE(at),
      size: bytes.readUInt32LE(at + 4),
      localBytes: bytes.readUInt32LE(at + 8),
      parameterBytes: bytes.readUInt32LE(at + 12),
      program: programAt(bytes.readUInt32LE(at + 20)),
      savedBytes: bytes.readUInt16LE(at + 26),
      usesBasePointer: false,
    };
  });
}

function framesBySizes(file: FileBytes, c: Container): WindowsFrame[] {
  const stream = optionalStream(file, c, FPO);
  const bytes = stream === undefined ? undefined : wholeStream(file, c, stream, 'a stream of frames');
  return Array.from({ length: Math.floor((bytes?.length ?? 0) / FPO_BYTES) }, (_, i) => {
    const at = FPO_BYTES * i;
    const flags = bytes!.readUInt16LE(at + 14);
    return {
      start: bytes!.readUInt32LE(at),
      size: bytes!.readUInt32LE(at + 4),
      localBytes: 4 * bytes!.readUInt32LE(at + 8),
      parameterBytes: 4 * bytes!.readUInt16LE(at + 12),
      program: null,
      savedBytes: 4 * ((flags >> 8) & 7),
      usesBasePointer: (flags & 0x1000) !== 0,
    };
  });
}

export class PdbTable implements UnwindTable {
  private readonly programs: WindowsFrame[];
  private readonly plain: WindowsFrame[];

  /** Throws a Fault where the file contradicts its headers. */
  constructor(file: FileBytes) {
    const c = readContainer(file);
    // A frame without a program is described by its sizes alone.
    this.programs = sorted(framesWithPrograms(file, c).filter(({ program }) => program !== null));
    this.plain = sorted(framesBySizes(file, c));
  }

  callerOf(callee: Callee): CallerOf {
    const frame = rangeAt(this.programs, callee.offset) ?? rangeAt(this.plain, callee.offset);
    return frame && callerByFrame(frame, callee);
  }
}
