/** The units of DWARF 2 to 5 (dwarfstd.org, ch. 7): of each only its header and its first entry, hopping over the rest. */
import type { FileBytes } from '../common/bytes.ts';
import { Cursor, Ended } from '../common/cursor.ts';
import type { Content } from '../elf/section-content.ts';
import type { DebugSections } from './sections.ts';

/** Programs of 10,000 files of source have as many; more are not looked at. */
const MOST_UNITS = 262_144;
const MOST_ABBREVIATION_BYTES = 32 << 20;
/** Bytes read in all, counted again where units share a table or claim to: a limit of time, not of memory. */
const MOST_SCANNED_BYTES = 64 << 20;
const MOST_ATTRIBUTES = 256;
const MOST_KEPT = 4096;
/** The first entry mostly has less than 100 bytes; one whose strings stand in it, as many as these. */
const ENTRY_BYTES = [512, 65_536] as const;

/** Where a text is stored: in the entry itself, or at an offset of a section. */
export type TextPlace =
  | { at: 'entry'; text: string }
  | { at: 'debug_str' | 'debug_line_str' | 'alt'; offset: number }
  /** There stands the offset in debug_str, of 4 or 8 bytes. */
  | { at: 'debug_str_offsets'; offset: number; width: 4 | 8 };

export interface Unit {
  producer: TextPlace | null;
  language: number | null;
  /** The rest of it lies in a .dwo file. */
  split: boolean;
  /** The id that both halves of a split unit bear, hexadecimal: the half here and the half in another file. */
  dwoId: string | null;
}

export interface DwarfHeader {
  version: number;
  /** 4 bytes, or 8 in 64-bit DWARF. */
  width: 4 | 8;
  type: number;
  address: number;
  abbreviations: number;
  dwoId: string | null;
  /** Where its first entry stands, and where the next unit does, both from its own beginning. */
  entry: number;
  next: number;
}

const [SKELETON, TYPE, SPLIT, SPLIT_TYPE] = [4, 2, 5, 6];

/** 8 bytes that are no number. */
function idAt(c: Cursor): string {
  const from = c.at;
  c.skip(8);
  const bytes = Buffer.from(c.bytes.subarray(from, c.at));
  return (c.little ? bytes.reverse() : bytes).toString('hex');
}

/** The header of the unit that `bytes` begins with, at most `most` bytes of which are there. Throws Ended. */
export function dwarfHeader(bytes: Buffer, little: boolean, most: number): DwarfHeader {
  const c = new Cursor(bytes, little);
  const short = c.number(4);
  const width = short === 0xffffffff ? 8 : 4;
  const length = width === 8 ? c.number(8) : short;
  if (width === 4 && short >= 0xfffffff0) throw new Ended(`has a length of 0x${short.toString(16)}`);
  const next = c.at + length;
  if (next > most) throw new Ended(`would end ${next - most} bytes behind its section`);
  const version = c.number(2);
  const h = {
    version,
    width,
    type: 1,
    address: 0,
    abbreviations: 0,
    dwoId: null,
    entry: 0,
    next,
  } as DwarfHeader;
  if (version < 2 || version > 5) throw new Ended(`is of DWARF version ${version}, which is not read`);
  if (version === 5) {
    h.type = c.number(1);
    h.address = c.number(1);
    h.abbreviations = c.number(width);
    if (h.type === SKELETON || h.type === SPLIT) h.dwoId = idAt(c);
    if (h.type === TYPE || h.type === SPLIT_TYPE) c.skip(8 + width);
  } else {
    h.abbreviations = c.number(width);
    h.address = c.number(1);
  }
  h.entry = c.at;
  return h;
}

const COMPILE_UNIT = 0x11;
const SKELETON_UNIT = 0x4a;

interface Declaration {
  tag: number;
  attributes: { name: number; form: number; value: number }[];
}

const IMPLICIT = 0x21;

/** Finds the declarations of first entries, and counts what it costs. */
function declarations(table: Buffer, little: boolean): (offset: number, code: number) => Declaration {
  const kept = new Map<string, Declaration>();
  let scanned = 0;
  return (offset, code) => {
    const known = kept.get(`${offset}:${code}`);
    if (known) return known;
    if (offset > table.length) throw new Ended(`has its abbreviations at ${offset} of ${table.length}`);
    const c = new Cursor(table, little, offset);
    for (;;) {
      const from = c.at;
      const found = c.leb();
      if (found === 0) throw new Ended(`has an entry of abbreviation ${code}, which is not declared`);
      const declaration: Declaration = { tag: c.leb(), attributes: [] };
      c.skip(1);
      for (;;) {
        const [name, form] = [c.leb(), c.leb()];
        const value = form === IMPLICIT ? c.leb() : 0;
        if (name === 0 && form === 0) break;
        if (declaration.attributes.push({ name, form, value }) > MOST_ATTRIBUTES)
          throw new Ended(`has an abbreviation of more than ${MOST_ATTRIBUTES} attributes`);
      }
      scanned += c.at - from;
      if (scanned > MOST_SCANNED_BYTES)
        throw new Ended(`is behind ${MOST_SCANNED_BYTES} bytes of abbreviations, the most that are read`);
      if (found !== code) continue;
      if (kept.size < MOST_KEPT) kept.set(`${offset}:${code}`, declaration);
      return declaration;
    }
  };
}

/** How many bytes each form has; the others are told apart below. */
const FIXED: Readonly<Record<number, number>> = {
  5: 2,
  6: 4,
  7: 8,
  11: 1,
  12: 1,
  17: 1,
  18: 2,
  19: 4,
  20: 8,
  25: 0,
  28: 4,
  30: 16,
  32: 8,
  36: 8,
  37: 1,
  38: 2,
  39: 3,
  40: 4,
  41: 1,
  42: 2,
  43: 3,
  44: 4,
};
const OFFSETS = [0x0e, 0x17, 0x1d, 0x1f, 0x1f20, 0x1f21];
const LEBS = [0x0d, 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23, 0x1f01, 0x1f02];
/** Blocks by how wide their length is; 0: LEB128. */
const BLOCKS: Readonly<Record<number, number>> = { 3: 2, 4: 4, 9: 0, 10: 1, 24: 0 };
const [STRING, INDIRECT, ADDRESS, REF_ADDRESS] = [0x08, 0x16, 0x01, 0x10];
const TEXTS: Readonly<Record<number, 'debug_str' | 'debug_line_str' | 'alt'>> = {
  14: 'debug_str',
  31: 'debug_line_str',
  29: 'alt',
  7969: 'alt',
};
const INDEXES = [0x1a, 0x25, 0x26, 0x27, 0x28, 0x1f02];

/** A number, or the text of a string that stands in the entry; any other value is skipped. */
function readForm(c: Cursor, form: number, h: DwarfHeader): number | string {
  if (form === STRING) return c.text();
  if (OFFSETS.includes(form)) return c.number(h.width);
  if (LEBS.includes(form)) return c.leb();
  const fixed = FIXED[form];
  const block = BLOCKS[form];
  if (form === ADDRESS || (form === REF_ADDRESS && h.version === 2)) c.skip(h.address);
  else if (form === REF_ADDRESS) c.skip(h.width);
  else if (block !== undefined) c.skip(block === 0 ? c.leb() : c.number(block));
  else if (fixed === undefined)
    throw new Ended(`has a value of form 0x${form.toString(16)}, which is unknown`);
  else if (fixed > 0 && fixed <= 4) return c.number(fixed);
  else c.skip(fixed);
  return 0;
}

/** Moves behind a value of any form; a constant that the abbreviation holds takes no bytes. */
export function passForm(c: Cursor, form: number, h: DwarfHeader): void {
  if (form !== IMPLICIT) readForm(c, form, h);
}

const [LANGUAGE, PRODUCER, STR_OFFSETS_BASE, DWO_NAME, GNU_DWO_NAME] = [0x13, 0x25, 0x72, 0x76, 0x2130];
/** Before DWARF 5 the id is an attribute, 8 bytes. */
const [GNU_DWO_ID, DATA8] = [0x2131, 0x07];

function unitOf(c: Cursor, h: DwarfHeader, find: (offset: number, code: number) => Declaration): Unit | null {
  const code = c.leb();
  if (code === 0) return null;
  const { tag, attributes } = find(h.abbreviations, code);
  if (tag !== COMPILE_UNIT && tag !== SKELETON_UNIT) return null;
  const unit: Unit = { producer: null, language: null, split: h.type === SKELETON, dwoId: h.dwoId };
  // A .dwo file has no base: behind the header of its only table, which version 4 has not.
  let [base, index] = [h.version === 5 ? 2 * h.width : 0, -1];
  for (const { name, form, value } of attributes) {
    const real = form === INDIRECT ? c.leb() : form;
    if (name === GNU_DWO_ID && real === DATA8) {
      unit.dwoId = idAt(c);
      continue;
    }
    const found = real === IMPLICIT ? value : readForm(c, real, h);
    if (name === LANGUAGE && typeof found === 'number') unit.language = found;
    if (name === DWO_NAME || name === GNU_DWO_NAME) unit.split = true;
    if (name === STR_OFFSETS_BASE) base = Number(found);
    if (name !== PRODUCER) continue;
    if (typeof found === 'string') unit.producer = { at: 'entry', text: found };
    else if (TEXTS[real]) unit.producer = { at: TEXTS[real], offset: found };
    else if (INDEXES.includes(real)) index = found;
  }
  if (index >= 0) unit.producer = { at: 'debug_str_offsets', offset: base + index * h.width, width: h.width };
  return unit;
}

async function wholeOf(content: Content | undefined, file: FileBytes): Promise<Buffer> {
  if (!content) throw file.wrong('it has units, and no section .debug_abbrev');
  const pieces: Buffer[] = [];
  for (let at = 0; at < Math.min(content.end, MOST_ABBREVIATION_BYTES); ) {
    const piece = await content.read(at, Math.min(1 << 20, MOST_ABBREVIATION_BYTES - at));
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

/** The unit at `from`, and where the next one is. */
async function unitAt(
  from: number,
  content: Content,
  little: boolean,
  find: (offset: number, code: number) => Declaration,
): Promise<{ unit: Unit | null; next: number }> {
  for (const most of ENTRY_BYTES) {
    const bytes = await content.read(from, most);
    try {
      const h = dwarfHeader(bytes, little, content.size - from);
      const unit = unitOf(new Cursor(bytes.subarray(0, h.next), little, h.entry), h, find);
      return { unit, next: from + h.next };
    } catch (error) {
      // If the whole section was read already, a larger piece cannot help.
      if (!(error instanceof Ended) || bytes.length < most || most === ENTRY_BYTES.at(-1)) throw error;
    }
  }
  throw new Ended('has no bytes');
}

/** Yields the units that compilers wrote, and null for each that names no compiler. Throws a Fault where one is malformed. */
export async function* unitsOf(file: FileBytes, debug: DebugSections): AsyncGenerator<Unit | null> {
  const content = debug.sections.get('debug_info')!;
  const find = declarations(await wholeOf(debug.sections.get('debug_abbrev'), file), debug.little);
  for (let at = 0, n = 0; at < content.end; n++) {
    if (n === MOST_UNITS) throw file.wrong(`it has more than ${MOST_UNITS} units, the most that are read`);
    try {
      const { unit, next } = await unitAt(at, content, debug.little, find);
      at = next;
      yield unit;
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      throw file.wrong(`its unit at ${at} of .debug_info ${error.message}`);
    }
  }
}
