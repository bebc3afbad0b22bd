/** The functions of an ELF file as its symbol table names them, each with the digest of its code: what stayed equal between builds. */
import { type Digest, digestOf } from '../../base/digest.ts';
import { FileBytes } from '../common/bytes.ts';
import { NOBITS } from './header.ts';
import { symbolTableOf } from './symbol-table.ts';

export interface FunctionBlob {
  /** As the linker knows it, not demangled; of several names at one address the first by bytes. */
  name: string;
  /** How many further names there are. */
  aliases: number;
  /** From the image's beginning, as frames count it. */
  rel_addr: number;
  size: number;
  /** Of its bytes; null where the file does not have them, or they are too many. */
  sha256: Digest | null;
}

const MOST_HASHED_BYTES = 256 << 20;
const MOST_FUNCTION_BYTES = 4 << 20;
const PIECE_BYTES = 1 << 20;

/** Digests of places of the file, which is read one piece after the other as long as places only grow. */
function hasher(file: FileBytes): (offset: number, size: number, end: number) => Digest | null {
  let window: Buffer = Buffer.alloc(0);
  let [start, left] = [0, MOST_HASHED_BYTES];
  return (offset, size, end) => {
    if (size > MOST_FUNCTION_BYTES || size > left || offset + size > end || end > file.size) return null;
    left -= size;
    if (offset < start || offset + size > start + window.length) {
      start = offset;
      window = file.piece(offset, Math.max(size, Math.min(PIECE_BYTES, end - offset)), 'its code');
    }
    return digestOf(window.subarray(offset - start, offset - start + size));
  };
}

/** Yields the functions by address, of .symtab or else .dynsym; none of a file that is not linked. Throws a Fault where the table is malformed. */
export function* functionsOf(path: string): Generator<FunctionBlob> {
  const file = new FileBytes(path);
  try {
    if (file.piece(0, Math.min(4, file.size), 'its beginning').toString('latin1') !== '\x7fELF') return;
    const table = symbolTableOf(file);
    if (!table) return;
    const { count, address, size, codeAt, base } = table;
    const digest = hasher(file);
    for (let i = 0; i < count; ) {
      let [best, name, next] = [i, table.name(i), i + 1];
      for (; next < count && address(next) === address(i); next++) {
        const other = table.name(next);
        if (Buffer.compare(other, name) < 0) [best, name] = [next, other];
      }
      const section = codeAt(base + BigInt(address(best)))!;
      const from = Number(section.offset);
      const offset = from + Number(base + BigInt(address(best)) - section.address);
      yield {
        name: name.toString('utf8'),
        aliases: next - i - 1,
        rel_addr: address(best),
        size: size(best),
        sha256: section.type === NOBITS ? null : digest(offset, size(best), from + Number(section.size)),
      };
      i = next;
    }
  } finally {
    file.close();
  }
}
