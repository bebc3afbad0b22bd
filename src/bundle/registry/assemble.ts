/** Puts an archive together from blobs that lie in a folder by their digests. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { hexOf } from '../../base/digest.ts';
import { blobName } from '../format/format.ts';
import { paddingBytes, TAR_END, tarHeader, ZEROS } from '../format/tar.ts';
import { attachedFiles, frontFiles, type Layout } from '../read/layout.ts';
import { missingEnd } from '../read/open.ts';
import { Output } from '../write/output.ts';

/** Writes the archive into the folder and returns its path; the bag and the texts are made of what is inside. */
export async function assemble(folder: string, layout: Layout): Promise<string> {
  const path = join(folder, 'unfinished');
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx', 0o644);
  try {
    const out = new Output(fd);
    for (const [name, text] of frontFiles(layout)) out.file(name, text);
    for (const { digest, size } of layout.layers) {
      out.write(tarHeader({ name: blobName(digest), sizeBytes: size }));
      const blob = openSync(join(folder, hexOf(digest)), 'r');
      try {
        out.copy(blob, 0, size);
      } finally {
        closeSync(blob);
      }
      out.write(ZEROS.subarray(0, paddingBytes(size)));
    }
    for (const [name, bytes] of attachedFiles(layout)) out.file(name, bytes);
    out.flush();
    for (const [name, text] of await missingEnd(path)) out.file(name, text);
    out.write(TAR_END);
    out.flush();
    fsyncSync(fd);
    return path;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
