/** What Fulcio's certificates say about a build beside the identity, by the names Sigstore's tools use (fulcio, docs/oid-info.md). */

import { keysOf } from '../base/table.ts';

/** The last number of each field's object identifier, below 1.3.6.1.4.1.57264.1: to 6 raw texts of GitHub alone, from 8 on DER. */
export const CERTIFICATE_FIELDS = {
  sourceRepositoryURI: 12,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerURI: 16,
  sourceRepositoryOwnerIdentifier: 17,
  sourceRepositoryRef: 14,
  sourceRepositoryDigest: 13,
  sourceRepositoryVisibilityAtSigning: 22,
  buildSignerURI: 9,
  buildSignerDigest: 10,
  buildConfigURI: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationURI: 21,
  runnerEnvironment: 11,
  deploymentEnvironment: 23,
  githubWorkflowTrigger: 2,
  githubWorkflowSHA: 3,
  githubWorkflowName: 4,
  githubWorkflowRepository: 5,
  githubWorkflowRef: 6,
} as const;

export type CertificateField = keyof typeof CERTIFICATE_FIELDS;
/** Fields and their texts: what a certificate says, or what a policy wants it to say. */
export type CertificateFields = { [field in CertificateField]?: string };

export const FIELD_NAMES: CertificateField[] = keysOf(CERTIFICATE_FIELDS);

/** Each of these says whose source was built; if one is pinned, no stranger's repository matches. */
const REPOSITORY_FIELDS: readonly CertificateField[] = [
  'sourceRepositoryURI',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerURI',
  'sourceRepositoryOwnerIdentifier',
  'buildConfigURI',
  'githubWorkflowRepository',
];

/** True where the policy says whose source it may be. */
export function pinsRepository(wanted: CertificateFields): boolean {
  return REPOSITORY_FIELDS.some((field) => wanted[field] !== undefined);
}
