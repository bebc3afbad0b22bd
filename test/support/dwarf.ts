/** ELF files with the sections that a test wants, and DWARF units to put into them, of either byte order. */

export interface Made {
  name: string;
  bytes: Buffer;
  type?: number;
  flags?: number;
  address?: number;
  link?: number;
  /** What its header says, where that is a lie. */
  size?: number;
}

/** A number of 1 to 8 bytes. */
export function number(value: number | bigint, width: number, big = false): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(value));
  const cut = b.subarray(0, width);
  return big ? Buffer.from(cut).reverse() : cut;
}

/** LEB128 of small and large numbers. */
export function leb(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    bytes.push(left >= 128 ? (left % 128) | 0x80 : left);
    if (left < 128) return Buffer.from(bytes);
  }
}

/** A 64-bit ELF file of one loaded segment at 0 and of these sections, the names of which stand behind them. */
export function elfOf(
  sections: Made[],
  { big = false, type = 3 }: { big?: boolean; type?: number } = {},
): Buffer {
  const all = [{ name: '', bytes: Buffer.alloc(0), type: 0 }, ...sections] as Made[];
  const names = Buffer.from([...all.map(({ name }) => name), '.shstrtab'].map((one) => `${one}\0`).join(''));
  all.push({ name: '.shstrtab', bytes: names, type: 3 });
  const w = (value: number | bigint, width: number): Buffer => number(value, width, big);
  let at = 64 + 56;
  const places = all.map(({ bytes }) => {
    const from = at;
    at += bytes.length;
    return from;
  });
  const head = Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, big ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ...[w(type, 2), w(62, 2), w(1, 4), w(0, 8), w(64, 8), w(at, 8), w(0, 4), w(64, 2), w(56, 2), w(1, 2)],
    ...[w(64, 2), w(all.length, 2), w(all.length - 1, 2)],
  ]);
  const segment = [w(1, 4), w(5, 4), w(0, 8), w(0, 8), w(0, 8), w(at, 8), w(at, 8), w(0x1000, 8)];
  let nameAt = 0;
  const headers = all.map(({ name, bytes, type: kind = 1, flags = 0, address = 0, link = 0, size }, i) => {
    const from = nameAt;
    nameAt += name.length + 1;
    return Buffer.concat([
      ...[w(from, 4), w(kind, 4), w(flags, 8), w(address, 8), w(places[i]!, 8), w(size ?? bytes.length, 8)],
      ...[w(link, 4), w(0, 4), w(1, 8), w(0, 8)],
    ]);
  });
  return Buffer.concat([head, ...segment, ...all.map(({ bytes }) => bytes), ...headers]);
}

/** A table of one abbreviation: a unit that compilers write, and the attributes with their forms. */
export function abbreviations(...pairs: [name: number, form: number][]): Buffer {
  return Buffer.concat([
    leb(1),
    leb(0x11),
    Buffer.from([0]),
    ...pairs.flat().map(leb),
    Buffer.from([0, 0, 0]),
  ]);
}

interface UnitForm {
  big?: boolean;
  wide?: boolean;
  table?: number;
  version?: number;
}

/** A unit of DWARF 5 that uses the table at `table`. */
export function unit5(
  values: Buffer[],
  { big = false, wide = false, table = 0, version = 5 }: UnitForm = {},
): Buffer {
  const width = wide ? 8 : 4;
  const body = Buffer.concat([
    number(version, 2, big),
    Buffer.from([1, 8]),
    number(table, width, big),
    leb(1),
    ...values,
  ]);
  const length = number(body.length, width, big);
  return Buffer.concat(wide ? [number(0xffffffff, 4), length, body] : [length, body]);
}

/** A section that is compressed, or says so, with what it claims to inflate to. */
export function packed(name: string, method: number, size: number, bytes: Buffer): Made {
  const head = [number(method, 4), number(0, 4), number(size, 8), number(1, 8)];
  return { name, flags: 0x800, bytes: Buffer.concat([...head, bytes]) };
}
