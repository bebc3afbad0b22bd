/** A whole table of DWARF's abbreviations (dwarfstd.org, 7.5.3): which values each entry of a unit has, and where the table says so. */
import { Cursor, Ended } from '../common/cursor.ts';

const IMPLICIT = 0x21;
const MOST_DECLARED = 1_000_000;
const MOST_ATTRIBUTES = 256;

export interface Declared {
  attributes: {
    name: number;
    form: number /** Where the form stands, and in how many bytes. */;
    formAt: number;
    formBytes: number;
  }[];
}

/** By their codes, from `offset` on. Throws Ended where the table does not end, or is larger than any compiler's. */
export function tableOf(abbrev: Buffer, little: boolean, offset: number): Map<number, Declared> {
  if (offset > abbrev.length) throw new Ended(`has its abbreviations at ${offset} of ${abbrev.length}`);
  const c = new Cursor(abbrev, little, offset);
  const found = new Map<number, Declared>();
  for (let code = c.leb(); code !== 0; code = c.leb()) {
    if (found.size === MOST_DECLARED) throw new Ended(`has more than ${MOST_DECLARED} abbreviations`);
    const declared: Declared = { attributes: [] };
    c.leb();
    c.skip(1);
    for (;;) {
      const name = c.leb();
      const formAt = c.at;
      const form = c.leb();
      const formBytes = c.at - formAt;
      if (form === IMPLICIT) c.leb();
      if (name === 0 && form === 0) break;
      if (declared.attributes.push({ name, form, formAt, formBytes }) > MOST_ATTRIBUTES)
        throw new Ended(`has an abbreviation of more than ${MOST_ATTRIBUTES} attributes`);
    }
    found.set(code, declared);
  }
  return found;
}
