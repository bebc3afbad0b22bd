/** The smallest object files that say who they are, made by hand from their formats' documents. */

/** A PE32+ file whose debug directory names a PDB. */
export function tinyPe(): Buffer {
  const b = Buffer.alloc(0x400);
  b.write('MZ', 0, 'latin1');
  b.writeUInt32LE(0x80, 0x3c);
  b.write('PE\0\0', 0x80, 'latin1');
  b.writeUInt16LE(34404, 0x84);
  b.writeUInt16LE(1, 0x86);
  b.writeUInt32LE(0x0ab380aa, 0x88);
  b.writeUInt16LE(240, 0x94);
  const optional = 0x98;
  b.writeUInt16LE(0x20b, optional);
  b.writeUInt32LE(0x9000, optional + 56);
  b.writeUInt32LE(0x1000, optional + 112 + 48);
  b.writeUInt32LE(28, optional + 112 + 52);
  const section = optional + 240;
  b.writeUInt32LE(0x100, section + 8);
  b.writeUInt32LE(0x1000, section + 12);
  b.writeUInt32LE(0x200, section + 16);
  b.writeUInt32LE(0x200, section + 20);
  b.writeUInt32LE(2, 0x200 + 12);
  b.writeUInt32LE(24, 0x200 + 16);
  b.writeUInt32LE(0x240, 0x200 + 24);
  b.write('RSDS', 0x240, 'latin1');
  for (let i = 0; i < 16; i++) b[0x244 + i] = i + 1;
  b.writeUInt32LE(0x1a, 0x254);
  return b;
}

/** A PDB whose information stream says age 5, and whose debug information says age 2. */
export function tinyPdb(): Buffer {
  const block = 512;
  const b = Buffer.alloc(7 * block);
  b.write('Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0', 0, 'latin1');
  for (const [at, value] of [
    [32, block],
    [36, 1],
    [40, 7],
    [44, 4 + 4 * 4 + 4 * 2],
    [52, 3],
  ] as const)
    b.writeUInt32LE(value, at);
  b.writeUInt32LE(4, 3 * block);
  // Four streams, of which the second and the last have a block each.
  for (const [i, value] of [4, 0, 28, 0xffffffff, 64, 5, 6].entries())
    b.writeUInt32LE(value, 4 * block + 4 * i);
  b.writeUInt32LE(5, 5 * block + 8);
  for (let i = 0; i < 16; i++) b[5 * block + 12 + i] = i + 1;
  b.writeUInt32LE(2, 6 * block + 8);
  b.writeUInt16LE(34404, 6 * block + 58);
  return b;
}

function slice(type: number, subtype: number, first: number, big: boolean): Buffer {
  const b = Buffer.alloc(32 + 24 + 72);
  const u32 = (value: number, at: number): unknown =>
    big ? b.writeUInt32BE(value, at) : b.writeUInt32LE(value, at);
  u32(0xfeedfacf, 0);
  u32(type, 4);
  u32(subtype, 8);
  u32(2, 16);
  u32(24 + 72, 20);
  u32(0x1b, 32);
  u32(24, 36);
  for (let i = 0; i < 16; i++) b[40 + i] = first + i;
  u32(0x19, 56);
  u32(72, 60);
  b.write('__DWARF', 64, 'latin1');
  u32(10, 56 + 48);
  return b;
}

/** A fat file of x86_64 and arm64e. */
export function tinyMachO(): Buffer {
  const slices = [slice(0x01000007, 3, 16, false), slice(0x0100000c, 0x80000002, 32, false)];
  const head = Buffer.alloc(64);
  head.writeUInt32BE(0xcafebabe, 0);
  head.writeUInt32BE(2, 4);
  slices.forEach((one, i) => {
    head.writeUInt32BE(64 + i * slices[0]!.length, 8 + 20 * i + 8);
    head.writeUInt32BE(one.length, 8 + 20 * i + 12);
  });
  return Buffer.concat([head, ...slices]);
}

/** A 32-bit big-endian ELF file without sections, its build-id in a segment. */
export function tinyElf(): Buffer {
  const b = Buffer.alloc(52 + 32 + 12 + 4 + 8);
  b.write('\x7fELF', 0, 'latin1');
  b[4] = 1;
  b[5] = 2;
  b[6] = 1;
  for (const [at, value] of [
    [16, 2],
    [18, 20],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    b.writeUInt16BE(value, at);
  b.writeUInt32BE(52, 28);
  for (const [at, value] of [
    [52, 4],
    [56, 84],
    [68, 24],
    [80, 4],
    [84, 4],
    [88, 8],
    [92, 3],
  ] as const)
    b.writeUInt32BE(value, at);
  b.write('GNU\0', 96, 'latin1');
  for (let i = 0; i < 8; i++) b[100 + i] = i + 1;
  return b;
}

export const TINY_BREAKPAD =
  'MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 crash\nINFO CODE_ID F1C3BCC0279865FE3058404B2831D9E64135386C\nFILE 0 a.c\n';
