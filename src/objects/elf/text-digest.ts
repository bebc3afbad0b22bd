/** The digest of a program's code alone: what stays equal where the same code was linked again under another id. */
import { type Digest, startDigest } from '../../base/digest.ts';
import { FileBytes } from '../common/bytes.ts';
import type { ObjectFile } from '../common/identity.ts';
import { NOBITS, readHeader, readSections } from './header.ts';

const PIECE_BYTES = 1 << 20;

/** Of an ELF file's .text; null where there is none, or its bytes lie in another file. */
export function textDigestOf(path: string, format: ObjectFile['format']): Digest | null {
  if (format !== 'elf') return null;
  const file = new FileBytes(path);
  try {
    const text = readSections(file, readHeader(file)).find(({ name }) => name === '.text');
    if (!text || text.type === NOBITS || text.size === 0n) return null;
    const digest = startDigest();
    const end = text.offset + text.size;
    for (let at = text.offset; at < end; at += BigInt(PIECE_BYTES)) {
      const left = end - at;
      digest.update(file.piece(at, left < PIECE_BYTES ? left : BigInt(PIECE_BYTES), 'the section .text'));
    }
    return digest.end();
  } finally {
    file.close();
  }
}
