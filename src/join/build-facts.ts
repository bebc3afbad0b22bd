/** What a provenance statement says about a build: builder, commit, compiler and flags, with a JSON pointer for each place where a value may stand. */

import type { Statement } from '../evidence/documents/statement.ts';
import { atPointer, SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02 } from '../evidence/trust/predicate.ts';

export interface BuildFacts {
  builder?: string;
  builder_commit?: string;
  compiler?: string;
  compiler_flags?: string;
  /** Which place said the compiler, where it was the file itself. */
  from?: string;
}

const MAX_TEXT = 8192;
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** SLSA lists what the builder resolved, but each build type names compilers in its own way, so the usual places are tried. */
const PLACES: Record<string, { builder: string; materials: string; parameters: string[] }> = {
  [SLSA_PROVENANCE_V1]: {
    builder: '/runDetails/builder/id',
    materials: '/buildDefinition/resolvedDependencies',
    parameters: ['/buildDefinition/internalParameters', '/buildDefinition/externalParameters'],
  },
  [SLSA_PROVENANCE_V02]: {
    builder: '/builder/id',
    materials: '/materials',
    parameters: ['/invocation/environment', '/invocation/parameters'],
  },
};

function textAt(value: unknown, pointer: string): string | undefined {
  const found = atPointer(value, pointer);
  const text = Array.isArray(found) ? found.join(' ') : found;
  return typeof text === 'string' && text !== '' ? text.slice(0, MAX_TEXT) : undefined;
}

/** The first material that is a commit: a source tree, where an artifact has a sha256. */
function commitOf(materials: unknown): string | undefined {
  if (!Array.isArray(materials)) return undefined;
  const commits = materials.flatMap((material: unknown) =>
    ['gitCommit', 'sha1'].flatMap((kind) => textAt(material, `/digest/${kind}`) ?? []),
  );
  return commits.find((commit) => COMMIT.test(commit));
}

/** What a statement that was accepted says; of a type that is no provenance, nothing. */
export function buildFacts({ predicateType, predicate }: Statement): BuildFacts {
  const places = Object.hasOwn(PLACES, predicateType) ? PLACES[predicateType] : undefined;
  if (!places) return {};
  const parameter = (...names: string[]): string | undefined =>
    places.parameters
      .flatMap((at) => names.map((name) => textAt(predicate, `${at}/${name}`)))
      .find((text) => text !== undefined);
  const facts = {
    builder: textAt(predicate, places.builder),
    builder_commit: commitOf(atPointer(predicate, places.materials)),
    compiler: parameter('compiler'),
    compiler_flags: parameter('compiler_flags', 'compilerFlags', 'cflags'),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, text]) => text !== undefined));
}
