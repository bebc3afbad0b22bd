/** A policy in sentences: who may sign, what must be proven, which gates decide. */
import { present } from '../base/list.ts';
import { misfits } from '../evidence/trust/identity.ts';
import type { TrustedAuthority } from '../evidence/trust/trust.ts';
import { FIELD_NAMES, pinsRepository } from '../policy/certificate-fields.ts';
import { mechanismsWanted, type Policy } from '../policy/policy.ts';
import type { Keyless, Requirement } from '../policy/shape.ts';

const TRANSPARENCY = {
  required: 'with a proof that the signature is in a transparency log',
  promise: 'with a transparency log’s promise or proof',
  none: 'without a transparency log',
} as const;

function day(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** What a build's certificate must say, and what it may say as it likes; a person's certificate says nothing of that. */
function buildSentence(keyless: Keyless): string {
  const pinned = FIELD_NAMES.filter((field) => keyless[field] !== undefined);
  const wanted = pinned.map((field) => `${field} ${keyless[field]}`);
  const demands = wanted.length > 0 ? `; its certificate must say ${wanted.join(', ')}` : '';
  if (/^[^/]*@[^/]*$/.test(keyless.subject ?? '') && pinned.length === 0) return '';
  const open = FIELD_NAMES.filter((field) => !pinned.includes(field) && !field.startsWith('githubWorkflow'));
  const others = pinsRepository(keyless)
    ? ''
    : ' (the source repository among them: where others can call that workflow, theirs are accepted, too)';
  return `${demands}; open, so that any value counts: ${open.join(', ')}${others}`;
}

function authoritySentence(authority: TrustedAuthority): string {
  const { id, keyless, key, window, revokedMs, transparency, minTimes } = authority;
  const how = `${TRANSPARENCY[transparency]}${minTimes > 0 ? `, and ${minTimes} trusted time(s)` : ''}`;
  if (keyless) {
    const issuer = keyless.noIssuer
      ? 'the certificate authority alone (no issuer is named)'
      : (keyless.issuer ?? `any that fits /^(?:${keyless.issuerRegExp})$/`);
    const subject = keyless.subject ?? `any that fits /^(?:${keyless.subjectRegExp})$/`;
    return `${id}: the identity ${subject}, vouched for by ${issuer}, ${how}${buildSentence(keyless)}`;
  }
  const limits = [
    Number.isFinite(window.startMs) ? `from ${day(window.startMs)}` : '',
    window.endMs === null ? '' : `until ${day(window.endMs)}`,
    revokedMs === null ? '' : `revoked at ${day(revokedMs)}`,
  ].filter(Boolean);
  return `${id}: the holder of the ${present(key).algorithm} key ${present(key).fingerprint}${limits.length > 0 ? ` (${limits.join(', ')})` : ''}, ${how}`;
}

function requirementSentence(requirement: Requirement): string {
  const { predicateType, threshold = {}, subjects = [], match = {}, slsa } = requirement;
  const what = predicateType === undefined ? 'a signed statement' : [predicateType].flat().join(' or ');
  const who = threshold.of ? threshold.of.join(', ') : 'the authorities above';
  const parts = [
    `${what} about ${subjects.join(' and ')}, signed by at least ${threshold.min ?? 1} of ${who}`,
  ];
  for (const [pointer, value] of Object.entries(match)) parts.push(`${pointer} is ${JSON.stringify(value)}`);
  if (slsa) parts.push(`its builder is listed for SLSA build level ${slsa.level} or more`);
  return parts.join('; ');
}

/** A person whom no policy means; patterns that match this one match all. */
const STRANGER = { subject: 'https://x.invalid/y', issuer: 'https://z.invalid', says: {} };

/** Which strangers an authority accepts beside those it means; null: none. */
function accepted(keyless: Keyless): string | null {
  const differing = misfits(keyless, STRANGER);
  if (differing.length === 0) return 'every stranger: its patterns fit any identity of any issuer';
  return differing.every(({ field }) => field === 'issuer') ? 'every account of its issuer' : null;
}

/** Things that may surprise the author of this policy. */
export function policyWarnings(policy: Policy, authorities: TrustedAuthority[], nowMs: number): string[] {
  const warnings = authorities.flatMap(({ id, keyless, window, revokedMs }) => [
    ...(keyless && accepted(keyless) !== null ? [`${id} accepts ${accepted(keyless)}`] : []),
    ...(window.endMs !== null && window.endMs < nowMs ? [`the key of ${id} is not valid any more`] : []),
    ...(revokedMs !== null && revokedMs <= nowMs ? [`the key of ${id} is revoked`] : []),
  ]);
  if (policy.authorities.length === 0)
    warnings.push('it checks no evidence: it names no authority that may sign');
  for (const { file, pin } of policy.trustRoots)
    if (file && !pin) warnings.push(`the trust root ${file.path} is not pinned: add sha256: ${file.sha256}`);
  return warnings;
}

/** The whole policy, a sentence a line. */
export function explainPolicy(policy: Policy, authorities: TrustedAuthority[]): string {
  const { gates } = policy;
  const list = (lines: string[]): string => lines.map((line) => `  - ${line}\n`).join('');
  const accepts =
    authorities.length > 0
      ? `Evidence counts if it is signed by\n${list(authorities.map(authoritySentence))}A manifest is replayed only with all of\n${list(policy.require.map(requirementSentence))}`
      : 'No evidence is checked, and every report says so.\n';
  return `${policy.name} (${policy.sha256})\n${accepts}A verdict passes if\n${list([
    `at least ${gates.replay_ratio * 100} % of the replays match`,
    ...(gates.image_check === 'content'
      ? ['the image’s layers were hashed, not only named by the engine']
      : []),
    ...(mechanismsWanted(gates) === 'all'
      ? ['nothing of full determinism was missing (else nothing is replayed)']
      : []),
    ...(gates.same_crash === 'off'
      ? []
      : [
          gates.same_crash === 'function'
            ? 'every crash is in the expected functions, where the manifest expects one'
            : 'every crash is the expected one, where the manifest expects one',
        ]),
    ...(gates.forensic
      ? ['every state is the expected one, nothing is degraded, and all claims are borne out']
      : []),
    ...(gates.join_completeness === undefined
      ? []
      : [
          `of a trace’s first frames, ${gates.join_completeness * 100} % are joined to symbols, an artifact and its provenance`,
        ]),
    ...(gates.chain_of_custody === undefined
      ? []
      : [
          gates.chain_of_custody === 'logged'
            ? 'each join bears signer, time and log entry'
            : 'each join bears a signer, with no time or log entry asked for',
        ]),
    ...(gates.known_frames === undefined
      ? []
      : [`a stack that was cut is reproduced by ${gates.known_frames} frames that are the same`]),
  ])}`;
}
