/** certification.txt: the draft of a certification under US Federal Rule of Evidence 902(14), for people to complete. */
import { type Digest, hexOf } from '../base/digest.ts';
import { VERSION } from '../base/version.ts';
import type { EnvelopeRecord, EvidenceRecord } from '../evidence/documents/record.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { BundleItem } from './bundle-item.ts';
import type { AttestedView } from './custody-txt.ts';
import { BLANK, Draft, quoted } from './draft.ts';

/** A bundle that was accepted, and the result of verifying it. */
export interface CertifiedBundle {
  /** The bundle's identity. */
  root: Digest;
  archiveBytes: number;
  record: ReplayRecord;
  contents: { items: BundleItem[]; withheld?: unknown[] };
  /** The bundle that this is a redaction of. */
  subject?: Digest;
  attested: AttestedView;
  /** The evidence as it was verified again; null where there was none to verify. */
  evidence: EvidenceRecord | null;
}

/** Sentences that the draft and the provenance view share, so that both claim the same. */
export function findings({ record, evidence }: CertifiedBundle): { verdict: string; evidence: string } {
  const matching = record.replays.filter(({ outcome }) => outcome === 'match').length;
  const said = `The record gives the verdict "${record.verdict}", with the reason ${quoted(record.reason)}`;
  return {
    verdict:
      record.replays.length === 0
        ? `${said}. It holds no replays, so that there was nothing from which this could be decided again.`
        : `${said}: ${matching} of ${record.requested} replays asked for ended in the state that counts, a ratio of ${record.replay_success_ratio.toFixed(3)}. Decided again from the replays as they are recorded, verdict, reason and ratio are the same.`,
    evidence:
      evidence === null
        ? 'No signature was verified: there was no evidence that could be checked again. Nobody is proven to have signed anything.'
        : evidence.verdict === 'verified'
          ? `The evidence was verified again, under the policy inside the Bundle and as of ${evidence.verified_at}, the time in the record.`
          : `The evidence was checked again and was not accepted (${evidence.code}), as the record says. Nobody is proven to have signed anything.`,
  };
}

function notice(d: Draft): void {
  d.rule();
  d.centred('DRAFT - NOT A CERTIFICATION UNTIL COMPLETED, REVIEWED AND SIGNED');
  d.rule();
  d.plain(
    'A program wrote this draft. It must be completed, corrected and reviewed by counsel and by a qualified person. Whoever signs it must strike what he or she does not know to be true. It is not legal advice. Whether it meets Rule 902 is for counsel and the court; the proponent must also give the notice that Rule 902(11) requires. Remove this notice when it is done.',
  );
  d.rule();
}

function caption(d: Draft): void {
  d.line();
  d.centred('UNITED STATES DISTRICT COURT');
  d.centred(`FOR THE ${BLANK} DISTRICT OF ${BLANK}`);
  d.line();
  d.line(`${BLANK}, Plaintiff,`);
  d.line(`     v.                                   Case No. ${BLANK}`);
  d.line(`${BLANK}, Defendant.`);
  d.line();
  d.centred('CERTIFICATION OF DATA COPIED FROM AN ELECTRONIC DEVICE,');
  d.centred('STORAGE MEDIUM, OR FILE');
  d.centred('Fed. R. Evid. 902(14), 902(11), 902(12); 28 U.S.C. § 1746');
  d.line();
  d.plain(`I, ${BLANK}, state as follows:`);
}

function person(d: Draft): void {
  d.heading('A. WHO MAKES THIS CERTIFICATION');
  d.paragraph(`I am employed by ${BLANK} as ${BLANK}. My address is ${BLANK}.`);
  d.paragraph(
    `I am qualified to make this certification by my training and experience with the identification of digital data by hash values: ${BLANK}.`,
  );
}

function data(d: Draft, { root, archiveBytes, contents }: CertifiedBundle): void {
  const { items } = contents;
  const distinct = new Set(items.map(({ sha256 }) => sha256)).size;
  d.heading('B. THE DATA');
  d.paragraph(
    `The data are one electronic file, an audit bundle (the "Bundle"). It was received as (file name, exhibit number) ${BLANK}.`,
  );
  d.paragraph(
    `The data in it were copied from (device, storage medium or file) ${BLANK} by ${BLANK} on ${BLANK} in this way: ${BLANK}. (The program that wrote this draft saw only the copy and cannot complete this paragraph.)`,
  );
  const identity = d.paragraph(
    'The Bundle is identified by the SHA-256 digest of its root manifest (the "Identity"):',
  );
  d.digits(hexOf(root));
  d.plain(
    'The root manifest names by SHA-256 digest, itself or through the lists that it names, every content of the Bundle. The digest of the archive file as a whole is another number and is not the Identity.',
    4,
  );
  d.paragraph(
    `The archive file has ${archiveBytes} bytes. It lists ${items.length} items, of ${distinct} different contents ("reenact bundle ls" prints each with its digest):`,
  );
  d.line(`        ${'Role'.padEnd(18)}${'Items'.padStart(9)}${'Bytes'.padStart(20)}`);
  for (const role of new Set(items.map((item) => item.role))) {
    const of = items.filter((item) => item.role === role);
    const bytes = of.reduce((sum, { size }) => sum + size, 0);
    d.line(`        ${role.padEnd(18)}${String(of.length).padStart(9)}${String(bytes).padStart(20)}`);
  }
  d.paragraph(
    `I compared the Identity in paragraph ${identity} with the one that I had from ${BLANK} by way of ${BLANK}, on ${BLANK}. They were (the same / not the same): ${BLANK}. (Nothing inside a file can prove where the file comes from.)`,
  );
}

/** What is signed about the bundle as a whole, and since when it is there. */
function attested(
  d: Draft,
  { attested: { events, stamps }, subject, contents, root }: CertifiedBundle,
): void {
  if (subject) {
    d.paragraph(
      `The Bundle is a redaction: ${contents.withheld?.length ?? 0} things were withheld from the bundle with the identity`,
    );
    d.digits(hexOf(subject));
  }
  if (events.length === 0) return;
  d.paragraph(
    'Statements about the Bundle as a whole, that name its Identity, were signed as follows. Whose the keys are, the Bundle does not prove; names, times and reasons are what the signers say.',
  );
  for (const { sequence, action, actor, reason, time, key, sha256 } of events) {
    d.point(
      `Event ${sequence}, "${action}", by ${quoted(actor)}, ${time === null ? 'without a time' : `at ${quoted(time)}`}, because ${quoted(reason)}. The public key has the SHA-256 digest`,
    );
    d.digits(hexOf(key.fingerprint));
    for (const { of, time: stamped, authority } of stamps)
      if (of === sha256) d.plain(`It was there at ${stamped}, by the word of ${quoted(authority)}.`, 8);
  }
  for (const { of, time, authority } of stamps)
    if (of === root) d.paragraph(`The Bundle was there at ${time}, by the word of ${quoted(authority)}.`);
}

function steps(
  d: Draft,
  { record, contents, evidence, attested: { events, stamps } }: CertifiedBundle,
): void {
  const entries = contents.items.filter(({ role }) => role === 'custody').length;
  d.heading('C. THE PROCESS OF DIGITAL IDENTIFICATION');
  d.paragraph(
    `On ${BLANK}, at ${BLANK}, I examined the Bundle with the program reenact, version ${VERSION}, by its command "reenact bundle verify", on this computer: ${BLANK}. I rely on the program because: ${BLANK}.`,
  );
  d.paragraph('The program used nothing but the file, and no network. It did the following:');
  d.point(
    'It read the file from its first byte to its last, and would have refused it in any other form than that of a bundle.',
  );
  d.point(
    'It computed the SHA-256 digest of the root manifest, of each part that the root manifest names and of each content in those parts, and compared each with the digest and the size under which it is listed. Nothing listed was missing, and nothing else was there.',
  );
  d.point(
    'It made the two manifests of the Bundle as a BagIt bag (RFC 8493), manifest-sha256.txt and tagmanifest-sha256.txt, anew from the digests of all files, and compared them byte for byte; and so the texts for people, where it is the release that makes such texts.',
  );
  d.point(
    'It compared the digest of the replay record in the Bundle with the one in the list of contents, and checked that the record has its prescribed form.',
  );
  d.point(
    record.replays.length === 0
      ? 'It found no replays in the record, and therefore decided no verdict again.'
      : 'It decided the verdict again, from the replays as they are recorded and the conditions of the policy inside the Bundle, and compared it with the recorded one. Where it could read the description of a final state, it compared how the program ended with what the record says.',
  );
  d.point(
    evidence === null
      ? 'It verified no signatures: there was no evidence that could be checked again.'
      : 'It verified the evidence (signed statements about digests) again, under the policy, with the keys and as of the time that are in the Bundle, and compared the outcome with the recorded one.',
  );
  d.point(
    entries === 0
      ? 'It found no chain of custody of the run in the Bundle.'
      : `It followed the chain of custody of the run: ${entries} ${entries === 1 ? 'entry' : 'entries, each naming the digest of the one before'}; the last is the one that the record names.`,
  );
  if (events.length > 0)
    d.point(
      `It verified the signature of each of the ${events.length} events about the Bundle as a whole with the key beside it, and that each names the Identity and the event before it.`,
    );
  if (stamps.length > 0)
    d.point(
      'It computed that each timestamp is of the root manifest or of an event. It did not establish who made the timestamps.',
    );
}

const SUBJECTS: Record<string, string> = {
  manifest: 'the replay manifest (in canonical form, without its references to evidence)',
  sandbox_image_sha256: 'the sandbox image',
  symbol_bundle_sha256: 'the symbol bundle',
};
const SOURCES: Record<string, string> = {
  'log-promise': 'a transparency log',
  'timestamp-authority': 'a timestamp authority',
};

function signature(d: Draft, { sha256, subjects, signers, timestamps, log }: EnvelopeRecord): void {
  d.point('Evidence with a valid signature has the SHA-256 digest');
  d.digits(hexOf(sha256));
  for (const { field, expected } of subjects) {
    d.plain(`It is a statement that names, as the digest of ${SUBJECTS[field] ?? quoted(field)},`, 8);
    d.digits(expected);
  }
  for (const { authority, identity, issuer, algorithm, key_fingerprint } of signers) {
    const who =
      identity === null ? '' : ` The certificate names ${quoted(identity)}, by ${quoted(issuer ?? '')}.`;
    d.plain(
      `It is signed by the one whom the policy inside the Bundle calls ${quoted(authority)}.${who} The key is for ${algorithm}, and its public key (SubjectPublicKeyInfo) has the SHA-256 digest`,
      8,
    );
    d.digits(hexOf(key_fingerprint));
  }
  for (const { source, time } of timestamps)
    d.plain(`It was signed by ${time}, by the word of ${SOURCES[source] ?? quoted(source)}.`, 8);
  if (timestamps.length === 0) d.plain('When it was signed is not proven.', 8);
  for (const { origin, index, root } of log)
    d.plain(
      `${root === null ? 'A promise to enter it' : 'Its entry'} in the transparency log ${quoted(origin)}, number ${index}, was verified.`,
      8,
    );
}

function found(d: Draft, bundle: CertifiedBundle): void {
  const { record, evidence } = bundle;
  const said = findings(bundle);
  d.heading('D. WHAT WAS FOUND');
  d.paragraph('The Bundle was accepted: all that was compared agreed, and no problem was reported.');
  d.paragraph(`The record calls what was replayed ${quoted(record.name)}. ${said.verdict}`);
  if (record.degraded.length > 0)
    d.paragraph(
      `The record says itself that its run was degraded: ${record.degraded.map(quoted).join(', ')}.`,
    );
  d.paragraph(said.evidence);
  if (evidence?.verdict === 'verified')
    for (const envelope of evidence.envelopes) if (envelope.verdict === 'accepted') signature(d, envelope);
  attested(d, bundle);
  d.paragraph(
    `The record says that its run began at ${quoted(record.started_at)}. That time was set by the computer that wrote the record; verification does not establish it.`,
  );
}

function limits(d: Draft, { evidence, attested: { events } }: CertifiedBundle): void {
  d.heading('E. WHAT THIS DOES NOT CERTIFY');
  d.paragraph('Nothing above establishes, and I do not certify on the strength of it:');
  d.point(
    'that the recorded replays took place, or took place as recorded: whoever can write such records can put them into a bundle;',
  );
  d.point('that what the record, the replay manifest or a signed statement claims is true;');
  d.point(
    events.length > 0
      ? 'who made the Bundle, or whose the keys are with which its events are signed;'
      : evidence?.verdict === 'verified'
        ? 'who made the Bundle: the signatures above are over the statements that they cover, and none is over the Bundle;'
        : 'who made the Bundle or anything in it: no signature is proven;',
  );
  d.point('that the policy and the keys inside the Bundle are ones that anybody should accept;');
  d.point(
    'who held the data before I received them, or that no entry was cut off at the end of a chain of custody;',
  );
  d.point('any time, except where paragraphs above say by whose word it is proven;');
  d.point(
    'anything about contents that are not in the Bundle, or about what its contents mean: the program only lists and compares them;',
  );
  d.point('that the program, or the computer on which I used it, was free of errors.');
}

function declaration(d: Draft): void {
  d.heading('F. DECLARATION');
  d.line();
  d.plain(
    '(Within the United States, its territories, possessions or commonwealths:) I declare under penalty of perjury that the foregoing is true and correct.',
  );
  d.line();
  d.plain(
    '(Elsewhere:) I declare under penalty of perjury under the laws of the United States of America that the foregoing is true and correct. (Under Rule 902(12), it must be signed in a manner that, if falsely made, would subject the maker to a criminal penalty in the country where it is signed.)',
  );
  d.line();
  d.line(`Executed on (date) ${BLANK} at (place) ${BLANK}`);
  d.line();
  d.line(`Signature          ${BLANK}${BLANK}`);
  d.line(`Name               ${BLANK}${BLANK}`);
  d.line(`Title, employer    ${BLANK}${BLANK}`);
  d.line();
  d.rule();
  d.plain(
    `Draft written by reenact ${VERSION}. It holds no date of its own: the same Bundle gives the same draft. DRAFT, to be completed and reviewed; no legal advice.`,
  );
}

/** The draft. It states what verification established, leaves blank what only a person knows, and asks no clock. */
export function certification(bundle: CertifiedBundle): string {
  const d = new Draft();
  notice(d);
  caption(d);
  person(d);
  data(d, bundle);
  steps(d, bundle);
  found(d, bundle);
  limits(d, bundle);
  declaration(d);
  return d.text;
}
