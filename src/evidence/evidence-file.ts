/** What a file of evidence holds: a bundle, an envelope, a list of them, or a log's proof. */
import { type Digest, digestOf } from '../base/digest.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import { type Envelope, parseEnvelope } from './dsse.ts';
import { parseTlogProof, TLOG_PROOF_HEADER, type TlogProof } from './log/tlog-proof.ts';
import { Refusal } from './refusal.ts';
import { readJson } from './strict.ts';

/** One signed thing and where it was found. */
export interface Evidence {
  name: string;
  /** Of the exact bytes of its file: what `dsse:` references name. */
  sha256: Digest;
  content: { kind: 'bundle'; bundle: Bundle } | { kind: 'envelope'; envelope: Envelope };
}

export type EvidenceFile =
  | { kind: 'evidence'; list: Evidence[] }
  | { kind: 'proof'; name: string; proof: TlogProof };

function contentOf(value: unknown, name: string): Evidence['content'] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (Object.hasOwn(value, 'mediaType')) return { kind: 'bundle', bundle: parseBundle(value, name) };
    if (Object.hasOwn(value, 'payloadType'))
      return { kind: 'envelope', envelope: parseEnvelope(value, name) };
  }
  throw new Refusal(
    'evidence_unreadable',
    `${name} is neither a Sigstore bundle (mediaType) nor a DSSE envelope (payloadType)`,
  );
}

/** JSON Lines: several lines, each an object of its own. */
function linesOf(bytes: Buffer): Buffer[] | undefined {
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
    .filter((line) => line !== '');
  const objects = lines.every((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.length > 1 && objects ? lines.map((line) => Buffer.from(line, 'latin1')) : undefined;
}

/** Reads a file's bytes as whatever evidence they are; `name` is what messages call it. */
export function parseEvidenceFile(bytes: Buffer, name: string): EvidenceFile {
  if (bytes.length > EVIDENCE_LIMITS.fileBytes)
    throw new Refusal(
      'evidence_too_large',
      `${name} is ${bytes.length} bytes, over the limit of ${EVIDENCE_LIMITS.fileBytes}`,
    );
  if (bytes.subarray(0, TLOG_PROOF_HEADER.length).equals(Buffer.from(TLOG_PROOF_HEADER)))
    return { kind: 'proof', name, proof: parseTlogProof(bytes, name) };
  const sha256 = digestOf(bytes);
  const limits = { sizeBytes: EVIDENCE_LIMITS.fileBytes, depth: EVIDENCE_LIMITS.depth };
  const read = (part: Buffer, where: string): unknown => readJson(part, where, limits, 'evidence_unreadable');
  const lines = linesOf(bytes);
  const whole = lines ? undefined : read(bytes, name);
  const items = lines
    ? lines.map((line, index) => ({ where: `${name} line ${index + 1}`, line }))
    : Array.isArray(whole)
      ? whole.map((value: unknown, index) => ({ where: `${name}[${index}]`, value }))
      : [{ where: name, value: whole }];
  if (items.length === 0 || items.length > EVIDENCE_LIMITS.envelopes)
    throw new Refusal(
      'evidence_unreadable',
      `${name} lists ${items.length} items (1 to ${EVIDENCE_LIMITS.envelopes})`,
    );
  return {
    kind: 'evidence',
    list: items.map((item) => ({
      name: item.where,
      sha256,
      content: contentOf('line' in item ? read(item.line, item.where) : item.value, item.where),
    })),
  };
}
