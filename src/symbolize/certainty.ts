/** Which of the engine's names are certain: it answers with the symbol before an address, however far away, and with any one of several functions that share code. */

import { functionName, mangledStem, sameFunction } from '../base/function-name.ts';
import { itemAt, lastItem } from '../base/list.ts';
import { FileBytes } from '../objects/common/bytes.ts';
import type { Approximate, Resolved } from '../objects/common/source-place.ts';
import { NOBITS, readHeader, readSections } from '../objects/elf/header.ts';
import { namesAt, type SymbolTable, symbolTableOf } from '../objects/elf/symbol-table.ts';
import { demangled } from './demangle.ts';
import type { SymbolFile } from './stage.ts';

const MOST_COMMENT_BYTES = 1 << 16;
/** Linkers that keep one body of functions that are alike (--icf). GNU ld does not. */
const FOLDS = /\bLLD \d|\bmold \d/;

/** Whether the linker that made this file may have folded functions: linkers write their name into it. */
function isFolding(file: FileBytes): boolean {
  const sections = readSections(file, readHeader(file));
  if (sections.some(({ name }) => name === '.note.gnu.gold-version')) return true;
  const comment = sections.find(({ name, type }) => name === '.comment' && type !== NOBITS);
  if (!comment) return false;
  const size = Math.min(Number(comment.size), MOST_COMMENT_BYTES);
  return FOLDS.test(file.piece(comment.offset, size, 'the section .comment').toString('latin1'));
}

/** Whether names of one place are those of one function, as two entries of a constructor are. */
async function areOne(names: string[]): Promise<boolean> {
  const stems = names.flatMap((name) => mangledStem(name) ?? []);
  const plain = await demangled(stems);
  const read = names.map((name) => functionName(name, { demangled: plain.get(mangledStem(name) ?? '') }));
  return read.every((one) => sameFunction(itemAt(read, 0), one) !== null);
}

async function ofElf(path: string, relAddrs: BigUint64Array, all: Resolved[]): Promise<Resolved[]> {
  const file = new FileBytes(path);
  try {
    const folding = isFolding(file);
    // Lines come with a function that knows where it ends.
    const asked = all.map(({ places }) => places.length > 0 && (folding || lastItem(places).line === null));
    const table: SymbolTable | null = asked.includes(true) ? symbolTableOf(file) : null;
    if (!table) return all;
    const known = new Map<string, boolean>();
    const one = async (names: string[]): Promise<boolean> => {
      const key = names.join('\0');
      const found = known.get(key) ?? (await areOne(names));
      known.set(key, found);
      return found;
    };
    const judgedOf = async (resolved: Resolved, rel: number): Promise<Approximate | null> => {
      const { function: name, line } = lastItem(resolved.places);
      const names = namesAt(table, rel);
      if (line === null && name !== null && !names.includes(name)) return 'nearest';
      return folding && names.length > 1 && !(await one(names)) ? 'folded' : null;
    };
    const found: Resolved[] = [];
    for (const [i, resolved] of all.entries())
      found.push(
        asked[i] ? { ...resolved, approximate: await judgedOf(resolved, Number(relAddrs[i])) } : resolved,
      );
    return found;
  } finally {
    file.close();
  }
}

/** The same answers, each with what makes it uncertain. In formats whose symbols have no size, names without a line are the nearest. */
export async function judged(
  { path, format }: SymbolFile,
  relAddrs: BigUint64Array,
  all: Resolved[],
): Promise<Resolved[]> {
  if (format === 'elf') return await ofElf(path, relAddrs, all);
  return all.map((one) => {
    const outer = one.places.at(-1);
    return outer && outer.line === null ? { ...one, approximate: 'nearest' } : one;
  });
}
