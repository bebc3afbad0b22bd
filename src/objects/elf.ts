/** Reads an ELF file's identity (System V ABI, gABI ch. 4 and 5): build-id, processor, and what its sections can tell. */
import type { FileBytes } from './common/bytes.ts';
import { Cursor, Ended } from './common/cursor.ts';
import { debugIdOf, type Feature, type Image, imageOf, type ObjectFile } from './common/identity.ts';
import type { SymbolFormat } from './common/symbol-format.ts';
import {
  COMPRESSED,
  type ElfHeader,
  type ElfSection,
  NOBITS,
  Numbers,
  readHeader,
  readSections,
} from './elf/header.ts';
import { buildIdOf, goIdOf, type Note, notesOf } from './elf/notes.ts';
import { codeRanges, layoutOf, lowestOf, NOTE_SEGMENT, readSegments, type Segment } from './elf/segments.ts';
import { hasGoTable } from './go/table.ts';

const NOTE = 7;
/** Of each section, and how many sections: a real file has a handful, of some hundred bytes. */
const MOST_NOTES_BYTES = 1 << 20;
const MOST_NOTES = 32;
/** LLVM follows a link by any of these names, even by one that is too long to be kept here. */
const DEBUG_LINK = /^[._]*gnu_debuglink$|^[._]{255}/;
const FDO_PACKAGE = 0xcafe1a7e;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'arm64',
  243: 'riscv',
  258: 'loongarch',
};

/** Taken from the sections where there are any: a file of debug information keeps them, while its segments are wrong. */
export function readNotes(
  file: FileBytes,
  h: ElfHeader,
  sections: ElfSection[],
  segments: Segment[],
): Note[] {
  const places =
    sections.length > 0
      ? sections.filter(({ type }) => type === NOTE)
      : segments.filter(({ type }) => type === NOTE_SEGMENT);
  return places
    .slice(0, MOST_NOTES)
    .flatMap(({ offset, size, align }) =>
      size > MOST_NOTES_BYTES
        ? []
        : notesOf(file.piece(offset, size, 'a section of notes'), h.little, align === 8n ? 8 : 4),
    );
}

function featuresOf(sections: ElfSection[]): Feature[] {
  const has = (test: RegExp): boolean =>
    sections.some(({ name, type, size }) => type !== NOBITS && size > 0n && test.test(name));
  const found: [Feature, RegExp][] = [
    ['debug_info', /^\.z?debug_info(\.dwo)?$/],
    ['symbol_table', /^\.symtab$/],
    ['mini_debug_info', /^\.gnu_debugdata$/],
    ['exports', /^\.dynsym$/],
    ['unwind', /^\.(eh_frame|z?debug_frame)$/],
    ['code', /^\.text$/],
  ];
  return found.filter(([, test]) => has(test)).map(([feature]) => feature);
}

function compressionOf(file: FileBytes, h: ElfHeader, sections: ElfSection[]): Image['compressed'] {
  const methods = sections
    .filter(({ type, flags }) => type !== NOBITS && (flags & COMPRESSED) !== 0n)
    .map(({ offset }) => new Numbers(file.piece(offset, 4, 'a compressed section'), h.little).u32(0));
  const names = methods.map((method) => ({ 1: 'zlib' as const, 2: 'zstd' as const })[method] ?? 'unknown');
  if (sections.some(({ name }) => name.startsWith('.zdebug'))) names.push('zlib');
  return [...new Set(names)].sort();
}

/** A name with another value behind it: .gnu_debuglink, .gnu_debugaltlink. */
function linkOf(
  file: FileBytes,
  sections: ElfSection[],
  named: RegExp,
): { name: string; rest: Buffer } | null {
  const found = sections.find(({ name, type }) => type !== NOBITS && named.test(name));
  if (!found) return null;
  const bytes = file.piece(found.offset, found.size, `the section ${found.name}`);
  const end = bytes.indexOf(0);
  return end < 0 ? null : { name: bytes.toString('utf8', 0, end), rest: bytes.subarray(end + 1) };
}

/** What dwz moved into a file of its own has that file's id: behind a name, as GNU writes it, or behind a length too, as DWARF 5 does (7.3.6). */
function sharedId(
  file: FileBytes,
  sections: ElfSection[],
  little: boolean,
): { id: string; isShared: boolean } | null {
  const gnu = linkOf(file, sections, /^\.gnu_debugaltlink$/);
  if (gnu) return { id: `elf:${gnu.rest.toString('hex')}`, isShared: false };
  const found = sections.find(({ name, type }) => name === '.debug_sup' && type !== NOBITS);
  if (!found) return null;
  const c = new Cursor(file.piece(found.offset, found.size, 'the section .debug_sup'), little);
  try {
    const [version, isShared] = [c.number(2), c.number(1)];
    c.text();
    const length = c.leb();
    const from = c.at;
    c.skip(length);
    if (version !== 5 || length === 0) return null;
    return { id: `elf:${c.bytes.toString('hex', from, c.at)}`, isShared: isShared === 1 };
  } catch (error) {
    if (error instanceof Ended) return null;
    throw error;
  }
}

/** Go's linker leaves an id of its own, which strip keeps; a GNU build-id stands before it. */
function goId(notes: Note[]): string | null {
  const text = goIdOf(notes) ?? '';
  return /^[A-Za-z0-9_/-]{16,128}$/.test(text) ? `go:${text}` : null;
}

/** Throws a Fault where the file contradicts its header. */
function readElf(file: FileBytes): ObjectFile {
  const h = readHeader(file);
  const sections = readSections(file, h);
  const segments = readSegments(file, h);
  const lowest = lowestOf(segments);
  const notes = readNotes(file, h, sections, segments);
  const buildId = buildIdOf(notes);
  const alt = sharedId(file, sections, h.little);
  const noted = notes.find(({ owner, type }) => owner === 'FDO' && type === FDO_PACKAGE);
  const image = imageOf(MACHINES[h.machine] ?? `elf-${h.machine}`, {
    base: `0x${lowest.toString(16)}`,
    code: codeRanges(segments, sections, lowest),
    layout: layoutOf(h, segments),
    id: buildId ? `elf:${buildId.toString('hex')}` : alt?.isShared ? alt.id : goId(notes),
    debug_id: buildId ? debugIdOf(buildId, h.little) : null,
    features: [...featuresOf(sections), ...(hasGoTable(file, h, sections) ? ['go_lines' as const] : [])],
    compressed: compressionOf(file, h, sections),
    debug_link: linkOf(file, sections, DEBUG_LINK)?.name ?? null,
    alt_id: alt && !alt.isShared ? alt.id : null,
    split:
      sections.some(({ name }) => name.endsWith('.dwo')) ||
      sections.some(({ name }) => name === '.debug_addr'),
    package: noted ? noted.content.toString('utf8').replace(/\0+$/, '') : null,
  });
  return { format: 'elf', images: [image] };
}

export const elf: SymbolFormat = {
  name: 'elf',
  title: 'ELF',
  isProgram: true,
  recognise: (start) => start.toString('latin1', 0, 4) === '\x7fELF',
  read: readElf,
};
