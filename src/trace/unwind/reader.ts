/** Numbers of unwind tables (DWARF 5, section 6.4 and 7.6), and the reasons for which a walk that needs them has to end. */
import { Cursor, Ended } from '../../objects/common/cursor.ts';

/** A walk that cannot go on: the reason as a code, and in words. */
export class Cut extends Error {
  readonly reason: string;
  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Bytes by their address; undefined where they are not at hand. */
export type ReadBytes = (address: bigint, length: number) => Buffer | undefined;

/** What an unwind table is written for: the width and order of its numbers. */
export interface Layout {
  word: 4 | 8;
  little: boolean;
}

export class TableReader extends Cursor {
  readonly layout: Layout;
  /** The address of the first byte, for values that count from their own place. */
  readonly address: bigint;

  constructor(bytes: Buffer, layout: Layout, address: bigint) {
    super(bytes, layout.little);
    this.layout = layout;
    this.address = address;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  unsigned(width: number): bigint {
    const from = this.at;
    this.skip(width);
    if (width < 8)
      return BigInt(this.little ? this.bytes.readUIntLE(from, width) : this.bytes.readUIntBE(from, width));
    return this.little ? this.bytes.readBigUInt64LE(from) : this.bytes.readBigUInt64BE(from);
  }

  signed(width: number): bigint {
    return BigInt.asIntN(8 * width, this.unsigned(width));
  }

  /** LEB128 with a sign. */
  signedLeb(): bigint {
    let [value, shift] = [0n, 0n];
    for (let i = 0; i < 10; i++) {
      const byte = Number(this.unsigned(1));
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << shift) : value;
    }
    throw new Ended('has a number of more than 10 bytes');
  }

  /** The bytes of a block with its length before it. */
  block(): Buffer {
    const length = this.leb();
    const from = this.at;
    this.skip(length);
    return this.bytes.subarray(from, from + length);
  }

  /** An address in one of the encodings of the Linux Standard Base (DWARF extensions); `data`: the base of the encodings that count from the data section. */
  pointer(encoding: number, data: bigint): bigint {
    const { word } = this.layout;
    const place = this.address + BigInt(this.at);
    const value = this.encoded(encoding & 0x0f);
    const counted = encoding & 0x70;
    if (counted > 0x10 && counted !== 0x30) throw new Ended(`has an address in the encoding ${encoding}`);
    const from = counted === 0x10 ? place : counted === 0x30 ? data : 0n;
    return BigInt.asUintN(8 * word, from + value);
  }

  private encoded(format: number): bigint {
    switch (format) {
      case 0x0:
        return this.unsigned(this.layout.word);
      case 0x1:
        return BigInt(this.leb());
      case 0x9:
        return this.signedLeb();
      case 0x2:
      case 0x3:
      case 0x4:
        return this.unsigned(2 ** (format - 1));
      case 0xa:
      case 0xb:
      case 0xc:
        return this.signed(2 ** (format - 9));
      default:
        throw new Ended(`has an address in the format ${format}`);
    }
  }
}
