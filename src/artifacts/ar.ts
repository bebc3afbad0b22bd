/** The archive that Debian packages are (deb(5)): members one after the other, in the only form that dpkg writes. */
import { itemAt } from '../base/list.ts';
import type { Pieces } from '../base/pieces.ts';
import { wrongArtifact } from './unpacking.ts';

export const AR_MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
/** Ten decimal digits. */
const FORM = /^([!-~]{1,16}) {0,15}(\d{1,12}) *(\d{1,6}) *(\d{1,6}) *([0-7]{1,8}) *(\d{1,10}) *`\n$/;

export interface ArMember {
  name: string;
  sizeBytes: number;
  /** To be read before the next member is asked for, or not at all. */
  content: AsyncGenerator<Buffer>;
}

/** The members in their order; a Fault where the archive is not in this form, or ends too early. */
export async function* arMembers(pieces: Pieces, archive: string): AsyncGenerator<ArMember> {
  const skip = async (count: number): Promise<number> => {
    let skipped = 0;
    for await (const piece of pieces.take(count)) skipped += piece.length;
    return skipped;
  };
  await skip(AR_MAGIC.length);
  for (;;) {
    const header = (await pieces.peek(HEADER_BYTES)).toString('latin1');
    if (header === '') return;
    const fields = header.length === HEADER_BYTES ? FORM.exec(header) : null;
    if (!fields) throw wrongArtifact(archive, 'after a member stands no whole header of another');
    await skip(HEADER_BYTES);
    const [name, sizeBytes] = [itemAt(fields, 1).replace(/\/$/, ''), Number(fields[6])];
    let left = sizeBytes;
    const content = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of pieces.take(left)) {
        left -= piece.length;
        yield piece;
      }
    };
    yield { name, sizeBytes, content: content() };
    left -= await skip(left);
    if (left > 0) throw wrongArtifact(archive, `it ends ${left} bytes before its member ${name} does`);
    if (sizeBytes % 2 === 1) await skip(1);
  }
}
