/** Turns addresses of an image into functions, files and lines, with the symbols of its build. */

import { itemAt } from '../base/list.ts';
import { hasMiniSymbols } from '../objects/common/identity.ts';
import { NOTHING, type Resolved } from '../objects/common/source-place.ts';
import { withMiniSymbols } from '../objects/mini-debug-info.ts';
import { askEngine } from './batch.ts';
import { breakpadPlaces } from './breakpad-lines.ts';
import { ENGINE } from './engine.ts';
import { goPlaces } from './go-places.ts';
import { scriptPlaces } from './script-places.ts';
import { imageIn, type SymbolFile } from './stage.ts';

export type { Resolved } from '../objects/common/source-place.ts';
export { engineVersion } from './engine.ts';

type PlacesReader = (
  file: SymbolFile,
  sorted: BigUint64Array,
  program: string,
) => Resolved[] | Promise<Resolved[]>;

/** Go's own table says what lies where, when nothing else does; mini debug information is unpacked beside the file. */
async function elfPlaces(file: SymbolFile, sorted: BigUint64Array, program: string): Promise<Resolved[]> {
  const { features } = imageIn(file);
  if (features.includes('go_lines') && !features.includes('debug_info')) return await goPlaces(file, sorted);
  if (!hasMiniSymbols(features)) return await askEngine(file, sorted, program);
  return await withMiniSymbols(file.path, (path) => askEngine({ ...file, path }, sorted, program));
}

/** Formats of which we read places ourselves, as far as the engine does not; all others are asked of the engine. */
const READERS: ReadonlyMap<string, PlacesReader> = new Map<string, PlacesReader>([
  ['sourcemap', ({ path }, sorted) => scriptPlaces(path, sorted)],
  ['breakpad', breakpadPlaces],
  ['elf', elfPlaces],
]);

/**
 * What stands at each of `relAddrs`: distances from the image's lowest address, already moved to the call where they
 * are return addresses; equal ones share one answer. Throws a Fault where the file is not the one that it should be
 * (object_malformed), or there is no engine (symbolizer_missing); `program` is the engine.
 */
export async function symbolize(
  file: SymbolFile,
  relAddrs: bigint[],
  program: string = ENGINE,
): Promise<Resolved[]> {
  // In ascending order the engine has what it needs in its caches, and each address is asked for once.
  const sorted = BigUint64Array.from(new Set(relAddrs)).sort();
  const found = await (READERS.get(file.format) ?? askEngine)(file, sorted, program);
  const byAddress = new Map<bigint, Resolved>();
  sorted.forEach((address, i) => {
    byAddress.set(address, itemAt(found, i));
  });
  // What is negative, or beyond 64 bits, was asked for as another number, and is not found by its own.
  return relAddrs.map((address) => byAddress.get(address) ?? NOTHING);
}
