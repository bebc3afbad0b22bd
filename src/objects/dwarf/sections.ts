/** Where an ELF or Mach-O file keeps its DWARF: each section by its name without dots, underscores and the mark of compression. */
import type { FileBytes } from '../common/bytes.ts';
import {
  COMPRESSED,
  type ElfHeader,
  type ElfSection,
  NOBITS,
  Numbers,
  readHeader,
  readSections,
} from '../elf/header.ts';
import { type Content, inflatedContent, plainContent } from '../elf/section-content.ts';
import { slicesOf } from '../formats/macho.ts';

/** The DWARF of one image. */
export interface DebugSections {
  little: boolean;
  /** These sections are the second halves of split units. */
  dwo: boolean;
  /** Such as debug_info. */
  sections: Map<string, Content>;
  /** Why what is there cannot be read, in words. */
  unread: string | null;
}

const PIECE_BYTES = 1 << 20;
const WANTED = ['debug_info', 'debug_abbrev', 'debug_str', 'debug_line_str', 'debug_str_offsets'];

function contentOf(file: FileBytes, h: ElfHeader, section: ElfSection): Content | null {
  const { name } = section;
  const [offset, size] = [Number(section.offset), Number(section.size)];
  if (name.startsWith('.zdebug')) {
    const head = file.piece(offset, 12, name);
    const packed = { method: 'zlib' as const, offset: offset + 12, size: size - 12 };
    return inflatedContent(file, packed, Number(head.readBigUInt64BE(4)), name);
  }
  if ((section.flags & COMPRESSED) === 0n) return plainContent(file, offset, size, name);
  const length = h.wide ? 24 : 12;
  const n = new Numbers(file.piece(offset, length, name), h.little);
  const method = ({ 1: 'zlib', 2: 'zstd' } as const)[n.u32(0)];
  if (!method) return null;
  const packed = { method, offset: offset + length, size: size - length };
  return inflatedContent(file, packed, Number(n.word(h.wide ? 8 : 4, h.wide)), name);
}

function ofElf(file: FileBytes): DebugSections {
  const h = readHeader(file);
  const all = readSections(file, h);
  const found: DebugSections = { little: h.little, dwo: false, sections: new Map(), unread: null };
  const named = new Map(all.filter(({ type }) => type !== NOBITS).map((section) => [section.name, section]));
  if (named.has('.debug_cu_index'))
    return { ...found, unread: 'a package of .dwo files, which is not looked into' };
  // The values that the linker would have filled in still stand in another section.
  if (named.has('.rela.debug_info') || named.has('.rel.debug_info'))
    return { ...found, unread: 'a file that is not linked yet, which is not looked into' };
  const dwo = !named.has('.debug_info') && !named.has('.zdebug_info') ? '.dwo' : '';
  found.dwo = dwo !== '';
  for (const name of WANTED) {
    const section = named.get(`.${name}${dwo}`) ?? named.get(`.z${name}${dwo}`);
    if (!section) continue;
    const content = contentOf(file, h, section);
    if (!content)
      return { ...found, unread: `its section ${section.name} is compressed by a method unknown` };
    found.sections.set(name, content);
  }
  return found;
}

/** A section of an ELF file, such as debug_info, unpacked; null where there is none. Throws a Fault where it has more than `most` bytes. */
export async function wholeSection(file: FileBytes, name: string, most: number): Promise<Buffer | null> {
  const h = readHeader(file);
  const section = readSections(file, h).find(
    (one) => one.type !== NOBITS && (one.name === `.${name}` || one.name === `.z${name}`),
  );
  if (!section) return null;
  const content = contentOf(file, h, section);
  if (!content) throw file.wrong(`its section ${section.name} is compressed by a method unknown`);
  try {
    if (content.size > most) throw file.wrong(`its section ${section.name} has ${content.size} bytes`);
    const whole = Buffer.alloc(content.size);
    for (let at = 0; at < whole.length; at += PIECE_BYTES)
      (await content.read(at, Math.min(PIECE_BYTES, whole.length - at))).copy(whole, at);
    return whole;
  } finally {
    content.close();
  }
}

/** Mach-O has room for names of 16 bytes only. */
function ofMachO(file: FileBytes): DebugSections[] {
  return slicesOf(file).map(({ little, sections }) => ({
    little,
    dwo: false,
    unread: null,
    sections: new Map(
      sections
        .filter(({ segment, size }) => segment === '__DWARF' && size > 0)
        .flatMap(({ name, offset, size }) => {
          const wanted = WANTED.find((one) => `__${one}`.slice(0, 16) === name);
          return wanted ? [[wanted, plainContent(file, offset, size, name)] as const] : [];
        }),
    ),
  }));
}

/** One for each image of the file that has debug information. Throws a Fault where the file is not what its headers say. */
export function debugSectionsOf(file: FileBytes): DebugSections[] {
  const isElf = file.piece(0, Math.min(4, file.size), 'its beginning').toString('latin1') === '\x7fELF';
  return (isElf ? [ofElf(file)] : ofMachO(file)).filter(
    ({ sections, unread }) => unread !== null || sections.has('debug_info'),
  );
}
