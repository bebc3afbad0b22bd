/** What a person reads of an evidence record: the verdict, then each file with its checks. */
import { present } from '../base/list.ts';
import {
  type EnvelopeRecord,
  type EvidenceRecord,
  nextOf,
  type Signer,
} from '../evidence/documents/record.ts';
import { FIELD_NAMES } from '../policy/certificate-fields.ts';
import { type Style, safe } from './human.ts';

const SIGNS = { passed: 'ok', failed: 'FAILED', not_applicable: '-', not_reached: '?' } as const;

/** A signer, what its certificate says about the source, and which parts of that the policy did not ask for. */
function signerText(signer: Signer): string {
  const { authority, identity, issuer, key_fingerprint, certificate, open = [] } = signer;
  const who = identity ? `${identity}, issuer ${issuer ?? 'none'}` : `key ${key_fingerprint}`;
  let text = `    signer    ${authority}: ${who}\n`;
  for (const field of FIELD_NAMES)
    if (certificate?.[field] !== undefined) text += `              ${field}: ${certificate[field]}\n`;
  if (open.length > 0)
    text += `    note      ${authority} accepts this workflow called from any repository; to accept this one alone, add to its keyless: ${open.map((field) => `${field}: ${JSON.stringify(certificate?.[field])}`).join(', ')}\n`;
  return text;
}

function envelopeText(envelope: EnvelopeRecord): string {
  let text = `  ${envelope.file}: ${envelope.verdict}\n`;
  for (const { name, status, code, detail } of envelope.checks) {
    const line = `    ${name.padEnd(10)}${SIGNS[status].padEnd(7)}${code ? `${code}: ` : ''}${detail}`;
    text += `${line.trimEnd()}\n`;
  }
  for (const signer of envelope.signers) text += signerText(signer);
  return text;
}

/** The block for one record; `next` says what to do about a refusal. */
export function evidenceReport(record: EvidenceRecord, style: Style): string {
  const paint = (text: string): string =>
    style.colour ? `\u001b[1;${record.verdict === 'verified' ? 32 : 31}m${text}\u001b[0m` : text;
  let text = `${record.verdict}`;
  if (record.code) text += `  ${record.code}: ${record.message}`;
  const lines = [`${text}\n`, ...record.envelopes.map(envelopeText)];
  for (const one of record.requirements)
    lines.push(
      `  required   ${one.needed} of the policy’s signers${one.predicate_types ? ` for ${one.predicate_types.join(' or ')}` : ''}: ${one.signers} found\n`,
    );
  if (!record.subjects_compared)
    lines.push('  subjects   NOT compared: this says who signed, not that it is about the thing you have\n');
  lines.push(`  policy     ${record.policy.name} (${record.policy.sha256})\n`);
  if (record.trust_root) lines.push(`  trust root ${record.trust_root.name} (${record.trust_root.sha256})\n`);
  if (record.code) lines.push(`  next: ${nextOf(record)}\n`);
  const [head, ...rest] = safe(lines.join('')).split('\n');
  return [paint(present(head)), ...rest].join('\n');
}
