/** Reads the identities in a Mach-O file (Apple, loader.h and fat.h): a UUID for each processor it was built for. */
import type { FileBytes } from './bytes.ts';
import { type Feature, type Image, imageOf, type ObjectFile } from './identity.ts';

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
    if (name === '__TEXT') image.base = `0x${(type === SEGMENT ? u32(24) : u64(24)).toString(16)}`;
    if (name === '__TEXT' && stored > 0) {
      add('code');
      add('unwind');
    }
  }
}

/** One slice, or the file that is no more than one; its offsets count from `start`. */
function readSlice(file: FileBytes, start: number): Image {
  const head = file.piece(start, 28, 'a Mach-O header');
  const [big, little] = [head.readUInt32BE(0), head.readUInt32LE(0)];
  const isLittle = little === 0xfeedface || little === 0xfeedfacf;
  const magic = isLittle ? little : big;
  if (magic !== 0xfeedface && magic !== 0xfeedfacf)
    throw file.wrong(`no Mach-O header at ${start}: ${big.toString(16)}`);
  const u32 = (bytes: Buffer, at: number): number =>
    isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  const image = imageOf(archOf(u32(head, 4), u32(head, 8)));
  const [count, size] = [u32(head, 16), u32(head, 20)];
  if (size > MOST_COMMANDS_BYTES) throw file.wrong(`load commands of ${size} bytes`);
  const commands = file.piece(start + (magic === 0xfeedfacf ? 32 : 28), size, 'the load commands');
  // LLVM would follow it, to files of this machine; no linker writes one into such a file.
  if (commands.includes('gnu_debuglink')) throw file.wrong('a Mach-O file with a link of ELF files');
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 8 > size) throw file.wrong(`${count} load commands, which do not fit into ${size} bytes`);
    const length = u32(commands, at + 4);
    if (length < 8 || length > size - at) throw file.wrong(`a load command of ${length} bytes`);
    const command = commands.subarray(at, at + length);
    take(image, command, u32(commands, at), isLittle);
    at += length;
  }
  return image;
}

/** Throws a Fault where the file is not what its headers say. */
export function readMachO(file: FileBytes): ObjectFile {
  const magic = file.piece(0, 8, 'a Mach-O header');
  const kind = magic.readUInt32BE(0);
  if (kind !== FAT && kind !== FAT_WIDE) return { format: 'macho', images: [readSlice(file, 0)] };
  const count = magic.readUInt32BE(4);
  if (count === 0 || count > MOST_SLICES) throw file.wrong(`a fat file of ${count} slices`);
  const size = kind === FAT ? 20 : 32;
  const table = file.piece(8, size * count, 'the table of slices');
  const images = Array.from({ length: count }, (_, i) => {
    const offset =
      kind === FAT ? table.readUInt32BE(size * i + 8) : Number(table.readBigUInt64BE(size * i + 8));
    return readSlice(file, offset);
  });
  return { format: 'macho', images };
}
