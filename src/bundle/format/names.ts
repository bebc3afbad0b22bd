/** Turns names that a stranger chose into paths below one folder that are safe to write on any system. */

import { digestOf, hexOf } from '../../base/digest.ts';
import { lastItem } from '../../base/list.ts';

const PART_BYTES = 255;
/** The deepest and longest paths: larger ones could not be opened once the target folder is put before them. */
const PATH_BYTES = 2048;
const PATH_PARTS = 255;

/** Control characters, those that reverse text, and characters that mean a folder, a drive or a stream to Windows. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\\:]/g;
/** Windows drops these, so that "..." could be ".." there. */
const TRAILING = /[. ]+$/;
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=$|[ .])/i;

/** One part of a path, spelt so that it names a file and nothing else. */
function safePart(part: string): string {
  return part
    .replace(UNSAFE, '_')
    .replace(TRAILING, (end) => '_'.repeat(end.length))
    .replace(DEVICE, '_$&');
}

/** A part with a suffix that tells it apart; one that is too long keeps its beginning and a digest. */
function fitted(part: string, suffix: string): string {
  if (Buffer.byteLength(part + suffix) <= PART_BYTES) return part + suffix;
  const mark = `~${hexOf(digestOf(part)).slice(0, 16)}${suffix}`;
  const room = PART_BYTES - mark.length;
  const bytes = Buffer.from(part).subarray(0, room);
  // A character that was cut in the middle decodes to this one, which is longer than the rest of it.
  return bytes.toString().replace(/\ufffd+$/, '') + mark;
}

/** One spelling of all names that file systems without case, Unicode forms or invisible characters treat as the same. */
function folded(part: string): string {
  return part
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase()
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '');
}

class Folder {
  readonly path: string;
  readonly folders = new Map<string, Folder>();
  /** Names in use, in folded form, each with the number to append for the next one. */
  private readonly given = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
  }

  /** A path in this folder that is not in use. */
  claim(part: string): string {
    const safe = fitted(safePart(part), '');
    const first = folded(safe);
    for (let number = this.given.get(first) ?? 1; ; number++) {
      const name = number === 1 ? safe : fitted(safe, `~${number}`);
      const key = folded(name);
      if (number > 1 && this.given.has(key)) continue;
      this.given.set(key, 2);
      this.given.set(first, number + 1);
      return this.path === '' ? name : `${this.path}/${name}`;
    }
  }
}

/** Gives each name a path of its own; the same names in the same order are given the same paths. */
export class Names {
  /** Folders and files so far. */
  count: number = 0;
  private readonly root = new Folder('');

  /** The path for a name in a folder of ours; `otherwise` is used for an empty name. */
  place(folder: string, name: string, otherwise: string): string {
    let parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.length === 0) parts = [otherwise];
    if (parts.length > PATH_PARTS || Buffer.byteLength(name) > PATH_BYTES) parts = [hexOf(digestOf(name))];
    let at = this.folder(this.root, folder);
    for (const part of parts.slice(0, -1)) at = this.folder(at, part);
    this.count++;
    return at.claim(lastItem(parts));
  }

  private folder(parent: Folder, part: string): Folder {
    let folder = parent.folders.get(part);
    if (!folder) {
      folder = new Folder(parent.claim(part));
      parent.folders.set(part, folder);
      this.count++;
    }
    return folder;
  }
}
