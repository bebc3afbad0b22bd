/** Splits the one stream in which engines send both outputs of a container. */
import type { OnOutput } from './engine.ts';

const FRAME_HEADER_BYTES = 8;

/** Splits the engine's multiplexed stream: 8 bytes of header (stream, length), then that many bytes. */
export function demultiplex(onOutput: OnOutput): (chunk: Buffer) => void {
  let header = Buffer.alloc(0);
  let left = 0;
  let stream: 'stdout' | 'stderr' = 'stdout';
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left === 0) {
        const want = FRAME_HEADER_BYTES - header.length;
        header = Buffer.concat([header, rest.subarray(0, want)]);
        rest = rest.subarray(want);
        if (header.length < FRAME_HEADER_BYTES) return;
        stream = header[0] === 2 ? 'stderr' : 'stdout';
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const piece = rest.subarray(0, left);
      left -= piece.length;
      rest = rest.subarray(piece.length);
      onOutput(stream, piece);
    }
  };
}
