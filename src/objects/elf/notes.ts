/** Notes of an ELF file, and the ids that linkers leave in them. */
import { Numbers } from './header.ts';

const GNU_BUILD_ID = 3;
const GO_BUILD_ID = 4;

export interface Note {
  owner: string;
  type: number;
  content: Buffer;
}

/** Notes one after the other, each part padded; what does not add up ends the list. */
export function notesOf(bytes: Buffer, little: boolean, align: number): Note[] {
  const n = new Numbers(bytes, little);
  const notes: Note[] = [];
  const padded = (length: number): number => Math.ceil(length / align) * align;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const [name, size, type] = [n.u32(at), n.u32(at + 4), n.u32(at + 8)];
    const content = padded(at + 12 + name);
    if (content + size > bytes.length) break;
    const owner = bytes.toString('latin1', at + 12, at + 12 + Math.max(0, name - 1));
    notes.push({ owner, type, content: bytes.subarray(content, content + size) });
    at = padded(content + size);
  }
  return notes;
}

/** The linker's id, as a note says it; undefined where none does. */
export function buildIdOf(notes: Note[]): Buffer | undefined {
  return notes.find(
    ({ owner, type, content }) => owner === 'GNU' && type === GNU_BUILD_ID && content.length > 0,
  )?.content;
}

/** What Go's linker wrote: of the actions and contents that made the program. */
export function goIdOf(notes: Note[]): string | null {
  const found = notes.find(({ owner, type }) => owner.replace(/\0+$/, '') === 'Go' && type === GO_BUILD_ID);
  return found ? found.content.toString('latin1') : null;
}
