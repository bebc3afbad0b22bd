/** A Debian package (deb(5)): the name and version that it states, and the programs and libraries that it installs. */

import { present } from '../base/list.ts';
import type { Pieces } from '../base/pieces.ts';
import type { Shipped } from '../join/store/artifacts.ts';
import { AR_MAGIC, arMembers } from './ar.ts';
import { contentsOf } from './contents.ts';
import { decompressed } from './decompress.ts';
import { fileIn, programsIn } from './tar.ts';
import { type FoundFile, type Unpacking, wrongArtifact } from './unpacking.ts';

export const DEB_MAGIC: string = `${AR_MAGIC}debian-binary`;
const CONTROL_BYTES = 65_536;
/** Debian Policy, 5.6. */
const FIELDS: Readonly<Record<string, RegExp>> = {
  Package: /^Package:[ \t]*([a-z0-9][a-z0-9+.-]{1,127})[ \t]*$/im,
  Version: /^Version:[ \t]*([0-9A-Za-z.+:~-]{1,255})[ \t]*$/im,
  Architecture: /^Architecture:[ \t]*([a-z0-9-]{1,63})[ \t]*$/im,
};

/** Such as hello_2.10-3_amd64. */
function nameOf(control: Buffer, file: string): string {
  const [paragraph] = control.toString('utf8').split(/\n[ \t]*\n/);
  return Object.entries(FIELDS)
    .map(([field, form]) => {
      const found = form.exec(present(paragraph))?.[1];
      if (found === undefined) throw wrongArtifact(file, `its control file has no proper field ${field}`);
      return found;
    })
    .join('_');
}

/** What a package holds; `pieces` is read to its end, since the caller hashes it. */
export async function readDeb(
  pieces: Pieces,
  file: string,
  unpacking: Unpacking,
): Promise<Pick<Shipped, 'name' | 'contents'>> {
  let stage: 'version' | 'control' | 'data' | 'end' = 'version';
  let name = file;
  let programs: { path: string; found: FoundFile }[] = [];
  for await (const member of arMembers(pieces, file)) {
    const where = `${file}, ${member.name}`;
    if (stage === 'version') {
      const version = await textOf(member.content, 16);
      if (member.name !== 'debian-binary' || !/^2\.\d+\n/.test(version))
        throw wrongArtifact(file, 'it is no Debian package of format 2');
      stage = 'control';
    } else if (stage === 'control' && /^control\.tar(?:\.(?:gz|xz|zst))?$/.test(member.name)) {
      const tar = decompressed(member.content, where, unpacking);
      const control = await fileIn(tar, where, '/control', CONTROL_BYTES, unpacking);
      if (!control) throw wrongArtifact(where, 'it holds no control file');
      name = nameOf(control, file);
      stage = 'data';
    } else if (stage === 'data' && /^data\.tar(?:\.(?:gz|xz|zst))?$/.test(member.name)) {
      programs = await programsIn(decompressed(member.content, where, unpacking), name, unpacking);
      stage = 'end';
    } else if (!member.name.startsWith('_') && stage !== 'end')
      throw wrongArtifact(file, `a member ${member.name} where ${stage}.tar, .gz, .xz or .zst is expected`);
  }
  if (stage !== 'end') throw wrongArtifact(file, `it ends before its ${stage}`);
  return { name, contents: contentsOf(name, programs) };
}

async function textOf(content: AsyncIterable<Buffer>, mostBytes: number): Promise<string> {
  let text = '';
  for await (const piece of content) if (text.length < mostBytes) text += piece.toString('latin1');
  return text;
}
