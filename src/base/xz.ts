/** Streams of xz, unpacked by the program of that name: Node has no reader of its own. */
import type { Readable } from 'node:stream';

import { execThrough } from './exec.ts';

/** Files made with xz -9 need 65 MiB; a header may ask for gigabytes. */
const XZ = ['--decompress', '--stdout', '--format=xz', '--threads=1', '--memlimit-decompress=134217728'];

/** The unpacked bytes, in pieces that the caller must count; throws where the stream is damaged, needs more memory or takes too long. */
export function unxz(source: Readable, o: { timeoutMs: number }): AsyncGenerator<Uint8Array> {
  return execThrough('xz', XZ, source, o);
}
