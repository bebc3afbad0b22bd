/** What a statement says: predicate types as their specifications define them, and what a policy demands of them. */

import { canonicalJson } from '../../base/canonical-json.ts';
import { ownOf } from '../../base/json.ts';
import { present } from '../../base/list.ts';
import { isOneOf } from '../../base/table.ts';
import type { Requirement } from '../../policy/shape.ts';
import { Refusal } from '../common/refusal.ts';
import type { Statement } from '../documents/statement.ts';
import { matchGlob } from './identity.ts';

export const SLSA_PROVENANCE_V1 = 'https://slsa.dev/provenance/v1';
export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
export const SLSA_PROVENANCE_V02 = 'https://slsa.dev/provenance/v0.2';
const VERIFICATION_SUMMARY = 'https://slsa.dev/verification_summary/v1';

/** A `string` may be empty: BuildKit writes an empty builder id where there is none. */
type Check = 'text' | 'string' | 'object' | 'list' | readonly string[];

/** The members that a predicate of each type must have; all others are up to the signer. */
const KNOWN: Record<string, Record<string, Check>> = {
  [SLSA_PROVENANCE_V1]: { '/buildDefinition/buildType': 'text', '/runDetails/builder/id': 'string' },
  [SLSA_PROVENANCE_V02]: { '/builder/id': 'string', '/buildType': 'text' },
  [VERIFICATION_SUMMARY]: {
    '/verifier/id': 'text',
    '/timeVerified': 'text',
    '/resourceUri': 'text',
    '/policy': 'object',
    '/verificationResult': ['PASSED', 'FAILED'],
    '/verifiedLevels': 'list',
  },
  [TEST_RESULT]: { '/result': ['PASSED', 'WARNED', 'FAILED'], '/configuration': 'list' },
  'https://in-toto.io/attestation/runtime-trace/v0.1': {
    '/monitor': 'object',
    '/monitoredProcess': 'object',
    '/monitorLog': 'object',
  },
  'https://in-toto.io/attestation/scai/attribute-report/v0.3': { '/attributes': 'list' },
  'https://in-toto.io/attestation/scai/v0.3': { '/attributes': 'list' },
  'https://cyclonedx.org/bom': { '/bomFormat': ['CycloneDX'] },
};

/** Where each provenance type names its builder. */
const BUILDERS: Record<string, string> = {
  [SLSA_PROVENANCE_V1]: '/runDetails/builder/id',
  [SLSA_PROVENANCE_V02]: '/builder/id',
};

/** Where each type says whether the subject passed: a failure proves nothing, unless the policy asks for it. */
const OUTCOMES: Record<string, string> = {
  [VERIFICATION_SUMMARY]: '/verificationResult',
  [TEST_RESULT]: '/result',
};

/** The value at an RFC 6901 pointer, or undefined. */
export function atPointer(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((inner, name) => ownOf(inner, name), value);
}

function fits(value: unknown, check: Check): boolean {
  if (check === 'string') return typeof value === 'string';
  if (check === 'text') return typeof value === 'string' && value.length > 0;
  if (check === 'list') return Array.isArray(value);
  if (check === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return isOneOf(check, value);
}

/** The end of a type's name that counts its versions, as CycloneDX and SPDX put it behind the type of all versions. */
const VERSION = /\/v\d+(?:\.\d+)*$/;

/** Refuses a predicate that does not have the form of its type; unknown types are left to the policy. */
function checkPredicate(statement: Statement): void {
  const { predicateType: type } = statement;
  const [name] = [type, type.replace(VERSION, '')].filter((one) => Object.hasOwn(KNOWN, one));
  const known = name === undefined ? {} : present(KNOWN[name]);
  for (const [pointer, check] of Object.entries(known))
    if (!fits(atPointer(statement.predicate, pointer), check))
      throw new Refusal(
        'predicate_malformed',
        `${pointer} of the ${statement.predicateType} predicate is not ${typeof check === 'string' ? `${check === 'object' ? 'an' : 'a'} ${check}` : check.join(' or ')}`,
      );
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : canonicalJson(value).slice(0, 120);
}

function checkBuilder(statement: Statement, slsa: NonNullable<Requirement['slsa']>): void {
  const pointer = Object.hasOwn(BUILDERS, statement.predicateType)
    ? present(BUILDERS[statement.predicateType])
    : undefined;
  if (!pointer)
    throw new Refusal('predicate_builder', `${statement.predicateType.slice(0, 200)} is no SLSA provenance`);
  const id = atPointer(statement.predicate, pointer);
  // A pattern such as ** would match it although it names no builder.
  if (id === '')
    throw new Refusal(
      'predicate_builder',
      `the builder’s id, ${pointer} of the predicate, is empty: it does not say who built this`,
      undefined,
      'have the builder write its id (docker buildx build --attest type=provenance,builder-id=URL), or leave slsa out of the policy',
    );
  const levels = Object.entries(slsa.builders)
    .filter(([builder]) => typeof id === 'string' && matchGlob(builder, id))
    .map(([, level]) => level);
  if (levels.length === 0)
    throw new Refusal('predicate_builder', `the policy lists no level for the builder ${show(id)}`);
  if (Math.max(...levels) < slsa.level)
    throw new Refusal(
      'predicate_builder',
      `the builder ${show(id)} reaches SLSA build level ${Math.max(...levels)}, and ${slsa.level} is required`,
    );
}

/** Types are compared as a whole, `*` as everywhere: a different version of the required type is another type, unless the policy has a pattern for it. */
function otherType(actual: string, types: string[]): Refusal {
  const shown = actual.slice(0, 200);
  const unversioned = actual.replace(VERSION, '');
  const kin = types.some((type) => type.replace(VERSION, '') === unversioned);
  return new Refusal(
    'predicate_type',
    `the predicate is ${shown}, and ${types.join(' or ')} is required`,
    undefined,
    kin
      ? `if other versions will do, add them to predicateType in the policy: ${JSON.stringify(shown)}, or "${unversioned.slice(0, 200)}/v*" for all`
      : undefined,
  );
}

/** Refuses a statement whose type or content is not what the requirement demands. */
export function checkRequirement(statement: Statement, requirement: Requirement): void {
  const { predicateType, match = {}, slsa } = requirement;
  const types = predicateType === undefined ? null : [predicateType].flat();
  if (types && !types.some((type) => matchGlob(type, statement.predicateType)))
    throw otherType(statement.predicateType, types);
  checkPredicate(statement);
  for (const [pointer, expected] of Object.entries(match)) {
    const actual = atPointer(statement.predicate, pointer);
    if (actual === undefined || canonicalJson(actual) !== canonicalJson(expected))
      throw new Refusal(
        'predicate_mismatch',
        `${pointer} is ${show(actual)}, and the policy demands ${show(expected)}`,
      );
  }
  const outcome = Object.hasOwn(OUTCOMES, statement.predicateType)
    ? OUTCOMES[statement.predicateType]
    : undefined;
  if (outcome && !Object.hasOwn(match, outcome) && atPointer(statement.predicate, outcome) === 'FAILED')
    throw new Refusal('predicate_mismatch', `${outcome} is FAILED, which proves nothing good`);
  if (slsa) checkBuilder(statement, slsa);
}
