/** Numbers and texts one after the other, never behind the end of what was read. */

/** The value does not fit; the caller says where it stands. */
export class Ended extends Error {}

export class Cursor {
  at = 0;
  readonly bytes: Buffer;
  readonly little: boolean;
  constructor(bytes: Buffer, little: boolean, at = 0) {
    this.bytes = bytes;
    this.little = little;
    this.at = at;
  }
  skip(count: number): void {
    if (!(count <= this.bytes.length - this.at)) throw new Ended('ends in the middle');
    this.at += count;
  }
  /** Of 1 to 8 bytes. */
  number(width: number): number {
    const from = this.at;
    this.skip(width);
    if (width === 8)
      return Number(this.little ? this.bytes.readBigUInt64LE(from) : this.bytes.readBigUInt64BE(from));
    return this.little ? this.bytes.readUIntLE(from, width) : this.bytes.readUIntBE(from, width);
  }
  /** LEB128, signed or not; only small values are ever compared. */
  leb(): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.at];
      if (byte === undefined) break;
      this.at++;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Ended(
      this.at < this.bytes.length ? 'has a number of more than 10 bytes' : 'ends in the middle',
    );
  }
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new Ended('has a text that does not end');
    const found = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return found;
  }
}
