/** The bundle as a BagIt bag (RFC 8493): checked with sha256sum alone; made of digests that are known anyway. */
import { type Digest, digestOf, hexOf } from '../base/digest.ts';

/** A file of the bag: its name in the archive and its digest. */
export interface BagFile {
  name: string;
  sha256: Digest;
}

/** A file whose bytes are at hand. */
export function bagFileOf(name: string, content: string | Uint8Array): BagFile {
  return { name, sha256: digestOf(content) };
}

const BAGIT = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

function manifestText(files: BagFile[]): string {
  return files
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sha256 }) => `${hexOf(sha256)}  ${name}\n`)
    .join('');
}

/** The bag's own files in their order; `layout` is everything before them, `payload` what people read. */
export function bagFiles(root: Digest, layout: BagFile[], payload: [string, string][]): [string, string][] {
  const data = payload.map(([name, text]) => bagFileOf(name, text));
  const octets = payload.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  const info = `External-Identifier: ${root}\nPayload-Oxum: ${octets}.${data.length}\n`;
  const manifest = manifestText(data);
  const tags: [string, string][] = [
    ['bagit.txt', BAGIT],
    ['bag-info.txt', info],
    ['manifest-sha256.txt', manifest],
  ];
  const tagFiles = tags.map(([name, text]) => bagFileOf(name, text));
  return [...tags, ['tagmanifest-sha256.txt', manifestText([...layout, ...tagFiles])], ...payload];
}
