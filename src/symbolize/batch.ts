/** Many addresses of one file: asked at once. Where the engine dies, that address is asked again without inlined calls, and the rest after it. */

import { Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import { NOTHING, type Resolved } from '../objects/common/source-place.ts';
import { answerReader, Refused } from './answer.ts';
import { judged } from './certainty.ts';
import { ask, ENGINE } from './engine.ts';
import { type Stage, type SymbolFile, staged } from './stage.ts';

/** How many addresses an engine may die on in one batch: a file made for that gets no more of the machine. */
const MOST_DEATHS = 32;

/** Addresses that one process is asked for: its answers stand in a file, 1 to 2 KB each. */
const BATCH = 131_072;

const CRASHED: Resolved = { places: [], degraded: false, error: 'engine_crash', approximate: null };

async function askAll(
  stage: Stage,
  file: SymbolFile,
  program: string,
  addresses: BigUint64Array,
): Promise<Resolved[]> {
  const read = answerReader(file.path);
  const found: Resolved[] = [];
  const run = (part: BigUint64Array, inlines: boolean): Promise<number> => {
    let next = 0;
    return ask(stage, part, { program, arch: file.arch, inlines }, (answer) => {
      found.push({
        places: read(answer, present(part[next++])),
        degraded: !inlines,
        error: null,
        approximate: null,
      });
    });
  };
  for (let deaths = 0; found.length < addresses.length; ) {
    if (deaths > MOST_DEATHS) return found.concat(Array(addresses.length - found.length).fill(CRASHED));
    const asked = addresses.subarray(found.length, found.length + BATCH);
    if ((await run(asked, true)) === asked.length) continue;
    deaths++;
    const diedOn = addresses.subarray(found.length, found.length + 1);
    if ((await run(diedOn, false)) === 0) found.push(CRASHED);
  }
  return found;
}

/**
 * What stands at distances from the image's lowest address, ascending. Throws a Fault where the file is
 * malformed, or the engine refuses all of it.
 */
export async function askEngine(
  file: SymbolFile,
  relAddrs: BigUint64Array,
  program: string,
): Promise<Resolved[]> {
  return await staged(file, async (stage) => {
    const isCode = (rel: bigint): boolean =>
      stage.code === null || stage.code.some(([from, end]) => rel >= from && rel < end);
    const addresses = relAddrs.filter(isCode).map((rel) => BigInt.asUintN(64, rel + stage.base));
    try {
      const found = await askAll(stage, file, program, addresses);
      let next = 0;
      const all = Array.from(relAddrs, (rel) => (isCode(rel) ? found[next++]! : NOTHING));
      return await judged(file, relAddrs, all);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new Fault('object_malformed', `${file.path}: ${ENGINE}: ${error.message}`, error);
    }
  });
}
