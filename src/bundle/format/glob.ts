/** Patterns over the paths of an unpacked bundle. */

/**
 * Whether a pattern fits a path or a folder above it: `*` stands for anything within a part, `**` for anything.
 * All positions in the pattern that may come next advance together, so that no name causes backtracking.
 */
export function globFits(pattern: string, path: string): boolean {
  const tokens = pattern.match(/\*{2,}|[\s\S]/gu) ?? [];
  let next = new Set([0]);
  const skipStars = (): void => {
    // Iterating over a set also visits members that are added meanwhile.
    for (const at of next) if (tokens[at]?.startsWith('*')) next.add(at + 1);
  };
  skipStars();
  for (const char of path) {
    if (char === '/' && next.has(tokens.length)) return true;
    const now = next;
    next = new Set();
    for (const at of now) {
      const token = tokens[at];
      if (token === undefined) continue;
      if (token.startsWith('*')) {
        if (token !== '*' || char !== '/') next.add(at);
      } else if (token === char) next.add(at + 1);
    }
    skipStars();
  }
  return next.has(tokens.length);
}
