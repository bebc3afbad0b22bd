/** Turns addresses of an image into functions, files and lines, with the symbols of its build. */
import { breakpadPlaces } from './breakpad-lines.ts';
import { askEngine } from './symbolize/batch.ts';
import { ENGINE } from './symbolize/engine.ts';
import { NOTHING, type Resolved } from './symbolize/place.ts';
import type { SymbolFile } from './symbolize/stage.ts';

export { engineVersion } from './symbolize/engine.ts';
export type { Place, Resolved } from './symbolize/place.ts';

const MOST = 2n ** 64n;

/**
 * What stands at each of `relAddrs`: distances from the image's lowest address, already moved to the call where they
 * are return addresses; equal ones share one answer. Throws a Fault where the file is not what it is said to be
 * (object_malformed), or there is no engine (symbolizer_missing); `program` is the engine.
 */
export async function symbolize(
  file: SymbolFile,
  relAddrs: bigint[],
  program: string = ENGINE,
): Promise<Resolved[]> {
  // In order, the engine finds what it needs at hand, and each address is asked for once.
  const wanted = [...new Set(relAddrs)].filter((address) => address >= 0n && address < MOST);
  const sorted = BigUint64Array.from(wanted).sort();
  const found =
    file.format === 'breakpad' ? breakpadPlaces(file, sorted) : await askEngine(file, sorted, program);
  const byAddress = new Map<bigint, Resolved>();
  sorted.forEach((address, i) => {
    byAddress.set(address, found[i]!);
  });
  return relAddrs.map((address) => byAddress.get(address) ?? NOTHING);
}
