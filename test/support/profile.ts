/** Profiles of pprof made by hand, field by field. */

/** A varint of up to 64 bits. */
function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field with a number, or with bytes. */
export function field(number: number, value: bigint | number | Buffer | string): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A message of fields, in the order given. */
export const message = (...fields: [number, bigint | number | Buffer | string][]): Buffer =>
  Buffer.concat(fields.map(([number, value]) => field(number, value)));

const STRINGS = ['', 'samples', 'count', '/bin/app', 'F1C3BCC0', 'work', 'outer', 'not hex', '[vdso]'];

/** Two samples of an image that is mapped from byte 0x1000 of its file; some locations are in none, or nowhere. */
export function profile(): Buffer {
  return message(
    [1, message([1, 1], [2, 2])],
    // Locations packed, and one by one.
    [2, message([1, Buffer.from([1, 2, 3])], [2, 10])],
    [2, message([1, 2], [1, 4], [1, 9], [2, 1])],
    [3, message([1, 1], [2, 0x50_1000n], [3, 0x50_3000n], [4, 0x1000], [5, 3], [6, 4], [7, 1])],
    [3, message([1, 2], [2, 0x7ffc_0000_0000n], [3, 0x7ffc_0000_1000n], [5, 8], [6, 7])],
    [4, message([1, 1], [2, 1], [3, 0x50_1ec7n], [4, message([1, 1], [2, 15])], [4, message([1, 2])])],
    [4, message([1, 2], [2, 1], [3, 0x50_2000n], [4, message([1, 2], [2, 16])])],
    [4, message([1, 3], [3, 0xffff_ffff_ffff_fff0n])],
    [4, message([1, 4], [2, 2], [4, message([1, 1])])],
    [5, message([1, 1], [2, 5])],
    [5, message([1, 2], [2, 6])],
    ...STRINGS.map((text): [number, string] => [6, text]),
    [9, 1_700_000_000_000_000_000n],
  );
}
