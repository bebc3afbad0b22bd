/** The bundle as a BagIt bag (RFC 8493), which can be checked with sha256sum alone; made of digests that are known already. */
import { type Digest, digestOf, hexOf } from '../../base/digest.ts';

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

/** A file below data/: what people read. */
export interface Payload extends BagFile {
  sizeBytes: number;
}

/** A text below data/. */
export function payloadOf(name: string, text: string): Payload {
  return { ...bagFileOf(name, text), sizeBytes: Buffer.byteLength(text) };
}

/** The version of the texts below data/. */
function agent(textsVersion: number): string {
  return `Bag-Software-Agent: reenact texts ${textsVersion}`;
}

/** The version that a bag-info.txt names; 0 where it names none. */
export function textsVersionOf(info: string): number {
  const [, digits] = /^Bag-Software-Agent: reenact texts ([1-9]\d{0,5})$/m.exec(info) ?? [];
  return Number(digits ?? 0);
}

/** The bag's own files in their order; `layout` is everything before them, `payload` what comes after them. */
export function bagFiles(
  root: Digest,
  layout: BagFile[],
  payload: Payload[],
  textsVersion: number,
): [string, string][] {
  const octets = payload.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const info = `${agent(textsVersion)}\nExternal-Identifier: ${root}\nPayload-Oxum: ${octets}.${payload.length}\n`;
  const tags: [string, string][] = [
    ['bagit.txt', BAGIT],
    ['bag-info.txt', info],
    ['manifest-sha256.txt', manifestText(payload)],
  ];
  const tagFiles = tags.map(([name, text]) => bagFileOf(name, text));
  return [...tags, ['tagmanifest-sha256.txt', manifestText([...layout, ...tagFiles])]];
}
