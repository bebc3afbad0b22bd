/** Protocol Buffers on the wire (protobuf.dev, Encoding): one field after the other; lengths are never trusted. */

export class ProtobufError extends Error {}

export class ProtobufReader {
  private readonly bytes: Buffer;
  private at = 0;
  /** Number and wire type of the field that `next` came to. */
  field = 0;
  private wire = 0;
  private low = 0;
  private high = 0;
  /** What a field of bytes holds; a view, not a copy. */
  content: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.content = bytes.subarray(0, 0);
  }

  /** 49 bits of a number fit into a float; the rest is kept apart. */
  private varint(): void {
    [this.low, this.high] = [0, 0];
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new ProtobufError('a number is cut off');
      if (i < 7) this.low += (byte & 0x7f) * 2 ** (7 * i);
      else this.high += (byte & 0x7f) * 2 ** (7 * (i - 7));
      if (byte < 0x80) {
        if (this.high >= 2 ** 15) break;
        return;
      }
    }
    throw new ProtobufError('a number of more than 64 bits');
  }

  /** Goes to the next field; false behind the last. Throws a ProtobufError. */
  next(): boolean {
    if (this.at >= this.bytes.length) return false;
    this.varint();
    const tag = this.number;
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || this.field >= 2 ** 29) throw new ProtobufError(`a field of number ${this.field}`);
    if (this.wire === 0) this.varint();
    else if (this.wire === 1) this.skip(8);
    else if (this.wire === 5) this.skip(4);
    else if (this.wire === 2) {
      this.varint();
      this.skip(this.number);
    } else throw new ProtobufError(`a field of wire type ${this.wire}`);
    return true;
  }

  private skip(length: number): void {
    if (this.at + length > this.bytes.length) throw new ProtobufError('a field is longer than what is there');
    this.content = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
  }

  /** Throws where the field is a number although a message or a text is expected. */
  get message(): Buffer {
    if (this.wire !== 2) throw new ProtobufError(`field ${this.field} is no message`);
    return this.content;
  }

  /** The number as a key: exact, and a plain one wherever it can be. */
  get key(): number | bigint {
    return this.high === 0 ? this.low : this.value;
  }

  get value(): bigint {
    return (BigInt(this.high) << 49n) | BigInt(this.low);
  }

  get number(): number {
    return this.high * 2 ** 49 + this.low;
  }

  /** Numbers of a repeated field, whether it is packed or stands alone; each is given to `take`. */
  each(take: (key: number | bigint) => void): void {
    if (this.wire === 0) {
      take(this.key);
      return;
    }
    const packed = new ProtobufReader(this.message);
    while (packed.at < packed.bytes.length) {
      packed.varint();
      take(packed.key);
    }
  }
}
