/** Compressed files by how they begin, and the command that unpacks each: for messages about what is not read as it stands. */
const PACKINGS: readonly (readonly [beginning: Buffer, program: string])[] = [
  [Buffer.from([0x1f, 0x8b]), 'gzip'],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'zstd'],
  [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), 'xz'],
  [Buffer.from('BZh'), 'bzip2'],
];

/** For each: how it begins, what it is, and what to do to have `unpacked` of a FILE. */
export function packedForms(unpacked: string): [beginning: Buffer, is: string, next: string][] {
  return PACKINGS.map(([beginning, program]) => [
    beginning,
    `compressed with ${program}`,
    `unpack it first: ${program} -dc FILE > ${unpacked}`,
  ]);
}
