/** What a format of symbol files has to say of itself: a format that is added is one file, and one line of object.ts. */
import type { FileBytes } from './bytes.ts';
import type { ObjectFile } from './identity.ts';

export interface SymbolFormat {
  /** What the object's `format` says, also in the store and in bundles. */
  name: string;
  /** What people call it, with an article where it needs one: it stands in the message that lists what is read. */
  title: string;
  /** Programs, libraries, or their debug files: what has code, or had it. */
  isProgram: boolean;
  /** Whether a file that begins so is of this format. At least 8 bytes, at most 32. */
  recognise: (start: Buffer) => boolean;
  /** The identities of its images. Throws a Fault (`object_malformed`) that names the file and what in it is wrong. */
  read: (file: FileBytes) => ObjectFile;
}
