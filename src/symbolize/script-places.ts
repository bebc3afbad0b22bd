/** Names places in scripts from their source map, in the form in which all symbols answer. */
import { readFileSync, statSync } from 'node:fs';

import { Fault } from '../base/fault.ts';
import { hex } from '../base/hex.ts';
import { NOTHING, type Resolved } from '../objects/common/source-place.ts';
import { MAP_BYTES, parseSourceMap, resolveScript } from '../objects/script/source-map.ts';

/** `places` are lines and columns as script-place.ts writes them. Throws a Fault where the map is not what it should be. */
export function scriptPlaces(path: string, places: BigUint64Array): Resolved[] {
  const wrong = (what: string): Fault => new Fault('object_malformed', `${path}: ${what}`);
  const { size } = statSync(path);
  if (size > MAP_BYTES) throw wrong(`${size} bytes, at most ${MAP_BYTES} are read of a source map`);
  const map = parseSourceMap(readFileSync(path), wrong);
  return resolveScript(map, Array.from(places, hex), wrong).map((place) =>
    place === null
      ? NOTHING
      : {
          // A map's name is what stands at the place, which for a call is what it calls, not where it is.
          places: [{ function: null, file: place.file, line: place.line, column: place.column }],
          degraded: false,
          error: null,
          approximate: null,
        },
  );
}
