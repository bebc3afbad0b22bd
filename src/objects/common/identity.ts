/** What names a build: the id that a linker wrote into a program and its symbols, in the one form in which it is compared. */

/** What a file can tell about the addresses of its image. */
export type Feature =
  | 'debug_info'
  | 'go_lines'
  | 'symbol_table'
  | 'mini_debug_info'
  | 'exports'
  | 'unwind'
  | 'code';

/** Whether a program's names are those of its mini debug information, which is ignored where there is more. */
export function hasMiniSymbols(features: readonly Feature[]): boolean {
  return (
    features.includes('mini_debug_info') &&
    !features.includes('debug_info') &&
    !features.includes('symbol_table')
  );
}

/** Where the parts of a program lie; numbers are hexadecimal text, as they are kept. */
export interface Layout {
  /** True if the program is always loaded where it says; else its lowest address can be anywhere. */
  fixed: boolean;
  /** What is mapped: its offset in the file, its address, and its size in the file in bytes. */
  loads: { offset: string; address: string; size: string }[];
}

/** One image in an object file: a Mach-O file may have several, the others have one. */
export interface Image {
  /** Such as elf:f1c3…, go: with the id from Go's linker, pdb:GUID-age, macho:UUID, pe:TIMESTAMP-and-size, js:UUID; null where the linker wrote none. */
  id: string | null;
  /** The same as Breakpad and Sentry write it. */
  debug_id: string | null;
  /** Of a PE file: the id of the PDB it belongs to. */
  pdb: string | null;
  /** Such as x86_64 or arm64. */
  arch: string;
  /** What the file calls the lowest address of its image, hexadecimal: what is added to a distance from there. */
  base: string;
  /** Where its code is: the distances of its first byte and of the byte behind its last from there; null where the headers do not say. */
  code: [string, string][] | null;
  /** ELF: what a loader maps, and whether it moves it. */
  layout: Layout | null;
  features: Feature[];
  /** Sections that are stored compressed, by method. */
  compressed: ('zlib' | 'zstd' | 'unknown')[];
  /**
   * The id may be a hash of the first page of code, which Breakpad's tools give to programs without a build-id: others
   * can have the same.
   */
  weak_id: boolean;
  /** ELF: the separate file's name (.gnu_debuglink), and the build-id of the shared one (dwz). */
  debug_link: string | null;
  alt_id: string | null;
  /** ELF: units whose rest lies in .dwo files. */
  split: boolean;
  /** ELF: the package note that distributions leave, as it stands. */
  package: string | null;
}

export interface ObjectFile {
  /** The name of one of the formats in objects/object.ts. */
  format: string;
  images: Image[];
}

/** An image of which nothing but its processor is known yet. */
export function imageOf(arch: string, known: Partial<Image> = {}): Image {
  return {
    id: null,
    debug_id: null,
    pdb: null,
    arch,
    base: '0x0',
    code: null,
    layout: null,
    features: [],
    compressed: [],
    weak_id: false,
    debug_link: null,
    alt_id: null,
    split: false,
    package: null,
    ...known,
  };
}

/** A GUID as Microsoft stores it: its first three parts are numbers, the rest is bytes. Upper-case, 32 digits. */
export function guidText(bytes: Buffer): string {
  return Buffer.concat([
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8, 16),
  ])
    .toString('hex')
    .toUpperCase();
}

/** The debug id of an ELF file: its build-id, cut or padded to 16 bytes, read as a GUID; age 0. */
export function debugIdOf(buildId: Buffer, littleEndian: boolean): string {
  const guid = Buffer.alloc(16);
  buildId.copy(guid, 0, 0, 16);
  return `${littleEndian ? guidText(guid) : guid.toString('hex').toUpperCase()}0`;
}

/** The ids of an ELF image by its build-id in hexadecimal, of a little-endian processor. */
export function elfIds(buildId: string | null | undefined): { id: string | null; debug_id: string | null } {
  if (buildId === null || buildId === undefined) return { id: null, debug_id: null };
  return { id: `elf:${buildId}`, debug_id: debugIdOf(Buffer.from(buildId, 'hex'), true) };
}

/** The id of a PDB, and of the PE file that names it. */
export function pdbId(guid: string, age: number): { id: string; debug_id: string } {
  const hex = age.toString(16);
  return { id: `pdb:${guid}-${hex}`, debug_id: `${guid}${hex}` };
}
