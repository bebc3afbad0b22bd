/** The programs and libraries in an untrusted tar; no name in it ever becomes a path on this machine. */

import { Readable } from 'node:stream';
import tar from 'tar-stream';
import { Fault } from '../base/fault.ts';
import { Pieces } from '../base/pieces.ts';
import { messageOf } from '../base/thrown.ts';
import type { FoundFile, Unpacking } from './unpacking.ts';

/** What becomes of one file: its whole path, beginning with a slash, and its bytes. */
type Each<T> = (path: string, content: AsyncIterable<Uint8Array>) => Promise<T | undefined>;

function cleanPath(name: string): string {
  return `/${name.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')}`;
}

/** A file with holes is stored without them, behind a list of them: these bytes are not the file's. */
function isSparse({ pax }: tar.Header): boolean {
  return Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse.'));
}

/** What `each` makes of every plain file, under each of its names; the tar is read to its end. */
async function* filesOf<T>(
  source: AsyncIterable<Uint8Array>,
  name: string,
  unpacking: Unpacking,
  each: Each<T>,
): AsyncGenerator<{ path: string; found: T }> {
  const extract = tar.extract();
  const stream = Readable.from(source, { objectMode: false });
  stream.on('error', (error) => extract.destroy(error));
  stream.pipe(extract);
  const seen = new Map<string, T>();
  try {
    for await (const part of extract) {
      unpacking.takeEntry(name);
      const { type, linkname } = part.header;
      const path = cleanPath(part.header.name);
      let found: T | undefined;
      if (type === 'link') found = seen.get(cleanPath(linkname ?? ''));
      else if ((type === 'file' || type === 'contiguous-file') && !isSparse(part.header))
        found = await each(path, part as AsyncIterable<Uint8Array>);
      part.resume();
      // This entry replaces an earlier one of the same name.
      seen.delete(path);
      if (found === undefined) continue;
      seen.set(path, found);
      yield { path, found };
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('artifact_malformed', `${name} is no whole tar: ${messageOf(error)}`, error);
  } finally {
    extract.destroy();
    stream.destroy();
  }
}

/** Every program and library in the tar that a process can load; those that cannot be read are noted and left out. */
export async function programsIn(
  source: AsyncIterable<Uint8Array>,
  name: string,
  unpacking: Unpacking,
): Promise<{ path: string; found: FoundFile }[]> {
  const programs: { path: string; found: FoundFile }[] = [];
  const each: Each<FoundFile> = async (path, content) => {
    try {
      const found = await unpacking.readIfProgram(content, `${name}:${path}`);
      return found && found.images.length > 0 ? found : undefined;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
      unpacking.leaveOut(error);
      return undefined;
    }
  };
  for await (const program of filesOf(source, name, unpacking, each)) programs.push(program);
  return programs;
}

/** The first bytes of one small file of the tar, by its path; undefined where it is not there. */
export async function fileIn(
  source: AsyncIterable<Uint8Array>,
  name: string,
  wanted: string,
  mostBytes: number,
  unpacking: Unpacking,
): Promise<Buffer | undefined> {
  let result: Buffer | undefined;
  const each: Each<Buffer> = async (path, content) =>
    path === wanted ? Buffer.from(await new Pieces(content).peek(mostBytes)) : undefined;
  for await (const { found } of filesOf(source, name, unpacking, each)) result ??= found;
  return result;
}
