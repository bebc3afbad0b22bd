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

/** What each says, for schemas. */
export const FIELD_MEANINGS: Record<CertificateField, string> = {
  sourceRepositoryURI: 'Repository whose source was built',
  sourceRepositoryIdentifier: 'Number of that repository, which outlives renaming',
  sourceRepositoryOwnerURI: 'Owner of that repository',
  sourceRepositoryOwnerIdentifier: 'Number of that owner, not given to the next holder of the name',
  sourceRepositoryRef: 'Branch or tag that was built',
  sourceRepositoryDigest: 'Commit that was built',
  sourceRepositoryVisibilityAtSigning: 'public or private, when it was signed',
  buildSignerURI: 'Workflow that signed',
  buildSignerDigest: 'Commit of the workflow that signed',
  buildConfigURI: 'Workflow that was started',
  buildConfigDigest: 'Commit of the workflow that was started',
  buildTrigger: 'Event that started the build',
  runInvocationURI: 'The run of the workflow',
  runnerEnvironment: 'Whose machine it ran on, such as github-hosted',
  deploymentEnvironment: 'Environment that the build deployed to',
  githubWorkflowTrigger: 'Event that started the build; older form, of GitHub alone',
  githubWorkflowSHA: 'Commit of the workflow; older form, of GitHub alone',
  githubWorkflowName: 'Name of the workflow; older form, of GitHub alone',
  githubWorkflowRepository: 'Repository of the workflow; older form, of GitHub alone',
  githubWorkflowRef: 'Branch or tag of the workflow; older form, of GitHub alone',
};

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
