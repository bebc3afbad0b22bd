/** The programs and libraries of a core: where each lies, its program headers and its build-id, all as the core itself states them. */

import { Fault } from '../../base/fault.ts';
import { itemAt, lastItem, present } from '../../base/list.ts';
import { type ElfBytes, readHeader } from '../../objects/elf/header.ts';
import { buildIdOf, goIdOf, type Note, notesOf } from '../../objects/elf/notes.ts';
import { LOAD_SEGMENT, NOTE_SEGMENT, readSegments, type Segment } from '../../objects/elf/segments.ts';
import { TRACE_LIMITS } from '../model/trace.ts';
import { readLinkMap } from './link-map.ts';
import type { CoreFile } from './memory.ts';
import type { CoreNotes, MappedFile } from './notes.ts';

export interface CoreModule {
  path: string;
  /** Lowest and highest address. */
  base: bigint;
  end: bigint;
  /** What is added to a linker's address to get that in the process; null where no program header says it. */
  bias: bigint | null;
  segments: Segment[];
  /** Hexadecimal; null where the core does not hold it. */
  buildId: string | null;
  /** The id that Go's linker wrote, which covers all that went into the program. */
  goId: string | null;
  /** The parts of its file, as they were mapped. */
  parts: MappedFile[];
  /** The program, not a library. */
  isProgram: boolean;
  /** The module that this is a second mapping of: V8 maps its built-in functions again, near to the code it makes. */
  again: CoreModule | null;
}

const AT_PHDR = 3;
const AT_ENTRY = 9;
const AT_SYSINFO_EHDR = 33;
const PAGE = 4096n;
const MOST_NOTES_BYTES = 1 << 16;
const DELETED = / \(deleted\)$/;

/** The file's first page, as far as the core has it. */
function mapped(core: CoreFile, base: bigint): ElfBytes {
  return {
    piece: (offset, length, what) => {
      const bytes = core.read(base + BigInt(offset), Number(length));
      if (!bytes) throw core.file.wrong(`${what} at 0x${base.toString(16)} is not in it`);
      return bytes;
    },
    wrong: (what) => core.file.wrong(what),
  };
}

/** The lowest page that segments are mapped to, and the end of the last one. */
export function extentOf(segments: Segment[]): { lowest: bigint; end: bigint } {
  const loaded = segments.filter(({ type }) => type === LOAD_SEGMENT);
  const lowest = loaded.reduce(
    (low, { address }) => (address < low ? address : low),
    itemAt(loaded, 0).address,
  );
  const end = loaded.reduce((high, { address, memory }) => {
    const one = address + memory;
    return one > high ? one : high;
  }, 0n);
  return { lowest: lowest - (lowest % PAGE), end };
}

/** The program headers that lie at `base`; none where the core has no page of an ELF file there. */
function segmentsAt(core: CoreFile, base: bigint): Segment[] {
  if (core.read(base, 4)?.toString('latin1') !== '\x7fELF') return [];
  try {
    const file = mapped(core, base);
    const segments = readSegments(file, readHeader(file));
    return segments.some(({ type }) => type === LOAD_SEGMENT) ? segments : [];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** All notes of a module that the core has. */
function notesIn(core: CoreFile, segments: Segment[], bias: bigint): Note[] {
  return segments.flatMap(({ type, address, size, align }) => {
    if (type !== NOTE_SEGMENT || size > MOST_NOTES_BYTES) return [];
    const bytes = core.read(BigInt.asUintN(64, bias + address), Number(size));
    return bytes ? notesOf(bytes, core.layout.little, align === 8n ? 8 : 4) : [];
  });
}

/** Makes one module from what is known about its beginning. */
function moduleAt(core: CoreFile, base: bigint, path: string, parts: MappedFile[]): CoreModule {
  const segments = segmentsAt(core, base);
  const last = parts.reduce((high, { to }) => (to > high ? to : high), base);
  const known = { path, base, parts, segments, isProgram: false, again: null };
  if (segments.length === 0) return { ...known, end: last, bias: null, buildId: null, goId: null };
  const { lowest, end } = extentOf(segments);
  const bias = base - lowest;
  const notes = notesIn(core, segments, bias);
  return {
    ...{ ...known, end: bias + end > last ? bias + end : last, bias },
    buildId: buildIdOf(notes)?.toString('hex') ?? null,
    goId: goIdOf(notes),
  };
}

/** A part of a module that is mapped once more, elsewhere; undefined where it belongs to no module. */
function mappedAgain(parts: MappedFile[], modules: CoreModule[]): CoreModule | undefined {
  const first = itemAt(parts, 0);
  const of = modules.find(({ path, segments }) => path === first.path && segments.length > 0);
  const segment = of?.segments.find(
    ({ type, offset, size }) =>
      type === LOAD_SEGMENT && first.offset >= offset && first.offset < offset + size,
  );
  if (!of || !segment) return undefined;
  const bias = first.from - (segment.address + first.offset - segment.offset);
  return { ...of, base: first.from, end: lastItem(parts).to, bias, parts, again: of };
}

/** Parts of one file that belong together: a file can be mapped twice, and a linker can map its first page twice. */
function groupsOf(core: CoreFile, files: MappedFile[]): MappedFile[][] {
  const groups: MappedFile[][] = [];
  let end = 0n;
  for (const part of files) {
    const group = groups.at(-1);
    const before = group?.at(-1);
    const isNext = before && (part.offset > before.offset || part.from === before.to);
    const goesOn =
      before?.path === part.path && (part.from < end || (isNext && part.offset >= before.offset));
    if (goesOn) {
      present(group).push(part);
      continue;
    }
    groups.push([part]);
    const segments = part.offset === 0n ? segmentsAt(core, part.from) : [];
    end = 0n;
    if (segments.length > 0) {
      const extent = extentOf(segments);
      end = part.from + extent.end - extent.lowest;
    }
  }
  return groups;
}

function isCode(core: CoreFile, parts: MappedFile[]): boolean {
  return (
    parts.some(({ from }) => core.isExecutable(from)) || segmentsAt(core, itemAt(parts, 0).from).length > 0
  );
}

/** Every module, by address. Throws a Fault where there are more than any process has. */
export function modulesOf(core: CoreFile, { files, auxiliary }: CoreNotes): CoreModule[] {
  const groups = groupsOf(core, files).filter((parts) => isCode(core, parts));
  const isBeginning = ([first]: MappedFile[]): boolean => segmentsAt(core, present(first).from).length > 0;
  const found = groups
    .filter(isBeginning)
    .map((parts) => moduleAt(core, itemAt(parts, 0).from, itemAt(parts, 0).path, parts));
  const rest = groups.filter((parts) => !isBeginning(parts));
  found.push(
    ...rest.map(
      (parts) =>
        mappedAgain(parts, found) ?? moduleAt(core, itemAt(parts, 0).from, itemAt(parts, 0).path, parts),
    ),
  );
  if (found.length === 0)
    for (const { base, path } of readLinkMap(core, auxiliary, (at) => segmentsAt(core, at)))
      found.push(moduleAt(core, base, path, []));
  const vdso = auxiliary.get(AT_SYSINFO_EHDR);
  if (vdso !== undefined && segmentsAt(core, vdso).length > 0)
    found.push(moduleAt(core, vdso, 'linux-vdso.so.1', []));
  if (found.length > TRACE_LIMITS.images)
    throw core.file.wrong(`it has ${found.length} modules, at most ${TRACE_LIMITS.images} are read`);
  found.sort((a, b) => (a.base < b.base ? -1 : 1));
  const headers = auxiliary.get(AT_PHDR) ?? auxiliary.get(AT_ENTRY);
  const program = found.find(({ base, end }) => headers !== undefined && headers >= base && headers < end);
  if (program) program.isProgram = true;
  return found;
}

/** The path without the kernel's note that the file is deleted. */
export function plainPath({ path }: CoreModule): string {
  return path.replace(DELETED, '');
}
