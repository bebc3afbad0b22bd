/** Reads the identities in a Mach-O file (Apple, loader.h and fat.h): a UUID for each processor it was built for. */
import type { FileBytes } from '../common/bytes.ts';
import { type Feature, type Image, imageOf, type ObjectFile } from '../common/identity.ts';
import type { SymbolFormat } from '../common/symbol-format.ts';

const FAT = 0xcafebabe;
const FAT_WIDE = 0xcafebabf;
const [SEGMENT, SYMTAB, UUID, SEGMENT_WIDE] = [0x1, 0x2, 0x1b, 0x19];
/** A Java class begins as a fat file does; its version is what would be this count. */
const MOST_SLICES = 40;
const MOST_COMMANDS_BYTES = 1 << 20;

/** By type, then by subtype without its capability bits; the last is for all others. */
const PROCESSORS: Readonly<Record<number, Record<number, string>>> = {
  7: { [-1]: 'x86' },
  16777223: { 8: 'x86_64h', [-1]: 'x86_64' },
  12: { 6: 'armv6', 9: 'armv7', 11: 'armv7s', 12: 'armv7k', [-1]: 'arm' },
  16777228: { 2: 'arm64e', [-1]: 'arm64' },
  33554444: { [-1]: 'arm64_32' },
  18: { [-1]: 'ppc' },
  16777234: { [-1]: 'ppc64' },
};

function archOf(type: number, subtype: number): string {
  const names = PROCESSORS[type];
  return names?.[subtype & 0xffffff] ?? names?.[-1] ?? `macho-${type}`;
}

/** What one load command adds. */
function take(image: Image, command: Buffer, type: number, isLittle: boolean): void {
  const u32 = (at: number): number => (isLittle ? command.readUInt32LE(at) : command.readUInt32BE(at));
  const u64 = (at: number): bigint => (isLittle ? command.readBigUInt64LE(at) : command.readBigUInt64BE(at));
  const add = (feature: Feature): void => {
    if (!image.features.includes(feature)) image.features.push(feature);
  };
  if (type === UUID && command.length >= 24) {
    const uuid = command.toString('hex', 8, 24);
    image.id = `macho:${uuid}`;
    image.debug_id = `${uuid.toUpperCase()}0`;
  }
  if (type === SYMTAB && command.length >= 16 && u32(12) > 0) add('symbol_table');
  if ((type === SEGMENT || type === SEGMENT_WIDE) && command.length >= 56) {
    const name = command.toString('latin1', 8, 24).replace(/\0.*$/s, '');
    const stored = type === SEGMENT ? u32(36) : u32(48);
    if (name === '__DWARF' && stored > 0) add('debug_info');
    if (name === '__TEXT') {
      const [base, size] = type === SEGMENT ? [u32(24), u32(28)] : [u64(24), u64(32)];
      image.base = `0x${base.toString(16)}`;
      image.code = [['0x0', `0x${size.toString(16)}`]];
    }
    if (name === '__TEXT' && stored > 0) {
      add('code');
      add('unwind');
    }
  }
}

interface Slice {
  start: number;
  little: boolean;
  type: number;
  subtype: number;
  commands: { type: number; command: Buffer; u32: (at: number) => number }[];
}

/** One slice, or the file that is no more than one; its offsets count from `start`. */
function commandsOf(file: FileBytes, start: number): Slice {
  const head = file.piece(start, 28, 'a Mach-O header');
  const [big, small] = [head.readUInt32BE(0), head.readUInt32LE(0)];
  const little = small === 0xfeedface || small === 0xfeedfacf;
  const magic = little ? small : big;
  if (magic !== 0xfeedface && magic !== 0xfeedfacf)
    throw file.wrong(`no Mach-O header at ${start}: ${big.toString(16)}`);
  const u32 = (bytes: Buffer, at: number): number =>
    little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  const [count, size] = [u32(head, 16), u32(head, 20)];
  if (size > MOST_COMMANDS_BYTES) throw file.wrong(`load commands of ${size} bytes`);
  const bytes = file.piece(start + (magic === 0xfeedfacf ? 32 : 28), size, 'the load commands');
  // LLVM would follow it, to files of this machine; no linker writes one into such a file.
  if (bytes.includes('gnu_debuglink')) throw file.wrong('a Mach-O file with a link of ELF files');
  const commands: Slice['commands'] = [];
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 8 > size) throw file.wrong(`${count} load commands, which do not fit into ${size} bytes`);
    const length = u32(bytes, at + 4);
    if (length < 8 || length > size - at) throw file.wrong(`a load command of ${length} bytes`);
    const command = bytes.subarray(at, at + length);
    commands.push({ type: u32(bytes, at), command, u32: (place) => u32(command, place) });
    at += length;
  }
  return { start, little, type: u32(head, 4), subtype: u32(head, 8), commands };
}

/** Where each slice lies; a file that is one lies at 0. */
export function machoSlices(file: FileBytes): { start: number; size: number }[] {
  const magic = file.piece(0, 8, 'a Mach-O header');
  const kind = magic.readUInt32BE(0);
  if (kind !== FAT && kind !== FAT_WIDE) return [{ start: 0, size: file.size }];
  const count = magic.readUInt32BE(4);
  if (count === 0 || count > MOST_SLICES) throw file.wrong(`a fat file of ${count} slices`);
  const size = kind === FAT ? 20 : 32;
  const table = file.piece(8, size * count, 'the table of slices');
  return Array.from({ length: count }, (_, i) => {
    const at = size * i + 8;
    return kind === FAT
      ? { start: table.readUInt32BE(at), size: table.readUInt32BE(at + 4) }
      : { start: Number(table.readBigUInt64BE(at)), size: Number(table.readBigUInt64BE(at + 8)) };
  });
}

/** Throws a Fault where the file contradicts its headers. */
function readMachO(file: FileBytes): ObjectFile {
  const images = machoSlices(file).map(({ start }) => {
    const slice = commandsOf(file, start);
    const image = imageOf(archOf(slice.type, slice.subtype));
    for (const { type, command } of slice.commands) take(image, command, type, slice.little);
    return image;
  });
  return { format: 'macho', images };
}

export interface MachOSection {
  segment: string;
  name: string;
  /** From the file's beginning. */
  offset: number;
  size: number;
}

/** The sections of each slice. Throws a Fault where the file contradicts its headers. */
export function slicesOf(file: FileBytes): { little: boolean; sections: MachOSection[] }[] {
  return machoSlices(file).map(({ start }) => {
    const { little, commands } = commandsOf(file, start);
    const sections = commands.flatMap(({ type, command, u32 }) => {
      if (type !== SEGMENT && type !== SEGMENT_WIDE) return [];
      const [from, each] = type === SEGMENT ? [56, 68] : [72, 80];
      const found: MachOSection[] = [];
      for (let at = from; at + each <= command.length; at += each) {
        const text = (place: number): string =>
          command.toString('latin1', place, place + 16).replace(/\0.*$/s, '');
        const [size, offset] =
          type === SEGMENT ? [u32(at + 36), u32(at + 40)] : [u32(at + (little ? 40 : 44)), u32(at + 48)];
        found.push({ segment: text(at + 16), name: text(at), offset: start + offset, size });
      }
      return found;
    });
    return { little, sections };
  });
}

const MAGICS = ['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe', 'cafebabf'];

/** Java classes begin like a fat file, with their version, 45 or later, in the place of the number of slices. */
function isJava(start: Buffer): boolean {
  return start[0] === 0xca && start.length >= 8 && start.readUInt32BE(4) > MOST_SLICES;
}

export const macho: SymbolFormat = {
  name: 'macho',
  title: 'Mach-O',
  isProgram: true,
  recognise: (start) => MAGICS.includes(start.toString('hex', 0, 4)) && !isJava(start),
  read: readMachO,
};
