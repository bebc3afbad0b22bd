/** A first policy, that accepts exactly who signed an example; nothing is written of what was not verified. */

import { relative, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { itemAt, present } from '../base/list.ts';
import { becomesFile } from '../base/output.ts';
import { parsePublicKey } from '../evidence/common/keys.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import type { EnvelopeRecord } from '../evidence/documents/record.ts';
import { parseStatement } from '../evidence/documents/statement.ts';
import type { Identity } from '../evidence/trust/certificate.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { checkEvidence, payloadOf } from '../evidence/verify/envelope.ts';
import { type Evidence, parseEvidenceFile, type Unread } from '../evidence/verify/evidence-file.ts';
import { type CertificateField, FIELD_NAMES } from '../policy/certificate-fields.ts';
import { parsePolicy } from '../policy/policy.ts';
import { readNamed } from './read-named.ts';

/** With what a policy is made; every field may be left out where there is an example. */
export interface DraftPolicyOptions {
  /** A file with a public key: the holder of the private key may sign. */
  key?: string | undefined;
  /** Of an RSA key: the algorithm. */
  algorithm?: string | undefined;
  /** The file that the example signs, where only its bytes prove it. */
  artifact?: string | undefined;
  /** A file with the trust root of the instance that issued the example's certificate. */
  trustRoot?: string | undefined;
  /** Where the policy will be written: the files that it names are named from there. Default: the current folder. */
  out?: string | undefined;
}

/** A policy's text, and what it says of the one whom it accepts. */
export interface DraftedPolicy {
  /** YAML, with comments. */
  text: string;
  said: string;
  /** Why the example was not verified, so that the names in it may be forged; null: it was. */
  refused: EnvelopeRecord | null;
}

const HEADER = `# Who may sign, and what must be signed, before a manifest is replayed.
# reenact policy explain FILE puts it in words; reenact schema policy has every field.
version: 1
`;

/** Whose source it may be: the repository by its name, and its owner by the number that no later owner of the name has. */
const PINNED: readonly CertificateField[] = [
  'sourceRepositoryURI',
  'sourceRepositoryOwnerIdentifier',
  'githubWorkflowRepository',
];

/** Fields that say the same of every build of a pipeline, so that a person may want to pin them. */
const OFFERED: readonly CertificateField[] = FIELD_NAMES.filter(
  (field) => !/Digest$|SHA$|^runInvocation/.test(field),
);

function predicateTypeOf(evidence: Evidence): string | undefined {
  const envelope = payloadOf(evidence);
  try {
    return envelope ? parseStatement(envelope).predicateType : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function requirementText(authority: string, predicateType: string | undefined): string {
  return `require:
  - ${predicateType ? `predicateType: ${quoted(predicateType)}\n    ` : ''}threshold: {of: [${authority}], min: 1}
    subjects: [manifest]
`;
}

/** A text in YAML on one line, whatever it holds: what stands in a certificate is its signer's choice. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An asterisk in a name is no wildcard of ours: then only an escaped expression says exactly that. */
function identityLine(field: 'issuer' | 'subject', text: string): string {
  return text.includes('*')
    ? `      ${field}RegExp: ${quoted(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))}\n`
    : `      ${field}: ${quoted(text)}\n`;
}

/** What is pinned of the build, and what is left open, to be pinned by taking the mark of a comment away. */
function buildLines({ says }: Identity): string {
  const line = (field: CertificateField): string => `${field}: ${quoted(present(says[field]))}\n`;
  const said = FIELD_NAMES.filter((field) => says[field] !== undefined && !says[field].includes('*'));
  // The older form of the repository counts where there is no newer one.
  const pinned = said.filter(
    (field) =>
      PINNED.includes(field) &&
      (field !== 'githubWorkflowRepository' || says.sourceRepositoryURI === undefined),
  );
  const offered = said.filter((field) => OFFERED.includes(field) && !pinned.includes(field));
  const open = offered.filter((field) => !field.startsWith('githubWorkflow')).map(line);
  return [
    ...pinned.map((field) => `      ${line(field)}`),
    ...(open.length > 0 ? ['      # Open, so that any value counts; without its # each is demanded:\n'] : []),
    ...open.map((text) => `      # ${text}`),
  ].join('');
}

/** A path as the policy will find it: relative to where the policy is written. */
function fromPolicy(path: string, o: DraftPolicyOptions): string {
  const out = o.out;
  return out && becomesFile(out) ? relative(resolve(out, '..'), resolve(path)) : path;
}

/** A policy's text, and what it says of the one whom it accepts. */
interface Draft {
  text: string;
  said: string;
}

/** The policy that accepts exactly the signer of this bundle. */
async function policyOfBundle(evidence: Evidence, o: DraftPolicyOptions): Promise<Draft> {
  const { content } = evidence;
  if (content.kind !== 'bundle' || content.bundle.material.kind !== 'certificate')
    throw new Fault('usage', `${evidence.name} is signed with a key: name the public key with --key`);
  const { describeCertificate } = await import('../evidence/trust/sigstore.ts');
  const identity = describeCertificate(content.bundle.material.der);
  const { subject, issuer, says } = identity;
  const proven = content.bundle.entries.some(({ proof }) => proof);
  const root = o.trustRoot;
  const text = `${HEADER}${root ? `trust: {root: ${quoted(fromPolicy(root, o))}}\n` : ''}authorities:
  - id: signer
    keyless:
${issuer === null ? '      noIssuer: true\n' : identityLine('issuer', issuer)}${identityLine('subject', subject)}${buildLines(identity)}    transparency: ${proven ? 'required' : content.bundle.entries.length > 0 ? 'promise' : 'none'}
${requirementText('signer', predicateTypeOf(evidence))}`;
  const source = says.sourceRepositoryURI ?? says.githubWorkflowRepository;
  const from = source === undefined ? '' : `, built from ${source}`;
  return { text, said: `${evidence.name} is signed by ${subject}, issuer ${issuer ?? 'none'}${from}` };
}

async function policyOfKey(
  path: string,
  o: DraftPolicyOptions,
  evidence: Evidence | undefined,
): Promise<Draft> {
  const algorithm = o.algorithm;
  // Read now, so that what is no key, or needs an algorithm, is not found out by its first use.
  parsePublicKey(await readNamed(path, 65_536), path, algorithm as never);
  const root = o.trustRoot;
  const text = `${HEADER}${root ? `trust: {root: ${quoted(fromPolicy(root, o))}}\n` : ''}authorities:
  - id: team-key
    key: {path: ${quoted(fromPolicy(path, o))}${algorithm === undefined ? '' : `, alg: ${algorithm}`}}
    transparency: none
${requirementText('team-key', evidence && predicateTypeOf(evidence))}`;
  return { text, said: `the holder of the private key of ${path} may sign` };
}

/** Checks the example under the policy that was made of it: a certificate's word is only a claim until then. */
async function checkExample(
  { text }: Draft,
  evidence: Evidence,
  artifact: Buffer | undefined,
  folder: string,
): Promise<EnvelopeRecord> {
  const trust = loadTrust(await parsePolicy(text, 'the policy', folder));
  const { record } = await checkEvidence(evidence, {
    ...{ trust, wanted: { kind: 'any' }, proofs: [], nowMs: systemClock.now() },
    ...(artifact ? { artifact } : {}),
  });
  return record;
}

/** The items of the example that could be meant: with a key all of them, else those with a certificate. */
function candidates(list: (Evidence | Unread)[], withKey: boolean): Evidence[] {
  const read = list.flatMap((item) => ('content' in item ? [item] : []));
  const meant = read.filter(
    ({ content }) => withKey || (content.kind === 'bundle' && content.bundle.material.kind === 'certificate'),
  );
  const [first] = meant.length > 0 ? meant : read;
  if (first) return meant.length > 0 ? meant : [first];
  throw itemAt(
    list.flatMap((item) => ('refusal' in item ? [item.refusal] : [])),
    0,
  );
}

/** The first item that is what it says, else the first with the reason why it is not. */
async function choose(
  list: Evidence[],
  o: DraftPolicyOptions,
): Promise<{ draft: Draft; refused: EnvelopeRecord | null }> {
  const key = o.key;
  const path = o.artifact;
  const artifact = path === undefined ? undefined : await readNamed(path, EVIDENCE_LIMITS.artifactBytes);
  let first: { draft: Draft; refused: EnvelopeRecord } | undefined;
  for (const evidence of list) {
    const draft = await (key === undefined ? policyOfBundle(evidence, o) : policyOfKey(key, o, evidence));
    const record = await checkExample(draft, evidence, artifact, resolve(o.out ?? 'x', '..'));
    if (record.verdict === 'accepted') return { draft, refused: null };
    first ??= { draft, refused: record };
  }
  return present(first);
}

/** The policy that accepts exactly the signer of an example, or the holder of a key. */
export async function draftPolicy(
  example: string | undefined,
  o: DraftPolicyOptions = {},
): Promise<DraftedPolicy> {
  const { key } = o;
  if (example === undefined && key === undefined)
    throw new Fault('usage', 'name one example bundle, or a public key with --key');
  try {
    if (example === undefined) return { ...(await policyOfKey(present(key), o, undefined)), refused: null };
    const parsed = parseEvidenceFile(await readNamed(example, EVIDENCE_LIMITS.fileBytes), example);
    if (parsed.kind === 'proof') throw new Fault('usage', `${example} is a log’s proof, not a signature`);
    const { draft, refused } = await choose(candidates(parsed.list, key !== undefined), o);
    return { ...draft, refused };
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('usage', error.message, error, error.next);
    throw error;
  }
}
