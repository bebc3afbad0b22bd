/** Fills read-only volumes through the archive API, which works with a remote engine and resists a guest's uid 0. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import tar from 'tar-stream';

/** A file to put in: bytes in memory, or a private copy on disk of known size. */
export interface VolumeFile {
  path: string;
  mode: number;
  content: Uint8Array | { file: string; sizeBytes: number };
}

async function writeFiles(
  pack: tar.Pack,
  files: VolumeFile[],
  owner: { uid: number; gid: number },
): Promise<void> {
  const folders = new Set<string>();
  const common = { ...owner, mtime: new Date(0) };
  for (const file of files) {
    const parts = file.path.split('/').slice(0, -1);
    for (let i = 1; i <= parts.length; i++) {
      const folder = parts.slice(0, i).join('/');
      if (!folders.has(folder)) pack.entry({ ...common, name: folder, type: 'directory', mode: 0o755 });
      folders.add(folder);
    }
    const header = { ...common, name: file.path, mode: file.mode };
    if (file.content instanceof Uint8Array) pack.entry(header, Buffer.from(file.content));
    else {
      const { file: source, sizeBytes } = file.content;
      await new Promise<void>((resolve, reject) => {
        const entry = pack.entry({ ...header, size: sizeBytes }, (error) =>
          error ? reject(error) : resolve(),
        );
        createReadStream(source)
          .on('error', reject)
          .pipe(entry as unknown as NodeJS.WritableStream);
      });
    }
  }
  pack.finalize();
}

/** A tar of files, owned by root and dated 1970, for the archive API. */
export function tarOf(files: VolumeFile[]): Readable {
  const pack = tar.pack();
  writeFiles(pack, files, { uid: 0, gid: 0 }).catch((error) => pack.destroy(error));
  return Readable.from(pack as AsyncIterable<Uint8Array>);
}

/** A tar of one empty folder. */
export function tarOfFolder(name: string, uid: number, gid: number): Readable {
  const pack = tar.pack();
  pack.entry({ name, type: 'directory', mode: 0o755, uid, gid, mtime: new Date(0) });
  pack.finalize();
  return Readable.from(pack as AsyncIterable<Uint8Array>);
}
