/** The content of a section, read forwards: as it stands in the file, or inflated only as far as its reader asks. */
import { pipeline, Readable } from 'node:stream';
import { createInflate } from 'node:zlib';

import { Fault } from '../../base/fault.ts';
import { messageOf } from '../../base/thrown.ts';
import { unzstd } from '../../base/zstd.ts';
import type { FileBytes } from '../common/bytes.ts';

const CHUNK_BYTES = 1 << 16;
/** The most bytes of one section that are read; what lies behind them is ignored, whatever its header promises. */
const MOST_INFLATED_BYTES = 2 ** 30;

/** Offsets may only grow from call to call: bytes before them are no longer kept. */
export interface Content {
  /** As the section's header says. */
  size: number;
  /** How much of it is looked at: less than its size where that is too large. */
  end: number;
  /** Fewer bytes than asked for only at `end`. Throws a Fault where the section does not have them. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): void;
}

/** A section that stands in the file as it is. Throws a Fault where it lies outside of it. */
export function plainContent(
  file: FileBytes,
  offset: number | bigint,
  size: number | bigint,
  name: string,
): Content {
  const [from, end] = [Number(offset), Number(size)];
  if (from + end > file.size) throw file.wrong(`its section ${name} would end at ${from + end}`);
  return {
    size: end,
    end,
    read: async (at, length) => file.piece(from + at, Math.max(0, Math.min(length, end - at)), name),
    close: () => {},
  };
}

function inflated(source: Readable): AsyncIterator<Uint8Array> {
  const inflate = createInflate({ chunkSize: CHUNK_BYTES });
  // An error of the stream is thrown where its chunks are awaited.
  pipeline(source, inflate, () => {});
  return inflate[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
}

/** A compressed section, of which no more than a window is ever in memory. */
export function inflatedContent(
  file: FileBytes,
  packed: { method: 'zlib' | 'zstd'; offset: number; size: number },
  size: number,
  name: string,
): Content {
  const last = packed.offset + packed.size;
  function* pieces(): Generator<Buffer> {
    for (let at = packed.offset; at < last; at += CHUNK_BYTES)
      yield file.piece(at, Math.min(CHUNK_BYTES, last - at), name);
  }
  const end = Math.min(size, MOST_INFLATED_BYTES);
  let chunks: AsyncIterator<Uint8Array> | undefined;
  let [window, start] = [Buffer.alloc(0), 0];

  /** Takes one chunk more, and frees what lies before `offset`. */
  async function next(offset: number): Promise<void> {
    const source = (): Readable => Readable.from(pieces(), { objectMode: true });
    chunks ??= packed.method === 'zlib' ? inflated(source()) : unzstd(source());
    const found = await chunks.next().catch((error: unknown) => {
      if (error instanceof Fault) throw error;
      throw file.wrong(`its section ${name} is not what ${packed.method} writes (${messageOf(error)})`);
    });
    if (found.done)
      throw file.wrong(
        `its section ${name} inflates to ${start + window.length} bytes, and says it has ${size}`,
      );
    const passed = Math.min(Math.max(0, offset - start), window.length);
    window = Buffer.concat([window.subarray(passed), found.value]);
    start += passed;
  }

  return {
    size,
    end,
    read: async (offset, length) => {
      const until = Math.min(offset + length, end);
      while (start + window.length < until) await next(offset);
      return window.subarray(offset - start, Math.max(offset, until) - start);
    },
    close: () => void chunks?.return?.(),
  };
}
