/** Names places in a Go program by the table that it bears itself, in the form in which all symbols answer. */
import { FileBytes } from '../objects/common/bytes.ts';
import { Ended } from '../objects/common/cursor.ts';
import { NOTHING, type Resolved } from '../objects/common/source-place.ts';
import { readGoTable } from '../objects/go/table.ts';
import { imageIn, type SymbolFile } from './stage.ts';

/** Of distances from the image's lowest address. Throws a Fault where the table is not what Go's linker writes. */
export async function goPlaces(asked: SymbolFile, relAddrs: BigUint64Array): Promise<Resolved[]> {
  const base = BigInt(imageIn(asked).base);
  const file = new FileBytes(asked.path);
  try {
    const table = await readGoTable(file);
    return Array.from(relAddrs, (rel) => {
      const places = table.places(BigInt.asUintN(64, rel + base));
      // A function whose inlined calls are not found has no line.
      const degraded = places.at(-1)?.line === null;
      return places.length === 0 ? NOTHING : { places, degraded, error: null, approximate: null };
    });
  } catch (error) {
    if (!(error instanceof Ended) && !(error instanceof RangeError)) throw error;
    throw file.wrong(`its table of Go's functions ${error.message}`);
  } finally {
    file.close();
  }
}
