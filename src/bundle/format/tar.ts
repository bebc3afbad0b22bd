/** The one form of tar that bundles have: plain ustar, regular files only, every field fixed (docs/bundle.md). */
import { Refused } from './refused.ts';

export const BLOCK_BYTES: number = 512;
/** Eleven octal digits. */
export const MEMBER_BYTES: number = 8 ** 11 - 1;
const NAME_BYTES = 100;

/** One file in the archive. */
export interface Member {
  name: string;
  sizeBytes: number;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

const SIZE_AT = 124;
const SUM_AT = 148;

/** The fields that all headers share; a header's own checksum counts as spaces. */
function commonHeader(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(`${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}`, 100, 'latin1');
  block.write(`${octal(0, 11)}        0`, 136, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${octal(0, 7)}${octal(0, 7)}`, 329, 'latin1');
  return block;
}
const COMMON = commonHeader();
const COMMON_SUM = COMMON.reduce((sum, byte) => sum + byte, 0);

/** The header block of a member: mode 0644, owner and time 0, no link, no extension. */
export function tarHeader({ name, sizeBytes }: Member): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES || sizeBytes > MEMBER_BYTES)
    throw new RangeError(`${name} of ${sizeBytes} bytes does not fit into a tar member`);
  const block = Buffer.from(COMMON);
  const nameBytes = block.write(name, 0, 'utf8');
  block.write(octal(sizeBytes, 11), SIZE_AT, 'latin1');
  let sum = COMMON_SUM;
  for (let at = 0; at < nameBytes; at++) sum += block[at]!;
  for (let at = SIZE_AT; at < SIZE_AT + 11; at++) sum += block[at]!;
  block.write(`${sum.toString(8).padStart(6, '0')}\0`, SUM_AT, 'latin1');
  return block;
}

/** Zero bytes after a member's content, up to a whole block. */
export function paddingBytes(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Bytes of a member with header and padding. */
export function spaceOf(sizeBytes: number): number {
  return BLOCK_BYTES + sizeBytes + paddingBytes(sizeBytes);
}

/** What padding is taken from. */
export const ZEROS: Buffer = Buffer.alloc(BLOCK_BYTES);

/** Two zero blocks: nothing may follow. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

/** Reads a header by writing it again: any difference from what we would write is refused. */
export function parseTarHeader(block: Buffer, at: number): Member {
  const end = block.indexOf(0);
  const name = block.toString('utf8', 0, end < 0 || end > NAME_BYTES ? NAME_BYTES : end);
  const size = block.toString('latin1', 124, 135);
  const where = `the member at byte ${at}`;
  if (!/^[0-7]{11}$/.test(size)) throw new Refused('tar_form', `${where} has no size in octal digits`);
  if (!/^[\x21-\x7e]+$/.test(name) || name.startsWith('/') || /(?:^|\/)\.{0,2}(?:\/|$)/.test(name))
    throw new Refused('tar_name', `${where} has the name ${JSON.stringify(name.slice(0, 100))}`);
  const member = { name, sizeBytes: Number.parseInt(size, 8) };
  if (!tarHeader(member).equals(block))
    throw new Refused(
      'tar_form',
      `${where}, ${name}, is not a plain file with mode 0644 and nothing else set`,
    );
  return member;
}
