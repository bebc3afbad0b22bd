/** Hashes parts of a file in a second thread, which reads them again, while this one goes on reading or writing. */
import { fstatSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import type { Digest } from '../../base/digest.ts';
import { present } from '../../base/list.ts';

/** A digest of bytes that come one after the other; `at`: where in the file they stand. */
export interface RunningDigest {
  update(bytes: Uint8Array, at: number): void;
  end(): Digest | Promise<Digest>;
}

/** Below this size a thread costs more than it saves. */
const WORTH_BYTES = 1 << 26;

/** Plain JavaScript in a string: it is then the same from source and in a package. */
const CODE = `
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const { parentPort, workerData: fd } = require('node:worker_threads');
const buffer = Buffer.allocUnsafe(1 << 18);
let hash = createHash('sha256');
parentPort.on('message', (stretch) => {
  if (stretch === 'end') {
    parentPort.postMessage('sha256:' + hash.digest('hex'));
    hash = createHash('sha256');
    return;
  }
  for (let { from, to } = stretch; from < to; ) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, to - from), from);
    if (count === 0) throw new Error('the file ended too early');
    hash.update(buffer.subarray(0, count));
    from += count;
  }
});
`;

/** A thread for one open file; its creator must close it before the file, in every case. */
export class SecondThread implements RunningDigest {
  private readonly worker: Worker;
  private readonly waiting: PromiseWithResolvers<Digest>[] = [];
  private failed: unknown;

  constructor(fd: number) {
    this.worker = new Worker(CODE, { eval: true, workerData: fd, execArgv: [] });
    this.worker.on('message', (digest: Digest) => present(this.waiting.shift()).resolve(digest));
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('the second thread has ended')));
  }

  private fail(error: unknown): void {
    this.failed ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  /** Only the place counts: the thread reads the bytes itself. */
  update(bytes: Uint8Array, at: number): void {
    this.worker.postMessage({ from: at, to: at + bytes.length });
  }

  end(): Promise<Digest> {
    const digest = Promise.withResolvers<Digest>();
    // It is awaited later, or never if something else fails first.
    digest.promise.catch(() => undefined);
    if (this.failed) digest.reject(this.failed);
    else this.waiting.push(digest);
    this.worker.postMessage('end');
    return digest.promise;
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/** A second thread where there is enough to hash; none for a pipe, which can be read only once. */
export function secondThread(fd: number, sizeBytes: number): SecondThread | undefined {
  return sizeBytes >= WORTH_BYTES && fstatSync(fd).isFile() ? new SecondThread(fd) : undefined;
}
