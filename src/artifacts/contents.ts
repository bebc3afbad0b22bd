/** Programs that were found in a container, as artifacts of their own. */
import type { Shipped } from '../join/store/artifacts.ts';
import type { FoundFile } from './unpacking.ts';

/** Each program under its path in the container; its name shows both. */
export function contentsOf(
  container: string,
  programs: { path: string; found: FoundFile }[],
): Shipped['contents'] {
  return programs.map(({ path, found }) => ({
    path,
    shipped: { ...found, kind: 'file', name: `${container}:${path}`, contents: [] },
  }));
}
