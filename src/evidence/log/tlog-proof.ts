/** Inclusion proofs in files of their own (c2sp.org/tlog-proof). */
import { decodePaddedBase64 } from '../../base/base64.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import { Refusal } from '../common/refusal.ts';

export interface TlogProof {
  /** Not authenticated by itself; here the entry's body, which the proof then binds. */
  extra: Buffer | null;
  index: number;
  hashes: Buffer[];
  /** The signed note's text. */
  checkpoint: string;
}

export const TLOG_PROOF_HEADER = 'c2sp.org/tlog-proof@v1';

/** Untrusted bytes to a proof; `name` is what messages call the file. */
export function parseTlogProof(bytes: Uint8Array, name: string): TlogProof {
  const fail = (message: string): Refusal => new Refusal('evidence_malformed', `${name}: ${message}`);
  if (bytes.length > EVIDENCE_LIMITS.fileBytes) throw fail(`is over ${EVIDENCE_LIMITS.fileBytes} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail('is not valid UTF-8');
  }
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw fail('has no blank line before the checkpoint');
  const lines = text.slice(0, blank).split('\n');
  if (lines.shift() !== TLOG_PROOF_HEADER) throw fail(`does not begin with ${TLOG_PROOF_HEADER}`);
  const extraText = lines[0]?.startsWith('extra ')
    ? present(lines.shift()).slice('extra '.length)
    : undefined;
  const extra = extraText === undefined ? null : decodePaddedBase64(extraText);
  if (extra === undefined) throw fail('its extra line is not strict base64');
  const [, digits = ''] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '') ?? [];
  if (digits === '' || !Number.isSafeInteger(Number(digits)))
    throw fail('has no index line with a canonical number up to 2^53-1');
  if (lines.length > EVIDENCE_LIMITS.proofHashes) throw fail(`has ${lines.length} hashes`);
  const hashes = lines.map((line, index) => {
    const hash = decodePaddedBase64(line);
    if (hash?.length !== 32) throw fail(`hash ${index + 1} is not 32 bytes in base64`);
    return hash;
  });
  return { extra, index: Number(digits), hashes, checkpoint: text.slice(blank + 2) };
}

/** The file's text; parseTlogProof reads it back. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  return [
    TLOG_PROOF_HEADER,
    ...(extra ? [`extra ${extra.toString('base64')}`] : []),
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
    '',
    checkpoint,
  ].join('\n');
}
