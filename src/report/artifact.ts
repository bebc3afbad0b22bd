/** What a person reads after an artifact was added: what it holds, what is proven about it, and by whom. */

import type { Unread } from '../artifacts/unpacking.ts';
import type { Digest } from '../base/digest.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import { nextOf } from '../evidence/documents/record.ts';
import type { Shipped, ShippedKind } from '../join/store/artifacts.ts';
import type { Proven } from '../join/store/proven.ts';
import { safeLine } from './human.ts';

const KINDS: Readonly<Record<ShippedKind, string>> = {
  file: 'a file',
  debian_package: 'a Debian package',
  oci_image: 'an OCI image',
  oci_config: 'an OCI configuration',
  oci_layer: 'an OCI layer',
};

export interface AddedArtifact {
  sha256: Digest;
  kind: ShippedKind;
  name: string;
  size_bytes: number;
  /** Programs and libraries in it, each once, itself among them. */
  programs: number;
  /** Of these, how many have an id of the linker's. */
  with_id: number;
  unread: Unread;
  /** Its links with what the store can say of them; of an image also manifests and configurations. */
  proven: ({ sha256: Digest; kind: ShippedKind } & Proven)[];
  /** The result for the evidence that was given now. */
  evidence: { subject: Digest; record: EvidenceRecord }[];
  /** What a registry holds that was not examined. */
  left_out: string[];
}

/** How many different programs there are in a shipped thing, and how many have an id. */
export function countPrograms(shipped: Shipped): { programs: number; with_id: number } {
  const seen = new Map<Digest, boolean>();
  const visit = ({ sha256, images, contents }: Shipped): void => {
    if (images.length > 0)
      seen.set(
        sha256,
        images.some(({ id }) => id !== null),
      );
    for (const content of contents) visit(content.shipped);
  };
  visit(shipped);
  return { programs: seen.size, with_id: [...seen.values()].filter((has) => has).length };
}

function row(label: string, text: string | null): string {
  return text === null ? '' : `  ${label.padEnd(11)}${safeLine(text)}\n`;
}

const FROM: Readonly<Record<string, string>> = { provenance: 'the statement' };

function said(text: string | null, from: string | null): string | null {
  return text === null ? null : `${text} (says ${from === null ? 'the file' : (FROM[from] ?? from)})`;
}

function provenText(one: AddedArtifact['proven'][number], root: Digest): string {
  const signers = one.signers ?? [];
  const about = one.sha256 === root ? 'of this very digest' : `of ${KINDS[one.kind]} of it, ${one.sha256}`;
  const who = signers.map(({ authority, identity, issuer, key_fingerprint }) =>
    identity === null
      ? `${authority}, key ${key_fingerprint}`
      : `${authority}: ${identity}, issuer ${issuer}`,
  );
  return (
    row('proven', `${about}, by ${one.provenance_dsse}`) +
    row('builder', said(one.builder, 'provenance') ?? 'not named') +
    row('commit', said(one.builder_commit, 'provenance') ?? 'not named') +
    row('compiler', said(one.compiler, one.compiler_from) ?? 'not named') +
    row('flags', said(one.compiler_flags, one.compiler_flags_from)) +
    who.map((text) => row('signer', text)).join('') +
    row('time', one.signed_at ?? 'none but the signer’s own') +
    row('log entry', one.insertion_rekor_tile_ref ?? 'none is proven')
  );
}

function refusedText({ subject, record }: AddedArtifact['evidence'][number]): string {
  if (record.verdict === 'verified') return '';
  const next = record.code ? `  next: ${nextOf(record)}\n` : '';
  return row('refused', `evidence about ${subject}: ${record.code}: ${record.message}`) + next;
}

/** The text about one artifact; nothing in it that was read from the artifact reaches the terminal as it is. */
export function artifactReport(added: AddedArtifact): string {
  const { name, kind, sha256, programs, with_id, unread, proven, evidence, left_out } = added;
  const accepted = proven.filter(({ provenance_dsse }) => provenance_dsse !== null);
  const nothing =
    evidence.length > 0 ? 'nothing: what was given is refused' : 'nothing: no evidence was given';
  return (
    `${safeLine(name)}: ${KINDS[kind]}\n` +
    row('digest', sha256) +
    row('holds', `${programs} programs and libraries, ${with_id} of them with an id of the linker`) +
    (unread.count > 0 ? row('left out', `${unread.count} that look like programs and cannot be read`) : '') +
    unread.first.map((text) => row('', text)).join('') +
    left_out.map((text) => row('not read', text)).join('') +
    (accepted.map((one) => provenText(one, sha256)).join('') || row('proven', nothing)) +
    evidence.map(refusedText).join('')
  );
}
