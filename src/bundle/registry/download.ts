/** The download of one blob: into a file that may hold its beginning already, hashed as it arrives. */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';

import { startDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Answer } from '../../base/http.ts';
import type { Descriptor } from '../format/format.ts';
import { Lost, type Remote } from './remote.ts';

/** The digest and size of the part that has arrived. */
interface Download {
  path: string;
  file: FileHandle;
  at: number;
  hash: ReturnType<typeof startDigest>;
}

/** Hashes what an earlier run left; a file larger than the blob counts as empty. */
async function takeUp(path: string, file: FileHandle, size: number): Promise<Download> {
  const hash = startDigest();
  if ((await file.stat()).size > size) await file.truncate();
  let at = 0;
  for await (const piece of file.createReadStream({ start: 0, autoClose: false })) {
    hash.update(piece as Buffer);
    at += (piece as Buffer).length;
  }
  return { path, file, at, hash };
}

/** Bytes that cannot belong to the blob are removed, since the next run would continue after them. */
async function discard({ path }: Download, message: string): Promise<never> {
  await rm(path, { force: true });
  throw new Fault('registry_mismatch', `${message}; it was removed`);
}

/** The pieces of an answer. */
async function* piecesOf(remote: Remote, what: string, answer: Answer) {
  try {
    yield* answer.body;
  } catch (error) {
    throw remote.lost(what, error);
  }
}

async function goOn(remote: Remote, { digest, size }: Descriptor, down: Download): Promise<void> {
  const what = `blob ${digest}`;
  const headers: Record<string, string> = down.at > 0 ? { range: `bytes=${down.at}-` } : {};
  const url = remote.session.url(`blobs/${digest}`);
  const answer = await remote.ask(what, url, { headers }, [200, 206, 404]);
  if (answer.status === 404) {
    answer.discard();
    throw new Fault('bundle_not_found', `${remote.repository} has the manifest and not its ${what}`);
  }
  const range = answer.headers.get('content-range') ?? '';
  if (answer.status === 206 && !range.startsWith(`bytes ${down.at}-`)) {
    answer.discard();
    throw new Fault('registry_mismatch', `${remote.host}, ${what}: not the part that was asked for`);
  }
  // A server that does not support ranges sends all of it again.
  let skip = answer.status === 200 ? down.at : 0;
  for await (const piece of piecesOf(remote, what, answer)) {
    const bytes = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - bytes.length;
    if (down.at + bytes.length > size)
      await discard(down, `${remote.host}, ${what}: more came than its ${size} bytes`);
    await down.file.write(bytes, 0, bytes.length, down.at);
    down.hash.update(bytes);
    down.at += bytes.length;
  }
  if (down.at < size) throw new Lost(`${remote.host}, ${what}: it ended after ${down.at} of ${size} bytes`);
}

/** Downloads the whole blob to the file at `path`; other content is removed. */
export async function downloadBlob(remote: Remote, blob: Descriptor, path: string): Promise<void> {
  // Never through a link that another user put there.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    const down = await takeUp(path, file, blob.size);
    await remote.patiently(
      () => down.at,
      async () => {
        if (down.at < blob.size) await goOn(remote, blob, down);
      },
    );
    const actual = down.hash.end();
    if (actual !== blob.digest)
      await discard(down, `${remote.host}, blob ${blob.digest}: what came has the digest ${actual}`);
  } finally {
    await file.close();
  }
}
