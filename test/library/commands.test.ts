/** Nothing that the command can do is impossible in code: each subcommand has its method. */
import { expect, it } from 'vitest';

import { OPTIONS } from '../../src/cli/options.ts';
import { openReenact } from '../../src/library/open.ts';
import type { Reenact } from '../../src/library/reenact.ts';

/** By the words of the command; null is about the command line itself. */
const METHODS: Record<string, (keyof Reenact)[] | null> = {
  capture: ['capture'],
  run: ['run', 'loadManifests', 'createBundle'],
  verify: ['verifyEvidence'],
  policy: ['draftPolicy', 'examinePolicy'],
  manifest: ['manifestSubjects'],
  sign: ['sign'],
  attest: ['attest'],
  bundle: [],
  'bundle create': ['createBundle'],
  'bundle verify': ['verifyBundle'],
  'bundle replay': ['replayBundle'],
  'bundle ls': ['inspectBundle'],
  'bundle inspect': ['inspectBundle'],
  'bundle extract': ['extractBundle'],
  'bundle diff': ['diffBundles'],
  'bundle push': ['pushBundle'],
  'bundle pull': ['pullBundle'],
  'bundle redact': ['redactBundle'],
  'bundle custody': ['addCustodyEvent', 'stampBundle', 'verifyBundle'],
  artifact: [],
  'artifact add': ['addArtifact'],
  'artifact fetch': ['fetchArtifact'],
  symbols: [],
  'symbols id': ['identifySymbols'],
  'symbols fetch': ['fetchSymbols'],
  'symbols add': ['addSymbols'],
  trace: [],
  'trace show': ['readTrace'],
  'trace add': ['addTrace'],
  'trace audit': ['audit', 'functionNames'],
  'trace gaps': ['gaps'],
  reproduce: ['reproduce'],
  gate: ['verifySymbols'],
  evidence: ['fetchEvidence'],
  diff: ['compareStates'],
  schema: ['schema'],
  doctor: [],
  completion: null,
};

it('every subcommand has its method, and every method its subcommand', () => {
  expect(Object.keys(METHODS).sort()).toEqual(Object.keys(OPTIONS).sort());
  const named = new Set(Object.values(METHODS).flatMap((methods) => methods ?? []));
  expect([...named].sort()).toEqual(Object.keys(openReenact()).sort());
});
