/** "Did you mean": the known name that a misspelt one was most likely meant to be. */

/** How many letters are to be put in, taken out or changed to make one text of the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++)
      next.push(
        Math.min(
          row[column]! + 1,
          next[column - 1]! + 1,
          row[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[to.length]!;
}

/** More than these letters apart, or than half of the name, it is another word. */
const MOST_APART = 3;
/** A longer name is no slip of the fingers, and comparing it takes long. */
const LONGEST = 64;

/** The nearest known name, or the only one that begins like it; undefined when nothing is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const typed = name.toLowerCase();
  const ranked = known
    .map((one) => ({ one, apart: distance(typed, one) }))
    .sort((left, right) => left.apart - right.apart);
  const [best] = ranked;
  if (best && best.apart <= Math.min(MOST_APART, name.length / 2)) return best.one;
  const longer = known.filter((one) => name.length >= 3 && one.startsWith(typed));
  return longer.length === 1 ? longer[0] : undefined;
}
