/** reenact policy init, check and explain: a first policy from an example, and what a policy comes to. */
import { relative, resolve } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { EXIT, Fault } from '../base/fault.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { writeOutput } from '../base/output.ts';
import { payloadOf } from '../evidence/envelope.ts';
import { type Evidence, parseEvidenceFile } from '../evidence/evidence-file.ts';
import { parsePublicKey } from '../evidence/keys.ts';
import { Refusal } from '../evidence/refusal.ts';
import { parseStatement, type Statement } from '../evidence/statement.ts';
import { loadTrust } from '../evidence/trust.ts';
import { verifyEvidence } from '../evidence/verify.ts';
import { loadPolicy, parsePolicy } from '../policy/policy.ts';
import { safe } from '../report/human.ts';
import { explainPolicy, policyWarnings } from '../report/policy.ts';
import { type Arguments, parseOptions } from './options.ts';
import { readNamed } from './verify.ts';

const HEADER = `# Who may sign, and what must be signed, before a manifest is replayed.
# reenact policy explain FILE puts it in words; reenact schema policy has every field.
version: 1
`;

function statementIn(evidence: Evidence): Statement | undefined {
  const envelope = payloadOf(evidence);
  try {
    return envelope ? parseStatement(envelope) : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function requirementText(authority: string, predicateType: string | undefined): string {
  return `require:
  - ${predicateType ? `predicateType: ${JSON.stringify(predicateType)}\n    ` : ''}threshold: {of: [${authority}], min: 1}
    subjects: [manifest]
`;
}

/** An asterisk in a name is no wildcard of ours: then only an escaped expression says exactly that. */
function identityLine(field: 'issuer' | 'subject', text: string): string {
  return text.includes('*')
    ? `      ${field}RegExp: ${JSON.stringify(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))}\n`
    : `      ${field}: ${JSON.stringify(text)}\n`;
}

/** A path as the policy will find it: relative to where the policy is written. */
function fromPolicy(path: string, a: Arguments): string {
  const out = a.text('out');
  return out ? relative(resolve(out, '..'), resolve(path)) : path;
}

/** The policy that accepts exactly whoever signed this bundle, and what its certificate says of him. */
async function policyOfBundle(evidence: Evidence, a: Arguments): Promise<{ text: string; said: string }> {
  const { content } = evidence;
  if (content.kind !== 'bundle' || content.bundle.material.kind !== 'certificate')
    throw new Fault('usage', `${evidence.name} is signed with a key: name the public key with --key`);
  const { describeCertificate } = await import('../evidence/sigstore.ts');
  const { subject, issuer } = describeCertificate(content.bundle.material.der);
  const proven = content.bundle.entries.some(({ proof }) => proof);
  const root = a.text('trust-root');
  const text = `${HEADER}${root ? `trust: {root: ${JSON.stringify(fromPolicy(root, a))}}\n` : ''}authorities:
  - id: signer
    keyless:
${identityLine('issuer', issuer)}${identityLine('subject', subject)}    transparency: ${proven ? 'required' : content.bundle.entries.length > 0 ? 'promise' : 'none'}
${requirementText('signer', statementIn(evidence)?.predicateType)}`;
  return { text, said: `${evidence.name} is signed by ${subject}, issuer ${issuer}` };
}

function policyOfKey(path: string, bytes: Buffer, a: Arguments, statement: Statement | undefined): string {
  const { algorithm } = parsePublicKey(bytes, path, a.text('alg') as never);
  const shown = fromPolicy(path, a);
  return `${HEADER}authorities:
  - id: team-key
    key: {path: ${JSON.stringify(shown)}, alg: ${algorithm}}
    transparency: none
${requirementText('team-key', statement?.predicateType)}`;
}

/** A certificate's word is only a claim until the bundle was verified: says which it is. */
async function verdictOn(
  text: string,
  evidence: Evidence,
  bytes: Buffer,
  folder: string,
): Promise<{ verified: boolean; said: string }> {
  const policy = await parsePolicy(text, 'the policy', folder);
  const record = await verifyEvidence([{ name: evidence.name, bytes }], {
    trust: loadTrust(policy),
    wanted: { kind: 'any' },
    nowMs: systemClock.now(),
  });
  const verified = record.verdict === 'verified';
  const said = verified
    ? 'The bundle was verified: that is who signed it.'
    : `NOT verified (${record.code}: ${record.message}): anybody could have written that name. Nothing was written.`;
  return { verified, said };
}

async function init(a: Arguments): Promise<number> {
  const [example, ...more] = a.positionals;
  const keyPath = a.text('key');
  if (more.length > 0 || (example === undefined && keyPath === undefined))
    throw new Fault('usage', 'name one example bundle, or a public key with --key');
  const bytes = example === undefined ? undefined : await readNamed(example, EVIDENCE_LIMITS.fileBytes);
  let evidence: Evidence | undefined;
  let text: string;
  let said: string;
  try {
    const parsed = bytes && parseEvidenceFile(bytes, example!);
    if (parsed?.kind === 'proof') throw new Fault('usage', `${example} is a log’s proof, not a signature`);
    const [first] = parsed?.list ?? [];
    if (first && !('content' in first)) throw first.refusal;
    evidence = first;
    if (keyPath === undefined) ({ text, said } = await policyOfBundle(evidence!, a));
    else {
      text = policyOfKey(keyPath, await readNamed(keyPath, 65_536), a, evidence && statementIn(evidence));
      said = `whoever holds the private key of ${keyPath} may sign`;
    }
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('usage', error.message, error);
    throw error;
  }
  process.stderr.write(safe(`${said}; a policy that accepts exactly that:\n`));
  if (evidence && keyPath === undefined && evidence.content.kind === 'bundle') {
    if (evidence.content.bundle.content.kind === 'envelope') {
      const checked = await verdictOn(text, evidence, bytes!, resolve(a.text('out') ?? 'x', '..'));
      process.stderr.write(safe(`${checked.said}\n`));
      if (!checked.verified) return EXIT.rejected;
    } else process.stderr.write('Not verified here: it signs a file (reenact verify evidence --artifact).\n');
  }
  const out = a.text('out') ?? '-';
  await writeOutput(out, text);
  if (out !== '-') process.stderr.write(`written to ${out}\n`);
  return EXIT.ok;
}

async function examine(a: Arguments, how: 'check' | 'explain'): Promise<number> {
  const [name, ...more] = a.positionals;
  if (name === undefined || more.length > 0) throw new Fault('usage', `name one policy to ${how}`);
  const policy = await loadPolicy(name);
  const trust = loadTrust(policy);
  try {
    if (policy.trustRoot || trust.authorities.some(({ keyless }) => keyless)) await trust.library();
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('policy_invalid', `${name}: ${error.message}`, error);
    throw error;
  }
  const warnings = policyWarnings(policy, trust.authorities, systemClock.now());
  if (how === 'explain') process.stdout.write(explainPolicy(policy, trust.authorities));
  else process.stdout.write(`${name}: ok, ${policy.sha256}\n`);
  for (const warning of warnings) process.stdout.write(`  note: ${warning}\n`);
  return EXIT.ok;
}

export async function policyCommand(args: string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const a = parseOptions('policy', rest);
  if (verb === 'init') return init(a);
  if (verb === 'check' || verb === 'explain') return examine(a, verb);
  throw new Fault('usage', 'policy init, policy check or policy explain');
}
