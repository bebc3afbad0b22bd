/** What the notes of a core hold (Linux, elfcore.h): each thread's registers and signal, the mapped files, the auxiliary vector. */
import { Numbers } from '../../objects/elf/header.ts';
import { TRACE_LIMITS } from '../model/trace.ts';
import type { Processor, Registers } from '../unwind/processor.ts';
import type { CoreFile } from './memory.ts';

const PRSTATUS = 1;
const AUXV = 6;
const SIGINFO = 0x53494749;
const FILE = 0x46494c45;
const MOST_NOTES = 4_194_304;
const MOST_NOTE_BYTES = 16 << 20;
const MOST_FILES = 262_144;

export interface CoreThread {
  id: number;
  /** The signal it was to be given; 0: none. */
  signal: number;
  registers: Registers;
}

/** A part of a file, as it was mapped. */
export interface MappedFile {
  from: bigint;
  to: bigint;
  /** In bytes of the file. */
  offset: bigint;
  path: string;
}

export interface CoreNotes {
  threads: CoreThread[];
  /** Of the signal that ended the process, where the core says: its number, si_code and the address of a fault. */
  info: { signal: number; code: number; address: bigint } | undefined;
  files: MappedFile[];
  auxiliary: Map<number, bigint>;
}

function threadOf(bytes: Buffer, cpu: Processor): CoreThread | undefined {
  const last = Math.max(...cpu.registers) + cpu.word;
  if (bytes.length < last) return undefined;
  const n = new Numbers(bytes, cpu.little);
  return {
    id: n.u32(cpu.thread),
    signal: n.u16(12),
    registers: cpu.registers.map((at) => n.word(at, cpu.word === 8)),
  };
}

function infoOf(bytes: Buffer, { word, little }: CoreFile['layout']): CoreNotes['info'] {
  const addressAt = word === 8 ? 16 : 12;
  if (bytes.length < addressAt + word) return undefined;
  const n = new Numbers(bytes, little);
  return { signal: n.u32(0), code: n.u32(8) | 0, address: n.word(addressAt, word === 8) };
}

function filesOf(bytes: Buffer, core: CoreFile): MappedFile[] {
  const { word, little } = core.layout;
  const n = new Numbers(bytes, little);
  const at = (index: number): bigint => n.word(index * word, word === 8);
  const count = Number(at(0));
  if (count > MOST_FILES || (2 + 3 * count) * word > bytes.length)
    throw core.file.wrong(`its list of mapped files names ${count} in ${bytes.length} bytes`);
  const page = at(1);
  const files: MappedFile[] = [];
  let name = (2 + 3 * count) * word;
  for (let i = 0; i < count; i++) {
    const end = bytes.indexOf(0, name);
    if (end < 0) throw core.file.wrong('its list of mapped files has fewer names than files');
    const [from, to, offset] = [at(2 + 3 * i), at(3 + 3 * i), at(4 + 3 * i) * page];
    files.push({ from, to, offset, path: bytes.toString('utf8', name, end) });
    name = end + 1;
  }
  return files.sort((a, b) => (a.from < b.from ? -1 : 1));
}

function auxiliaryOf(bytes: Buffer, { word, little }: CoreFile['layout']): Map<number, bigint> {
  const n = new Numbers(bytes, little);
  const found = new Map<number, bigint>();
  for (let at = 0; at + 2 * word <= bytes.length; at += 2 * word) {
    const type = n.word(at, word === 8);
    if (type === 0n) break;
    found.set(Number(type), n.word(at + word, word === 8));
  }
  return found;
}

/** Every note: its owner's type and where its content lies in the file. Sizes that do not fit end the list. */
function* notesOf(core: CoreFile): Generator<{ type: number; bytes: Buffer }> {
  const padded = (length: number): number => Math.ceil(length / 4) * 4;
  let left = MOST_NOTES;
  for (const { offset, size } of core.notes) {
    const end = Math.min(offset + size, core.file.size);
    for (let at = offset; at + 12 <= end && left > 0; left--) {
      const head = new Numbers(core.bytes(at, 12, 'a note'), core.layout.little);
      const [name, length, type] = [head.u32(0), head.u32(4), head.u32(8)];
      const content = at + 12 + padded(name);
      if (content + length > end || length > MOST_NOTE_BYTES || name > 64) break;
      const owner = core.bytes(at + 12, name, 'the owner of a note').toString('latin1');
      if (owner === 'CORE\0') yield { type, bytes: core.bytes(content, length, 'a note') };
      at = content + padded(length);
    }
  }
}

/** Throws a Fault where a note is malformed. */
export function readNotes(core: CoreFile, cpu: Processor): CoreNotes {
  const found: CoreNotes = { threads: [], info: undefined, files: [], auxiliary: new Map() };
  for (const { type, bytes } of notesOf(core)) {
    if (type === PRSTATUS) {
      const thread = threadOf(bytes, cpu);
      if (thread) found.threads.push(thread);
      if (found.threads.length > TRACE_LIMITS.threads)
        throw core.file.wrong(`it has more than ${TRACE_LIMITS.threads} threads`);
    } else if (type === SIGINFO) found.info ??= infoOf(bytes, core.layout);
    else if (type === FILE && bytes.length >= 2 * core.layout.word) found.files.push(...filesOf(bytes, core));
    else if (type === AUXV) found.auxiliary = auxiliaryOf(bytes, core.layout);
  }
  return found;
}
