/** Evidence about symbols and artifacts: checked under a policy when it comes in, kept as the very bytes, and checked again at every query. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { Refusal } from '../../evidence/common/refusal.ts';
import { acceptedIn, vouchedBy } from '../../evidence/custody/vouched.ts';
import type { EnvelopeRecord, EvidenceRecord } from '../../evidence/documents/record.ts';
import { parseStatement, type Statement } from '../../evidence/documents/statement.ts';
import { wantDigest } from '../../evidence/documents/subject.ts';
import type { Trust } from '../../evidence/trust/trust.ts';
import { asRefusal } from '../../evidence/verify/checks.ts';
import { parseEvidenceFile } from '../../evidence/verify/evidence-file.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from '../../evidence/verify/verify.ts';
import type { Queries } from '../../store/sql/database.ts';
import { type BuildFacts, buildFacts } from '../build-facts.ts';
import type { TraceStore } from './store.ts';

/** What evidence was about: a file that was shipped, or a file of symbols. */
export type About = 'artifact' | 'symbols';

/** Files of evidence, sorted by the digests they speak of, so that each thing is judged by what is about it. */
export interface EvidencePile {
  about(subject: Digest): SourceFile[];
  /** Whether a file says that it is about this. */
  names(subject: Digest): boolean;
}

function statementsOf(file: SourceFile): { statement: Statement; sha256: Digest }[] {
  const parsed = parseEvidenceFile(file.bytes, file.name);
  if (parsed.kind === 'proof') return [];
  return parsed.list.flatMap((item) => {
    if (!('content' in item)) return [];
    const { content } = item;
    const held = content.kind === 'envelope' ? content : content.bundle.content;
    if (held.kind !== 'envelope') return [];
    const { envelope } = held;
    return [{ statement: parseStatement(envelope), sha256: digestOf(envelope.payload) }];
  });
}

/** Which subjects a file names, unverified: only to choose what is worth verifying. */
function namedBy(file: SourceFile): Set<string> | 'unknown' {
  try {
    const subjects = statementsOf(file).flatMap(({ statement }) => statement.subjects);
    return subjects.length === 0
      ? 'unknown'
      : new Set(subjects.map(({ digest }) => `sha256:${digest.sha256}`));
  } catch (error) {
    asRefusal(error);
    return 'unknown';
  }
}

/** A file that names no subject, such as a log's proof, counts as being about everything. So does a file that was given alone: a wrong one is then refused by name. */
export function pileOf(files: SourceFile[]): EvidencePile {
  const named = files.map((file) => ({ file, names: namedBy(file) }));
  const about = (subject: string): SourceFile[] => {
    const chosen = named.filter(({ names }) => names === 'unknown' || names.has(subject));
    return chosen.some(({ names }) => names !== 'unknown') ? chosen.map(({ file }) => file) : [];
  };
  return {
    names: (subject) => named.some(({ names }) => names !== 'unknown' && names.has(subject)),
    about: (subject) => {
      const found = about(subject);
      return found.length > 0 || files.length !== 1 ? found : files;
    },
  };
}

/** Verifies what there is about exactly this digest; none at all is a refusal, too. */
export async function verifyAbout(
  subject: Digest,
  about: About,
  files: SourceFile[],
  trust: Trust,
  nowMs: number,
  artifact?: Buffer,
): Promise<EvidenceRecord> {
  if (files.length === 0)
    return refusedRecord(
      new Refusal(
        'evidence_missing',
        `no evidence that was given is about ${subject}`,
        undefined,
        'give evidence of exactly these bytes: of the build that made them, or reenact sign FILE --key K',
      ),
      trust,
      nowMs,
    );
  const field = about === 'symbols' ? 'symbol_bundle_sha256' : 'artifact';
  return await verifyEvidence(files, {
    trust,
    wanted: { kind: 'listed', subjects: [wantDigest(field, subject)] },
    ...(artifact ? { artifact } : {}),
    nowMs,
  });
}

/** Verifies what there is, and leaves out the files of which nothing counted: a stranger's file is not kept beside them. */
export async function verifySifted(
  subject: Digest,
  about: About,
  files: SourceFile[],
  trust: Trust,
  nowMs: number,
): Promise<{ record: EvidenceRecord; files: SourceFile[] }> {
  const record = await verifyAbout(subject, about, files, trust, nowMs);
  const counted = new Set(acceptedIn(record).map(({ sha256 }) => sha256));
  const standing = files.filter((file) => counted.has(digestOf(file.bytes)) || namedBy(file) === 'unknown');
  if (record.verdict !== 'verified' || standing.length === files.length) return { record, files };
  const again = await verifyAbout(subject, about, standing, trust, nowMs);
  return again.verdict === 'verified' ? { record: again, files: standing } : { record, files };
}

/** The envelope that a join shows: provenance before other statements; undefined where none was accepted. */
export function mainOf(record: EvidenceRecord): EnvelopeRecord | undefined {
  const accepted = record.envelopes.filter(({ verdict }) => verdict === 'accepted');
  return (
    accepted.find((one) => one.predicate_type?.startsWith('https://slsa.dev/provenance/')) ?? accepted[0]
  );
}

/** What the provenance in an accepted envelope says about the build. */
export function factsOf(main: EnvelopeRecord, files: SourceFile[]): BuildFacts {
  const file = files.find(({ bytes }) => digestOf(bytes) === main.sha256);
  const found = file && statementsOf(file).find(({ sha256 }) => sha256 === main.payload_sha256);
  return found ? buildFacts(found.statement) : {};
}

/** Keeps the bytes and the result of verifying them; the bytes are on disk before the row that names them. */
export async function keepEvidence(
  { blobs }: Pick<TraceStore, 'blobs'>,
  queries: Queries,
  subject: Digest,
  about: About,
  record: EvidenceRecord,
  files: SourceFile[],
): Promise<void> {
  const main = mainOf(record);
  const shown = main ?? record.envelopes[0];
  if (!shown) return;
  const kept: Digest[] = [];
  for (const { bytes } of files) kept.push(await blobs.put(bytes, true));
  const record_sha256 = await blobs.put(canonicalJson(record), true);
  const verified = record.verdict === 'verified';
  const { signed_at, tile_ref } = vouchedBy(record);
  // What was accepted stays so, whatever is given beside it later.
  await queries.query(
    `INSERT INTO evidence (subject_sha256, about, envelope_sha256, files, predicate_type, policy_sha256, verified,
       error, signers, signed_at, tile_ref, build, record_sha256)
     VALUES ($1, $2, $3, $4::text[], $5, $6, $7, $8, $9::jsonb, $10, $11, $12::jsonb, $13)
     ON CONFLICT (subject_sha256, about, envelope_sha256, policy_sha256) DO UPDATE SET verified = EXCLUDED.verified,
       error = EXCLUDED.error, files = EXCLUDED.files, signers = EXCLUDED.signers, signed_at = EXCLUDED.signed_at,
       tile_ref = EXCLUDED.tile_ref, build = EXCLUDED.build, record_sha256 = EXCLUDED.record_sha256
     WHERE EXCLUDED.verified OR NOT evidence.verified`,
    [
      subject,
      about,
      shown.sha256,
      kept,
      shown.predicate_type,
      record.policy.sha256,
      verified,
      verified ? null : `${record.code}: ${record.message}`,
      JSON.stringify(acceptedIn(record).flatMap(({ signers }) => signers)),
      signed_at,
      tile_ref,
      JSON.stringify(verified && main ? factsOf(main, files) : {}),
      record_sha256,
    ],
  );
}
