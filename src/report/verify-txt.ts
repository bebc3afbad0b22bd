/** How to check a bundle without this software: commands that can be run as they stand (a test does). */

import type { Digest } from '../base/digest.ts';
import { hexOf } from '../base/digest.ts';
import type { Algorithm } from '../evidence/common/keys.ts';
import { VDSO } from '../join/compare.ts';
import type { JoinDocument } from '../join/document.ts';
import { GATED_FRAMES, LEAST_KNOWN_FRAMES } from '../verdict/custody.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { safe } from './human.ts';

/** What a bundle holds beside its record. */
export interface BundleContents {
  items: BundleItem[];
  events: {
    sequence: number;
    action: string;
    /** Of the envelope. */
    sha256: Digest;
    key: { fingerprint: Digest; algorithm: Algorithm };
    /** Of the file the key is in. */
    keySha256: Digest;
  }[];
  stamps: { sha256: Digest; of: Digest | null; time: string; authority: string }[];
  /** The bundle that this is a redaction of. */
  subject?: Digest;
}

export interface BundleItem {
  role: string;
  sha256: Digest;
  size: number;
  name?: string;
}

function blob(sha256: Digest): string {
  return `blobs/sha256/${hexOf(sha256)}`;
}

/**
 * openssl's way of checking a signature over a file, by the key's algorithm. What is put into commands is a digest, a
 * number or one of a closed list, as the record's schema has it: a bundle is a stranger's, and people run this.
 */
function opensslCheck(algorithm: Algorithm): string {
  const [family, , hash] = algorithm.split('-');
  if (family === 'ed25519')
    return 'openssl pkeyutl -verify -pubin -inkey "$k" -rawin -in "$d/pae" -sigfile "$d/sig"';
  const pss = algorithm.startsWith('rsa-pss')
    ? ' -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest'
    : '';
  return `openssl dgst -${hash} -verify "$k"${pss} -signature "$d/sig" "$d/pae"`;
}

/** The commands that leave payload, signature and what was signed of an envelope in files. */
function unpackEnvelope(file: string): string {
  return `$ jq -j '.payload' ${file} | base64 -d > "$d/payload"
$ jq -j '.signatures[0].sig' ${file} | base64 -d > "$d/sig"
$ { t=$(jq -j .payloadType ${file}); printf 'DSSEv1 %s %s %s ' "\${#t}" "$t" "$(stat -c %s "$d/payload")"; cat "$d/payload"; } > "$d/pae"`;
}

function signatureSteps(record: ReplayRecord, items: BundleItem[], step: number): string {
  const [envelope] = record.evidence.record?.envelopes ?? [];
  const signer = envelope?.signers.find(({ identity }) => identity === null);
  const [file] = record.evidence.files;
  const keys = items.filter(({ role }) => role === 'policy-file').map(({ sha256 }) => blob(sha256));
  const check = signer ? opensslCheck(signer.algorithm) : null;
  if (!check || !file || keys.length === 0) return '';
  return `
${step}. The signature over the manifest, by a key of the policy. What is signed is
   "DSSEv1", the type and the payload with their lengths. One of the policy's
   files must verify it:

${unpackEnvelope(blob(file))}
$ ok=; for k in ${keys.join(' ')}; do ${check} 2>/dev/null && ok=1; done; test -n "$ok"

   The statement must name the manifest's digest from the step before:

$ jq -e --arg d ${record.manifest_subject_sha256?.slice(7)} '[.subject[].digest.sha256] | index($d) != null' "$d/payload"
`;
}

/** Who signed the bundle as a whole: each event by the key beside it, about this root, after the one before. */
function eventSteps(root: Digest, { events }: BundleContents, step: number): string {
  let previous: Digest | null = null;
  const each = events.map(({ sequence, action, sha256, key, keySha256 }) => {
    const text = `
   Event ${sequence}, ${action}, by the holder of the key with this fingerprint:
   ${key.fingerprint}

$ k=${blob(keySha256)}; test "$(openssl pkey -pubin -in "$k" -outform DER | sha256sum | cut -d' ' -f1)" = ${hexOf(key.fingerprint)}
${unpackEnvelope(blob(sha256))}
$ ${opensslCheck(key.algorithm)}
$ jq -e '.subject[0].digest.sha256 == "${hexOf(root)}" and .predicate.sequence == ${sequence} and .predicate.previous == ${JSON.stringify(previous)}' "$d/payload"
`;
    previous = sha256;
    return text;
  });
  return `
${step}. Who signed the bundle as a whole. Whose key it is must reach you by
   another way; compare its fingerprint.
${each.join('')}`;
}

/** A stranger's words on a line of their own could pass for a command. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, 200);
}

/** Timestamps, with the certificates they carry: whether their authority is to be trusted is for the reader. */
function stampSteps({ stamps }: BundleContents, step: number): string {
  const each = stamps.flatMap(({ sha256, of, time, authority }) =>
    of === null
      ? []
      : [
          `
   ${time}, by
   ${oneLine(authority)}:

$ openssl ts -reply -in ${blob(sha256)} -token_out -out "$d/token" 2>/dev/null
$ openssl pkcs7 -inform DER -in "$d/token" -print_certs -out "$d/certs"
$ openssl ts -verify -in ${blob(sha256)} -data ${blob(of)} -CAfile "$d/certs" -partial_chain -attime ${Math.floor(Date.parse(time) / 1000)} 2>/dev/null
`,
        ],
  );
  return `
${step}. Since when it is there. The certificates come with the timestamp: compare
   the authority's own, which you have by another way (-CAfile).
${each.join('')}`;
}

/** In jq's words: the names of the kernel's own page. */
const VDSO_NAMES = JSON.stringify(VDSO);

/** The trace by its id, and how many of its frames are joined, counted again; documents in packs are left to reenact. */
function traceSteps(join: JoinDocument, items: BundleItem[], blobs: Digest[], step: number): string {
  const [trace, document] = ['trace', 'join'].map((role) => items.find((item) => item.role === role)?.sha256);
  const found = trace && document && [trace, document].every((one) => blobs.includes(one));
  const commands = found
    ? `
$ test "$(sha256sum < ${blob(trace)} | cut -d' ' -f1)" = ${hexOf(join.trace_id)}
$ jq -e '.trace_id == "${join.trace_id}"' ${blob(document)}
$ jq -e '([.frames[] | select(.thread == 0 and ((.image_path // "") as $p | ${VDSO_NAMES} | index($p) | not))][:${GATED_FRAMES}]) as $f | ($f | length) as $n | (if .ended == null then 0 else .ended.missing end) as $m | ([if $m == null then ([$n + 1, ${LEAST_KNOWN_FRAMES}] | max) else $n + $m end, ${GATED_FRAMES}] | min) as $all | ([$f[] | select(.gap == null)] | length) / $all == (.gates[] | select(.name == "join_completeness") | .value)' ${blob(document)}
`
    : '';
  return `
${step}. The trace, whose name is its digest, and the share of the first frames of the
   thread that crashed which are joined. Whether they may be, reenact says:
   signatures and ids of symbol files are checked by reenact bundle verify.
${commands}`;
}

/** The text of data/VERIFY.txt. Lines that begin with "$ " are commands for one shell, in their order. */
export function verifyInstructions(
  root: Digest,
  record: ReplayRecord,
  contents: BundleContents,
  blobs: Digest[],
  join?: JoinDocument,
): string {
  const { items, events, stamps, subject } = contents;
  const manifest = record.manifest_sha256;
  let step = 1;
  let text = `How to check this bundle without reenact
========================================
It needs sha256sum, jq and openssl, and no network. Unpack the archive with
tar -xf into an empty folder, and run what follows "$ " there, line by line.
Every command must end with status 0.

The bundle's identity is the digest of its root manifest:

    ${root}

Compare it with what you were told by another way: nothing in an archive can
prove where the archive comes from.
${subject ? `\nIt is a redaction of\n\n    ${subject}\n\nfrom which contents were taken out: data/report.html lists them.\n` : ''}
${step++}. Every file is what the bag's manifests say:

$ d=$(mktemp -d)
$ sha256sum --quiet -c manifest-sha256.txt
$ sha256sum --quiet -c tagmanifest-sha256.txt

${step++}. The index names the root manifest, and the root manifest ${blobs.length} blobs:

$ test "$(jq -r '.manifests[0].digest' index.json)" = ${root}
$ test "$(sha256sum < ${blob(root)} | cut -d' ' -f1)" = ${hexOf(root)}
$ jq -r '.layers[].digest' ${blob(root)} | sed 's#sha256:#blobs/sha256/#' | xargs ls > /dev/null

${step++}. The record, which holds the verdict, is about this manifest and this image:

$ record=$(jq -r '.record_sha256' ${blob(blobs[0]!)} | sed 's#sha256:#blobs/sha256/#')
$ jq -e '.manifest_sha256 == "${manifest}" and .verdict == "${record.verdict}"' "$record"
$ jq -e --argjson n ${record.requested} '.requested == $n' "$record"
`;
  const only = holdsOnly(record.environment);
  if (only.length > 0)
    text += `
   It holds only ${oneLine(only.join('; '))}:
   these are the mechanisms that were in force, and the processor.

$ jq -e '(.environment.mechanisms | join(",")) == "${record.environment!.mechanisms!.join(',')}"' "$record"
$ jq -c '.environment.processor' "$record"
`;
  if (manifest)
    text += `
${step++}. The manifest's own digest, as evidence names it (without the two fields that
   name the evidence):

$ test "$(jq -jcS 'del(.dsse_envelope, .rekor_tile_ref)' ${blob(manifest)} | sha256sum | cut -d' ' -f1)" = ${record.manifest_subject_sha256?.slice(7)}
`;
  const signature = signatureSteps(record, items, step);
  if (signature) step++;
  text += signature;
  if (join) text += traceSteps(join, items, blobs, step++);
  if (events.length > 0) text += eventSteps(root, contents, step++);
  if (stamps.length > 0) text += stampSteps(contents, step++);
  text += `
${step++}. How many replays ended in the state that counts, counted again from the record:

$ jq -e '([.replays[] | select(.outcome == "match")] | length) / .requested == .replay_success_ratio' "$record"

   What was unpacked on the way can go:

$ rm -rf "$d"

Other tools that read the same archive: skopeo (skopeo inspect --raw oci:FOLDER
prints the root manifest; oci:FOLDER:bundle where there are several), any BagIt validator, and for Sigstore bundles among
the evidence cosign (cosign verify-blob-attestation --bundle FILE
--trusted-root ROOT ...).
`;
  return safe(text);
}
