/** Puts back into a file's debug information what dwz moved into a shared one, since the engine never opens that: names in it would be missing. */

import type { FileBytes } from '../objects/common/bytes.ts';
import { Cursor, Ended } from '../objects/common/cursor.ts';
import { type Declared, tableOf } from '../objects/dwarf/abbreviations.ts';
import { type DwarfHeader, dwarfHeader, passForm } from '../objects/dwarf/dwarf.ts';
import { wholeSection } from '../objects/dwarf/sections.ts';
import type { Replaced } from '../objects/elf/copy.ts';

/** Of each section, unpacked; distributions' shared files have a few megabytes. */
const MOST_SECTION_BYTES = 256 << 20;

/** Forms of DWARF 5 and of GNU that point into the shared file, by what they become. */
const [STRP, REF_ADDRESS] = [0x0e, 0x10];
const SHARED: Readonly<Record<number, number>> = {
  7968: REF_ADDRESS,
  7969: STRP,
  28: REF_ADDRESS,
  29: STRP,
};
const LINE_STRP = 0x1f;
const INDIRECT = 0x16;

interface Sections {
  info: Buffer;
  abbrev: Buffer;
  str: Buffer;
  lineStr: Buffer;
}

async function sectionsOf(file: FileBytes): Promise<Sections> {
  const read = async (name: string): Promise<Buffer> =>
    (await wholeSection(file, name, MOST_SECTION_BYTES)) ?? Buffer.alloc(0);
  return {
    info: await read('debug_info'),
    abbrev: await read('debug_abbrev'),
    str: await read('debug_str'),
    lineStr: await read('debug_line_str'),
  };
}

/** Goes through all entries; `each` is told the form of each value and where it stands. */
function walk(
  { info, abbrev }: Sections,
  little: boolean,
  onUnit: (header: DwarfHeader, from: number) => void,
  each: (form: number, at: number, header: DwarfHeader, attribute: Declared['attributes'][number]) => void,
): void {
  const tables = new Map<number, Map<number, Declared>>();
  for (let from = 0; from < info.length; ) {
    const header = dwarfHeader(info.subarray(from), little, info.length - from);
    const table = tables.get(header.abbreviations) ?? tableOf(abbrev, little, header.abbreviations);
    tables.set(header.abbreviations, table);
    const end = from + header.next;
    const c = new Cursor(info.subarray(0, end), little, from + header.entry);
    while (c.at < end) {
      const code = c.leb();
      if (code === 0) continue;
      const declared = table.get(code);
      if (!declared) throw new Ended(`has an entry of abbreviation ${code}, which is not declared`);
      for (const attribute of declared.attributes) {
        if (attribute.form === INDIRECT) throw new Ended('has a form that stands in its entries');
        each(attribute.form, c.at, header, attribute);
        passForm(c, attribute.form, header);
      }
    }
    onUnit(header, from);
    from = end;
  }
}

/** Adds to a number of 4 or 8 bytes. */
function add(bytes: Buffer, at: number, width: 4 | 8, more: number, little: boolean): void {
  if (width === 4 && little) bytes.writeUInt32LE(bytes.readUInt32LE(at) + more, at);
  else if (width === 4) bytes.writeUInt32BE(bytes.readUInt32BE(at) + more, at);
  else if (little) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + BigInt(more), at);
  else bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at) + BigInt(more), at);
}

/** In the table of abbreviations, a form of as many bytes as it had: LEB128 may be padded. */
function writeForm(abbrev: Buffer, at: number, bytes: number, form: number): void {
  for (let i = 0; i < bytes; i++) abbrev[at + i] = (i === 0 ? form : 0) | (i + 1 < bytes ? 0x80 : 0);
}

/** References into the shared file become references behind this file's own content. */
function turnOwn(own: Sections, little: boolean): void {
  const forms = new Map<number, { bytes: number; form: number }>();
  walk(
    own,
    little,
    () => {},
    (form, at, { width, version }, { formAt, formBytes }) => {
      const plain = SHARED[form];
      if (plain === undefined) return;
      if (version < 3) throw new Ended('is of DWARF 2, whose references have another size');
      forms.set(formAt, { bytes: formBytes, form: plain });
      add(own.info, at, form === 0x1c ? 4 : width, plain === STRP ? own.str.length : own.info.length, little);
    },
  );
  for (const [at, { bytes, form }] of forms) writeForm(own.abbrev, at, bytes, form);
}

/** The shared file's references to its own sections are moved to where those lie now. */
function turnShared(shared: Sections, own: Sections, little: boolean): void {
  walk(
    shared,
    little,
    ({ version, width }, from) => {
      const at = from + (width === 8 ? 12 : 4) + (version === 5 ? 4 : 2);
      add(shared.info, at, width, own.abbrev.length, little);
    },
    (form, at, { width }) => {
      if (form === STRP) add(shared.info, at, width, own.str.length, little);
      else if (form === LINE_STRP) add(shared.info, at, width, own.lineStr.length, little);
      else if (form === REF_ADDRESS) add(shared.info, at, width, own.info.length, little);
    },
  );
}

/** The sections of `file` with those of `shared` behind them. Throws a Fault where one of them is not what DWARF allows. */
export async function mergedSections(
  file: FileBytes,
  shared: FileBytes,
  little: boolean,
): Promise<Replaced[]> {
  const [own, other] = [await sectionsOf(file), await sectionsOf(shared)];
  const all = [own, other].flatMap((one): Buffer[] => Object.values(one));
  // Offsets of 32 bits are added up.
  if (all.reduce((sum, { length }) => sum + length, 0) > 2 ** 31)
    throw file.wrong('its debug information and the shared one are too large to be put together');
  try {
    turnShared(other, own, little);
    turnOwn(own, little);
  } catch (error) {
    if (!(error instanceof Ended) && !(error instanceof RangeError)) throw error;
    throw file.wrong(`its debug information, or that which dwz moved out of it, ${error.message}`);
  }
  return (['info', 'abbrev', 'str', 'lineStr'] as const)
    .filter((part) => other[part].length > 0)
    .map((part) => {
      const name = `.debug_${part === 'lineStr' ? 'line_str' : part}`;
      return { from: name, name, flags: 0n, content: [own[part], other[part]] };
    });
}
