/** How to check a bundle without this software: the same commands for every bundle, from its identity down. */
import { type Digest, hexOf } from '../base/digest.ts';
import { VDSO } from '../join/compare.ts';
import { GATED_FRAMES, LEAST_KNOWN_FRAMES } from '../verdict/custody.ts';

/** What jq calls the kernel's own page. */
const VDSO_NAMES = JSON.stringify(VDSO);

/** A step: what it shows, and its commands, each on one line, for one shell. */
type Step = [string, string[]];

const EMPTY = `{digest:"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",mediaType:"application/vnd.oci.empty.v1+json",size:2}`;

const CODE_POINTS = [
  '. < 32',
  '(. >= 127 and . <= 159)',
  '. == 1564',
  '(. >= 8203 and . <= 8207)',
  '(. >= 8232 and . <= 8238)',
  '(. >= 8288 and . <= 8303)',
  '. == 65279',
].join(' or ');

/** A stranger's words on lines of their own must not look like a line of ours: the same in jq and in custody.txt. */
export const HIDDEN: RegExp =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** The tree of files: from the identity to the root, the index, what is attached, and every blob. */
const FILES: Step[] = [
  [
    'No file was damaged on the way. Such lists can be made anew by any person: they\n   prove nothing, but name the file that is damaged.',
    [
      `trap 'test $? = 0 || echo "FAILED: step $step of VERIFY.txt"' EXIT; LC_ALL=C; export LC_ALL; d=$(mktemp -d)`,
      'sha256sum --quiet --strict -c manifest-sha256.txt',
      'sha256sum --quiet --strict -c tagmanifest-sha256.txt',
    ],
  ],
  [
    'The root manifest has the identity, and the index names it first.',
    [
      'root=blobs/sha256/$id; test "$(sha256sum < "$root")" = "$id  -"',
      `jq -e --arg id "sha256:$id" --argjson size "$(stat -c %s "$root")" 'keys == ["manifests", "mediaType", "schemaVersion"] and .schemaVersion == 2 and .mediaType == "application/vnd.oci.image.index.v1+json" and .manifests[0] == {annotations: {"org.opencontainers.image.ref.name": "bundle"}, artifactType: "application/vnd.reenact.audit-bundle.v1", digest: $id, mediaType: "application/vnd.oci.image.manifest.v1+json", size: $size} and all(.manifests[]; .digest | test("^sha256:[0-9a-f]{64}$"))' index.json`,
      'test "$(jq -jcS . index.json | sha256sum)" = "$(sha256sum < index.json)"',
    ],
  ],
  [
    'What is attached names this root as its subject.',
    [
      `jq -r '.manifests[1:][] | "blobs/sha256/" + .digest[7:]' index.json > "$d/attached"`,
      `jq -es --slurpfile index index.json '$index[0].manifests as $all | ($all[0] | {digest, mediaType, size}) as $root | map(.artifactType) == ($all[1:] | map(.artifactType)) and all(.[]; .subject == $root and .config == ${EMPTY} and all(.layers[]; .digest | test("^sha256:[0-9a-f]{64}$")))' /dev/null $(cat "$d/attached")`,
    ],
  ],
  [
    'The blobs are exactly those that root, index and attached manifests name: no\n   other is there, each has its size and, hashed, the digest in its name.',
    [
      `jq -s '[.[] | .config, .layers[]]' "$root" $(cat "$d/attached") > "$d/named"`,
      `jq -rs '[.[0].manifests[], .[1][]] | map("\\(.digest[7:]) \\(.size)") | unique[]' index.json "$d/named" > "$d/blobs"`,
      'test "$(ls -A blobs data)" = "$(printf "blobs:\\nsha256\\n\\ndata:\\nVERIFY.txt\\ncustody.txt\\nreport.html")"',
      'test "$(ls -A blobs/sha256)" = "$(cut -c1-64 "$d/blobs")"',
      `test "$(stat -c '%n %s' blobs/sha256/* | cut -c14-)" = "$(cat "$d/blobs")"`,
      'sha256sum blobs/sha256/* > "$d/sums"; test "$(cut -c1-64 "$d/sums")" = "$(cut -c1-64 "$d/blobs")"',
    ],
  ],
];

/** What the root holds: its table of contents, contents in archives, the report, and the bag around all. */
const CONTENTS: Step[] = [
  [
    'The case document lists exactly the contents that are there: blobs, members\n   of archives, and what stands in parts. Archives are unpacked for this, into\n   $d: it needs as much space as the bundle.',
    [
      'fail() { echo "FAILED: $*"; touch "$d/failed"; }',
      'table=blobs/sha256/$(jq -r \'.layers[0] | select(.mediaType == "application/vnd.reenact.case.v1+json") | .digest[7:]\' "$root"); test -f "$table"',
      `jq -r '.layers[] | select(.mediaType | test("[.](pack|part)[.]")) | "blobs/sha256/" + .digest[7:]' "$root" > "$d/packs"`,
      'while read -r p; do tar -tf "$p" || echo "FAILED $p"; done < "$d/packs" > "$d/members"',
      'test -z "$(tr -d "0-9a-f.\\n" < "$d/members")$(sort "$d/members" | uniq -d)"',
      'mkdir "$d/in"; rm -f "$d/failed"; while read -r p; do tar -xf "$p" -C "$d/in" || fail "$p"; done < "$d/packs"; test ! -e "$d/failed"',
      `for n in $(sed -n 's/[.]0000$//p' "$d/members"); do cat "$d/in/$n".???? > "$d/in/$n" && rm "$d/in/$n".????; done`,
      `( cd "$d/in" && ls -A | sed 's/.*/&  &/' ) > "$d/inside"; test ! -s "$d/inside" || ( cd "$d/in" && sha256sum --quiet --strict -c "$d/inside" )`,
      `{ jq -r '.layers[1:][] | select(.mediaType | test("[.](pack|part)[.]") | not) | "\\(.digest[7:]) \\(.size)"' "$root"; ( cd "$d/in" && ls -A | xargs -r stat -c '%n %s' ); } | sort > "$d/found"`,
      `test "$(jq -r '[.items[] | "\\(.sha256[7:]) \\(.size)"] | unique[]' "$table")" = "$(cat "$d/found")"`,
    ],
  ],
  [
    'The report is the one that the case document lists.',
    [
      `r=$(jq -r '[.items[] | select(.role == "report") | .sha256[7:]][0] // "none"' "$table")`,
      'if test "$r" = none; then echo "NOT CHECKED: data/report.html. An older release made this root, and it names none"; else test "$(sha256sum < data/report.html)" = "$r  -"; fi',
    ],
  ],
  [
    'The bag is the one that is made of these files, to the byte.',
    [
      'test "$(cat bagit.txt oci-layout | sha256sum)" = "$(printf \'BagIt-Version: 1.0\\nTag-File-Character-Encoding: UTF-8\\n{"imageLayoutVersion":"1.0.0"}\' | sha256sum)"',
      'test "$(sha256sum < bag-info.txt)" = "$(printf \'Bag-Software-Agent: reenact texts TEXTS\\nExternal-Identifier: sha256:%s\\nPayload-Oxum: %s.3\\n\' "$id" "$(cat data/* | wc -c)" | sha256sum)"',
      'test "$(sha256sum data/VERIFY.txt data/custody.txt data/report.html | sha256sum)" = "$(sha256sum < manifest-sha256.txt)"',
      'test "$( { sha256sum bag-info.txt bagit.txt; cat "$d/sums"; sha256sum index.json manifest-sha256.txt oci-layout; } | sha256sum)" = "$(sha256sum < tagmanifest-sha256.txt)"',
    ],
  ],
];

/** What the record says of the other documents. */
const RECORD: Step[] = [
  [
    'The record is the one of the case document, and what it names is listed there,\n   or among what was withheld.',
    [
      'at() { if test -e "$d/in/$1"; then printf %s "$d/in/$1"; else printf %s "blobs/sha256/$1"; fi; }',
      'record=$(at "$(jq -r \'.record_sha256[7:]\' "$table")"); jq -e \'.record_sha256 as $r | any(.items[]; .role == "record" and .sha256 == $r)\' "$table"',
      `jq -e --slurpfile table "$table" '$table[0] as $t | [["manifest", .manifest_sha256], ["policy", .policy.sha256], ["evidence", .evidence.files[]], ["evidence-record", .evidence.record_sha256], ["harness", (.environment // {} | .harness_sha256, .seccomp_sha256)], ["state", .replays[].final_state_sha256]] | map(.[0] as $role | .[1:][] | select(. != null) | [$role, .]) - ([$t.items[] | [.role, .sha256]] + [($t.withheld // [])[] | [.role, .commitment]]) == []' "$record"`,
      `manifest=$(jq -r '.manifest_sha256[7:]' "$record" 2>/dev/null || true)`,
    ],
  ],
  [
    'Its manifest has the digest that evidence must name (that of the manifest\n   without the two fields that name the evidence), and says the same.',
    [
      `if jq -e '.manifest_sha256 == null' "$record" > /dev/null; then echo "there is no manifest"; else test "sha256:$(jq -jcS 'del(.dsse_envelope, .rekor_tile_ref)' "$(at "$manifest")" | sha256sum | cut -c1-64)" = "$(jq -r .manifest_subject_sha256 "$record")"; fi`,
      `if jq -e '.manifest_sha256 == null' "$record" > /dev/null; then true; else jq -e --slurpfile m "$(at "$manifest")" '$m[0] as $m | .sandbox_image_sha256 == $m.sandbox_image_sha256 and .expected_state_sha256 == $m.expect.final_state_sha256 and .name == ($m.name // .name)' "$record"; fi`,
    ],
  ],
  [
    'How many replays ended in the state that counts, counted again; and what else\n   the record says.',
    [
      `jq -e '([.replays[] | select(.outcome == "match")] | length) / .requested == .replay_success_ratio' "$record"`,
      `jq -a '{name, verdict, reason, requested, replay_success_ratio, degraded, uncaptured, started_at, manifest_sha256, sandbox_image_sha256, environment: (.environment // {} | {kernel, cpu, processor, determinism, mechanisms})}' "$record"`,
    ],
  ],
];

/** The commands that leave in $d/pae what was signed of the envelope in $d/dsse. */
const DSSE =
  'pae() { jq -j .payload "$d/dsse" | tr _- /+ | base64 -d > "$d/payload"; t=$(jq -j .payloadType "$d/dsse"); { printf "DSSEv1 %s %s %s " "$(printf %s "$t" | wc -c)" "$t" "$(stat -c %s "$d/payload")"; cat "$d/payload"; } > "$d/pae"; }';
const OPENSSL =
  'check() { h=$(printf %s "$1" | sed "s/.*-//"); case $1 in ed25519) openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in "$d/pae" -sigfile "$d/sig";; rsa-pss-*) openssl dgst "-$h" -verify "$2" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -signature "$d/sig" "$d/pae";; *) openssl dgst "-$h" -verify "$2" -signature "$d/sig" "$d/pae";; esac; }';

/** Who signed what the manifest claims, and the run's own entries. */
const SIGNED: Step[] = [
  [
    'The evidence: each signature that the record says was made with a key is made\n   with a key of the policy that has this fingerprint. What is signed is\n   "DSSEv1", type and payload with their lengths.',
    [
      DSSE,
      OPENSSL,
      `if jq -e '.evidence.record == null' "$record" > /dev/null; then echo "no evidence was verified, or it was withheld"; else jq -e --slurpfile e "$(at "$(jq -r '.evidence.record_sha256[7:]' "$record")")" '.evidence.record == $e[0]' "$record"; fi`,
      `jq -r '.evidence.record // {} | (.envelopes // [])[] | select(.verdict == "accepted") | .sha256[7:] as $file | .signers[] | if .identity == null then "\\($file) \\(.algorithm) \\(.key_fingerprint[7:])" else "\\($file) certificate -" end' "$record" > "$d/signers"`,
      `jq -r '.items[] | select(.role == "policy-file") | .sha256[7:]' "$table" > "$d/keys"`,
      'key() { while read -r k; do if openssl pkey -pubin -in "$(at "$k")" -out "$d/key" 2>/dev/null && test "$(openssl pkey -pubin -in "$d/key" -outform DER | sha256sum)" = "$1  -"; then return 0; fi; done < "$d/keys"; return 1; }',
      `signed() { jq -cs '[.. | objects | select(has("payload") and has("payloadType") and has("signatures"))] | unique[]' "$(at "$1")" > "$d/envelopes"; while read -r e; do printf %s "$e" > "$d/dsse"; pae; for s in $(jq -r '.signatures[].sig' "$d/dsse"); do printf %s "$s" | tr _- /+ | base64 -d > "$d/sig"; if check "$2" "$d/key" > /dev/null 2>&1; then return 0; fi; done; done < "$d/envelopes"; return 1; }`,
      'rm -f "$d/failed"; while read -r file how print; do if test "$how" = certificate || test "$how" = ed25519ph || ! key "$print"; then echo "NOT CHECKED: $how of $file"; else signed "$file" "$how" || fail "$how of $file"; fi; done < "$d/signers"; test ! -e "$d/failed"',
      `for f in $(jq -r '.evidence.files[] | select(startswith("sha256:")) | .[7:]' "$record"); do jq -s '.. | objects | select(has("payload") and has("payloadType")) | .payload | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson? | .subject[]?.digest[]?' "$(at "$f")" 2>/dev/null || true; done > "$d/subjects"`,
      `jq -e --slurpfile s "$d/subjects" '[.evidence.record // {} | (.envelopes // [])[] | select(.verdict == "accepted" and .payload_type != null) | .subjects[] | select(.matched) | .expected] - $s == []' "$record"`,
      `jq -e '(.manifest_subject_sha256 // "")[7:] as $m | all(.evidence.record // {} | (.envelopes // [])[] | select(.verdict == "accepted") | .subjects[] | select(.field == "manifest" and .matched); .expected == $m)' "$record"`,
    ],
  ],
  [
    'The run’s own custody entry is the one of the record, and about its evidence\n   record. Older bundles hold those before it, too: each names the one before.',
    [
      `jq -r '.items[] | select(.role == "custody") | .sha256[7:]' "$table" > "$d/entries"; n=$(jq --argjson c "$(wc -l < "$d/entries")" '(.evidence.custody.sequence // $c) - $c' "$record"); last=null`,
      'rm -f "$d/failed"; while read -r e; do n=$((n + 1)); jq -e --argjson n "$n" --argjson last "$last" \'.sequence == $n and (.previous == $last or ($last == null and $n > 1))\' "$(at "$e")" > /dev/null || fail "entry $n"; last=\\"sha256:$e\\"; done < "$d/entries"; test ! -e "$d/failed"',
      `jq -e --argjson n "$n" --argjson last "$last" '.evidence.custody | if . == null then $n == 0 else .sequence == $n and .sha256 == $last end' "$record"`,
      'if test "$last" = null; then true; else jq -e --slurpfile e "$(at "$(tail -n1 "$d/entries")")" \'.evidence.record_sha256 == $e[0].evidence_record_sha256\' "$record"; fi',
    ],
  ],
];

const TRACE: Step = [
  'Of a trace: its name is its digest; and the share of the first frames of the\n   thread that crashed which are joined is counted again.',
  [
    `trace=$(jq -r '[.items[] | select(.role == "trace") | .sha256[7:]][0] // "none"' "$table"); join=$(jq -r '[.items[] | select(.role == "join") | .sha256[7:]][0] // "none"' "$table")`,
    `if test "$join" = none; then echo "this bundle is not of a trace"; else jq -e --arg t "sha256:$trace" '.trace_id == $t' "$(at "$join")"; fi`,
    `if test "$join" = none; then true; else jq -e '([.frames[] | select(.thread == 0 and ((.image_path // "") as $p | ${VDSO_NAMES} | index($p) | not))][:${GATED_FRAMES}]) as $f | ($f | length) as $n | (if .ended == null then 0 else .ended.missing end) as $m | ([if $m == null then ([$n + 1, ${LEAST_KNOWN_FRAMES}] | max) else $n + $m end, ${GATED_FRAMES}] | min) as $all | ([$f[] | select(.gap == null)] | length) / (if $all == 0 then 1 else $all end) == (.gates[] | select(.name == "join_completeness") | .value)' "$(at "$join")"; fi`,
  ],
];

/** What is attached, and the text about it. */
const ATTACHED: Step[] = [
  [
    'Who signed the bundle as a whole: each event is signed with the key beside it,\n   is about this root, and names the event before. Whose key it is must reach\n   you by another way: compare its fingerprint.',
    [
      `printf 'What is signed about this bundle as a whole\\n===========================================\\nsha256:%s\\n' "$id" > "$d/custody"; n=0; last=null; echo "$id  $root" > "$d/stamped"`,
      `jq -r 'select(.artifactType == "application/vnd.reenact.custody-event.v1") | .layers | map(.digest[7:]) | join(" ")' /dev/null $(cat "$d/attached") > "$d/events"`,
      `show='def show: explode | map(if ${CODE_POINTS} then 63 else . end) | implode; .predicate | "\\n\\($n) \\(.action) by \\"\\(.actor | show)\\"\\n    reason    \\"\\(.reason | show)\\"\\n    time      \\(.time // "not said")\\n    key       sha256:\\($key)\\n    envelope  sha256:\\($envelope)"'`,
      'rm -f "$d/failed"; while read -r e k; do n=$((n + 1)); cp "blobs/sha256/$e" "$d/dsse"; pae; jq -j ".signatures[0].sig" "$d/dsse" | tr _- /+ | base64 -d > "$d/sig"; check ed25519 "blobs/sha256/$k" > /dev/null || fail "signature of event $n"; print=$(openssl pkey -pubin -in "blobs/sha256/$k" -outform DER | sha256sum | cut -c1-64); jq -e --arg id "$id" --argjson n "$n" --argjson last "$last" \'(.subject | length == 1) and .subject[0].digest.sha256 == $id and .predicateType == "urn:reenact:custody-event:v1" and .predicate.sequence == $n and .predicate.previous == $last\' "$d/payload" > /dev/null || fail "event $n"; jq -r --argjson n "$n" --arg key "$print" --arg envelope "$e" "$show" "$d/payload" >> "$d/custody"; echo "$e  blobs/sha256/$e" >> "$d/stamped"; last=\\"sha256:$e\\"; done < "$d/events"; test ! -e "$d/failed"',
    ],
  ],
  [
    'Since when it is there: each timestamp is of the root or of an event, with the\n   certificates that come with it. Whether its authority is to be trusted:\n   compare its certificate with the one you have by another way (-CAfile).',
    [
      `jq -r 'select(.artifactType == "application/vnd.reenact.timestamp.v1") | .layers[0].digest[7:]' /dev/null $(cat "$d/attached") > "$d/stamps"`,
      'stamp() { openssl ts -reply -in "$1" -token_out -out "$d/token" 2>/dev/null && openssl pkcs7 -inform DER -in "$d/token" -print_certs -out "$d/certs" && t=$(openssl ts -reply -in "$1" -text 2>/dev/null | sed -n "s/^Time stamp: //p") && while read -r e f; do if openssl ts -verify -in "$1" -data "$f" -CAfile "$d/certs" -partial_chain -attime "$(date -u -d "$t" +%s)" > /dev/null 2>&1; then return 0; fi; done < "$d/stamped"; return 1; }',
      'rm -f "$d/failed"; while read -r s; do e=; stamp "blobs/sha256/$s" && test -n "$e" || fail "timestamp $s"; printf "\\nTimestamp of sha256:%s\\n    time      %s\\n    reply     sha256:%s\\n" "$e" "$(date -u -d "$t" +%Y-%m-%dT%H:%M:%SZ)" "$s" >> "$d/custody"; done < "$d/stamps"; test ! -e "$d/failed"',
    ],
  ],
  [
    'data/custody.txt says exactly this; it ends so:',
    ['test "$(sha256sum < data/custody.txt)" = "$(sha256sum < "$d/custody")"', 'cat "$d/custody"'],
  ],
];

/** What no command here can show; a reader who relies on a bundle must know it. */
const BEYOND = `What these commands cannot check
--------------------------------
- This file: a person who changes a bundle can change it too. If in doubt, take the
  commands from reenact's documentation (docs/VERIFY.txt) or from a person you
  trust: they are the same for every bundle, but for the line that begins "id=".
- Whether the identity above is the right one: only you know what you were told.
- What is attached (events, timestamps): it is no part of the identity, so that
  some of it can be taken away or added by another key. A receipt shows what is gone.
- Files beside those of the bundle in this folder.
- That the report is made of the contents, and the verdict follows from the
  replays; that no field contradicts another; that states and contents are those
  of the replays, and archives inside have the one strict form: reenact bundle
  verify does all this again.
- Signatures made with certificates (cosign verify-blob-attestation checks Sigstore
  bundles), whether the policy inside is one that you would accept, log entries, and
  of a trace, whether symbol files belong to their frames.
- What the recorder alone says: see "said by the recorder" in docs/bundle.md.
`;

function stepText([what, commands]: Step, number: number): string {
  const [first, ...rest] = commands;
  const lines = [`step=${number}; ${first}`, ...rest];
  return `\n${number}. ${what}\n\n${lines.map((command) => `$ ${command}\n`).join('')}`;
}

/** The text of data/VERIFY.txt, for the bundle of this identity; nothing else in it comes from the bundle. */
export function verifyInstructions(root: Digest | null, textsVersion: number): string {
  const steps = [...FILES, ...CONTENTS, ...RECORD, ...SIGNED, TRACE, ...ATTACHED];
  const hex = root === null ? 'THE-64-HEX-DIGITS-YOU-WERE-TOLD' : hexOf(root);
  const text = steps.map((step, i) => stepText(step, i + 1)).join('');
  return `How to check this bundle without reenact
========================================
It needs sha256sum, jq and openssl (and tar, base64, sed as every system has
them), and no network. Unpack the archive with tar -xf into an empty folder, and
run what follows "$ " there, line by line, in one shell (bash, dash, …). Every
command must end with status 0. All at once, with "done" as the last line if
nothing failed, else with the number of the step that did:

    sed -n 's/^[$] //p' data/VERIFY.txt > /tmp/verify.sh
    sh -eu /tmp/verify.sh && echo done

The bundle's identity is the digest of its root manifest. Put here what you were
told by another way, such as what was signed: nothing in an archive can prove
where the archive comes from.

$ id=${hex}
${text.replaceAll('reenact texts TEXTS', `reenact texts ${textsVersion}`)}
   What was unpacked on the way can go:

$ rm -rf "$d"

${BEYOND}
Other tools that read the same folder: skopeo (skopeo inspect --raw oci:FOLDER
prints the root manifest; oci:FOLDER:bundle where there are several) and any
BagIt validator.
`;
}
