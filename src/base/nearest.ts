/** "Did you mean": the known name that a misspelt one was most likely meant to be. */

/** How many letters are to be put in, taken out, changed, or swapped with the next to make one text of the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const swapped = line > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1];
      next.push(
        Math.min(
          row[column]! + 1,
          next[column - 1]! + 1,
          row[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1),
          swapped ? before[column - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[to.length]!;
}

/** More than these letters apart, or than half of the name, it is another word. */
const MOST_APART = 3;
/** A longer name is no slip of the fingers, and comparing it takes long. */
const LONGEST = 64;

/** How many letters the beginnings have in common: of names that are as near, fingers slip seldom at the first. */
function beginsAlike(typed: string, known: string): number {
  let same = 0;
  while (same < typed.length && typed[same] === known[same]?.toLowerCase()) same++;
  return same;
}

/** The nearest known name, or the only one that begins like it; undefined when nothing is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const typed = name.toLowerCase();
  const ranked = known
    .map((one) => ({ one, apart: distance(typed, one.toLowerCase()), alike: beginsAlike(typed, one) }))
    .sort((left, right) => left.apart - right.apart || right.alike - left.alike);
  const [best] = ranked;
  if (best && best.apart <= Math.min(MOST_APART, name.length / 2)) return best.one;
  const longer = known.filter((one) => name.length >= 3 && one.toLowerCase().startsWith(typed));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Behind a message about a word that is not known: the one that was most likely meant, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** What is said of a word that is none of a closed list. */
export function notOneOf(word: string, values: readonly string[]): string {
  return `one of ${values.join(', ')}, not "${word}"${didYouMean(word, values)}`;
}
