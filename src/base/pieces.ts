/** Bytes that come in pieces, read forwards and only once: an archive is unpacked while it is hashed. */

const NOTHING = Buffer.alloc(0);

export class Pieces {
  private readonly source: AsyncIterator<Uint8Array>;
  private held: Buffer = NOTHING;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, left where they are; fewer only where no more come. */
  async peek(count: number): Promise<Buffer> {
    while (this.held.length < count) {
      const { value, done } = await this.source.next();
      if (done) break;
      const piece = Buffer.from(value.buffer, value.byteOffset, value.length);
      this.held = this.held.length === 0 ? piece : Buffer.concat([this.held, piece]);
    }
    return this.held.subarray(0, count);
  }

  /** At most `count` bytes, in the pieces in which they come; a reader that stops in between has consumed only the pieces it got. */
  async *take(count: number = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (this.held.length === 0 && (await this.peek(1)).length === 0) return;
      const piece = this.held.subarray(0, Math.min(left, this.held.length));
      this.held = this.held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}
