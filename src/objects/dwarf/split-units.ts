/** Which units of debug information lie in other files (-gsplit-dwarf), by the ids that compilers gave both halves. */
import { Fault } from '../../base/fault.ts';
import { FileBytes } from '../common/bytes.ts';
import { NOBITS, Numbers, readHeader, readSections } from '../elf/header.ts';
import { unitsOf } from './dwarf.ts';
import { type DebugSections, debugSectionsOf } from './sections.ts';

/** Programs of 10,000 files of source have as many units. */
const MOST_UNITS = 262_144;
const INDEX_HEAD_BYTES = 16;

/** Ids in hexadecimal, 16 digits. */
export interface SplitUnits {
  /** Of units whose second half lies in another file. */
  wanted: string[];
  /** Of the second halves that lie in this file: one in a .dwo file, many in a .dwp file. */
  held: string[];
}

const NONE: SplitUnits = { wanted: [], held: [] };

/** The index of a .dwp file (DWARF 5, 7.3.5.3): a hash table of ids, with zeros between. */
function indexOf(file: FileBytes): string[] | null {
  const h = readHeader(file);
  const section = readSections(file, h).find(
    ({ name, type }) => name === '.debug_cu_index' && type !== NOBITS,
  );
  if (!section) return null;
  const head = new Numbers(file.piece(section.offset, INDEX_HEAD_BYTES, section.name), h.little);
  const slots = head.u32(12);
  if (slots > 2 * MOST_UNITS) throw file.wrong(`its index has ${slots} slots`);
  const table = file.piece(section.offset + BigInt(INDEX_HEAD_BYTES), 8 * slots, section.name);
  const n = new Numbers(table, h.little);
  return Array.from({ length: slots }, (_, i) =>
    n
      .u64(8 * i)
      .toString(16)
      .padStart(16, '0'),
  ).filter((id) => !/^0+$/.test(id));
}

/** The split units of an ELF file; a damaged one counts as having none. */
export async function splitUnitsOf(path: string): Promise<SplitUnits> {
  const file = new FileBytes(path);
  const images: DebugSections[] = [];
  try {
    const held = indexOf(file);
    if (held) return { wanted: [], held };
    images.push(...debugSectionsOf(file));
    const [debug] = images;
    if (!debug || debug.unread !== null) return NONE;
    const ids = { wanted: new Set<string>(), held: new Set<string>() };
    for await (const unit of unitsOf(file, debug))
      if (unit && unit.dwoId !== null) ids[debug.dwo ? 'held' : 'wanted'].add(unit.dwoId);
    return { wanted: [...ids.wanted], held: [...ids.held] };
  } catch (error) {
    if (error instanceof Fault && error.code === 'object_malformed') return NONE;
    throw error;
  } finally {
    for (const { sections } of images) for (const content of sections.values()) content.close();
    file.close();
  }
}
