/** Circles among files that import each other. */

/** The first circle among files that is found, by the files that each imports; undefined where there is none. */
export function circleOf(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (path: string, above: readonly string[]): string[] | undefined => {
    const at = above.indexOf(path);
    if (at >= 0) return [...above.slice(at), path];
    if (done.has(path)) return undefined;
    for (const next of imports.get(path) ?? []) {
      const found = walk(next, [...above, path]);
      if (found) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const found = walk(path, []);
    if (found) return found;
  }
  return undefined;
}
