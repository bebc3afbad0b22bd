/** The engine that names addresses, as the store's commands use it: asked for its version when it is first needed. */
import type { Symbolizer } from '../join/store/resolve.ts';
import { engineVersion, symbolize } from '../symbolize/symbolize.ts';

export function symbolizer(): Symbolizer {
  let version: Promise<string> | undefined;
  return {
    engine: async () => {
      version ??= engineVersion();
      return `llvm-symbolizer ${await version}`;
    },
    symbolize: (file, addresses) => symbolize(file, addresses),
  };
}
