/** The groups of the scoreboard: which cases each consists of. */

import { programImage } from './image.ts';
import { type Expected, fixturePrograms, type Program } from './programs.ts';
import { racyProgram } from './racy.ts';
import type { Case } from './run.ts';

const RACY_PROGRAMS = 100;

/** Of the real clock. What cannot be told apart from a long run uses up all of it, twenty times. */
const TIMEOUT_S: Record<Expected, number> = { identical: 30, refused: 30, either: 8, inconclusive: 3 };

/** Cases of programs that take no arguments, in an image of their own. */
export async function programCases(group: string, registry: string, programs: Program[]): Promise<Case[]> {
  const image = await programImage(registry, programs);
  return programs.map(({ name, source, about, expected }) => ({
    group,
    name,
    source: `${source} ${about}`,
    expected,
    run: `/bin/${name}`,
    image,
    timeoutS: TIMEOUT_S[expected],
  }));
}

/** The programs of fixtures/determinism. */
export function fixtureCases(registry: string): Promise<Case[]> {
  return programCases('programs', registry, fixturePrograms());
}

/** The first `count` generated programs. */
export function racyPrograms(count: number): Program[] {
  return Array.from({ length: count }, (_, i) => racyProgram(i + 1));
}

export function racyCases(registry: string): Promise<Case[]> {
  return programCases('racy', registry, racyPrograms(RACY_PROGRAMS));
}
