/** Nothing that the command can do is impossible in code: each subcommand has its method. */
import { expect, it } from 'vitest';

import { openReenact } from '../../src/library/open.ts';
import type { Reenact } from '../../src/library/reenact.ts';
import { COMMANDS } from '../support/commands.ts';

/** By the words of the command; null is about the command line itself. */
const METHODS: Record<string, (keyof Reenact)[] | null> = {
  init: ['draftManifest', 'schema'],
  capture: ['capture'],
  run: ['run', 'dryRun', 'loadManifests', 'createBundle'],
  'evidence verify': ['verifyEvidence'],
  'evidence fetch': ['fetchEvidence'],
  'policy init': ['draftPolicy'],
  'policy check': ['examinePolicy'],
  'policy explain': ['examinePolicy'],
  'manifest subject': ['manifestSubjects'],
  sign: ['sign'],
  attest: ['attest'],
  'bundle create': ['createBundle'],
  'bundle verify': ['verifyBundle'],
  'bundle replay': ['replayBundle'],
  'bundle ls': ['inspectBundle'],
  'bundle show': ['inspectBundle'],
  'bundle extract': ['extractBundle'],
  'bundle diff': ['diffBundles'],
  'bundle push': ['pushBundle'],
  'bundle pull': ['pullBundle'],
  'bundle redact': ['redactBundle'],
  'bundle custody add': ['addCustodyEvent'],
  'bundle custody stamp': ['stampBundle'],
  'bundle custody log': ['verifyBundle'],
  'artifact add': ['addArtifact'],
  'artifact fetch': ['fetchArtifact'],
  'artifact ls': ['artifacts'],
  'artifact show': ['artifact'],
  'symbols id': ['identifySymbols'],
  'symbols fetch': ['fetchSymbols'],
  'symbols add': ['addSymbols'],
  'symbols verify': ['verifySymbols'],
  'symbols ls': ['symbolFiles'],
  'symbols show': ['symbolFile'],
  'trace show': ['readTrace', 'storedTrace'],
  'trace ls': ['traces'],
  'trace add': ['addTrace'],
  'trace audit': ['audit', 'functionNames'],
  'trace gaps': ['gaps'],
  reproduce: ['reproduce'],
  diff: ['compareStates'],
  schema: ['schema'],
  doctor: ['doctor'],
  completion: null,
};

it('every subcommand has its method, and every method its subcommand', () => {
  expect(Object.keys(METHODS).sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  const named = new Set(Object.values(METHODS).flatMap((methods) => methods ?? []));
  expect([...named].sort()).toEqual(Object.keys(openReenact()).sort());
});
