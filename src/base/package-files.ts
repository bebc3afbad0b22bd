/** Files that the package ships beside its code: the harness, trust roots, the empty database, its own description. */
import { fileURLToPath } from 'node:url';

/** The absolute path of one, given from the package's root. The root is two folders up in a checkout (src/base/) and in a package (dist/base/, dist/cli/): no other file may ask where it lies. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
