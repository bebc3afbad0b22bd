/** Sections that GNU tools compressed before there was a flag for it (.zdebug_*), in the form that the engine reads. */
import type { FileBytes } from '../objects/common/bytes.ts';
import { compressionHeader, type Replaced } from '../objects/elf/copy.ts';
import { COMPRESSED, readHeader, readSections } from '../objects/elf/header.ts';

const PIECE_BYTES = 1 << 20;
/** `ZLIB`, and the size unpacked. */
const HEAD_BYTES = 12;

/** They stay compressed: only the header before the stream changes. None where the file has no such sections. */
export function plainNames(file: FileBytes): Replaced[] {
  const h = readHeader(file);
  return readSections(file, h)
    .filter(({ name, size }) => name.startsWith('.zdebug_') && size >= HEAD_BYTES)
    .map(({ name, offset, size }) => {
      const head = file.piece(offset, HEAD_BYTES, name);
      if (head.toString('latin1', 0, 4) !== 'ZLIB')
        throw file.wrong(`its section ${name} is not packed by zlib`);
      function* content(): Generator<Buffer> {
        yield compressionHeader(h, head.readBigUInt64BE(4));
        for (let at = HEAD_BYTES; at < Number(size); at += PIECE_BYTES)
          yield file.piece(Number(offset) + at, Math.min(PIECE_BYTES, Number(size) - at), name);
      }
      return { from: name, name: name.replace('.z', '.'), flags: COMPRESSED, content: content() };
    });
}
