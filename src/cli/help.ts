/** What --help prints; no command is imported, so that it answers at once. */
import { BUNDLE_HELP } from './help-bundle.ts';
import { TRACE_HELP } from './help-trace.ts';

export const HELP: Record<string, string> = {
  '': `usage: reenact COMMAND [OPTIONS]

Replays a program that crashed or misbehaved, in a pinned sandbox, and says
whether it did the same again.

commands:
  init        write a replay manifest to fill in, and explain its fields
  capture     run a command once and write a replay manifest
  run         replay manifests and decide: reproduced, diverged, inconclusive
  diff        show everything in which two recorded states differ
  verify      verify evidence offline: bundles, envelopes, log proofs
  policy      make, check or explain a policy
  manifest    print the digest that evidence about a manifest must name
  sign        sign a manifest or a file with a key of your own
  attest      sign a replay's verdict
  bundle      pack a record with all it rests on, and verify such a bundle
  gate        let a symbol bundle in only with accepted evidence
  artifact    keep what was shipped, bound to its signed provenance
  symbols     read the ids of symbol files, and add them to the store
  trace       stack traces, joined to symbols, artifacts and signed builds
  reproduce   replay a stored trace and compare the stacks
  evidence    fetch a log's proofs into the local cache (needs network)
  schema      print the JSON Schema of a format, such as manifest or record
  doctor      say what this machine's container engine can and cannot do
  completion  print a completion script: bash, zsh or fish

reenact COMMAND --help explains one command. The engine is the one DOCKER_HOST
names, else Docker's or Podman's socket.

exit status: 0 all gates pass, 1 diverged or a gate failed, 2 rejected,
  3 inconclusive (engine, registry, a limit), 64 usage or malformed input,
  70 a bug in reenact, 130 interrupted

examples:
  reenact capture --image registry.example.org/app@sha256:... \\
      --input request.bin -- app --once /case/request.bin
  reenact run crash.json --replays 20 --jobs 4
`,
  init: `usage: reenact init [FILE]

Writes a manifest (default: crash.json) with a blank for the image and the
command, and the usual value of all else, and prints what each field means. A
file that is there already is left as it is. Where the program can be run here,
reenact capture writes the whole manifest, with the ending to expect.

example:
  reenact init crash.json
  reenact run crash.json --dry-run
`,
  capture: `usage: reenact capture --image REPO@sha256:... [OPTIONS] -- COMMAND...

Runs COMMAND once in the sandbox and writes a manifest that expects the same
final state and the same crash again. Inputs are seen in /case, read-only; the
program starts in an empty, writable /work.

  --image REPO@sha256:D  the sandbox image, by digest
  --input FILE           a file for /case (repeatable); one from outside the
                         manifest's folder is copied into inputs/ beside it
  --out FILE             the manifest to write (default: crash.json)
  --name NAME            a name for reports
  --seed N               0 to 2^53-1 (default: 1)
  --schedule HOW         in_order (usual) or chaos: turns by chance of the seed,
                         so that one that run --seeds found becomes a manifest
  --env NAME=VALUE       an environment variable (repeatable)
  --user UID[:GID]       who runs it (default: 1000:1000)
  --timeout SECONDS      limit on the run (default: 60)
  --without MECHANISM    behave as on a host that lacks it (repeatable); see
                         reenact run --help
  --allow-degraded       accepted, and does nothing
  --store DIR            folder for states and outputs (default: .reenact)

example:
  reenact capture --image 127.0.0.1:5000/app@sha256:... \\
      --input request.bin -- app --once /case/request.bin
`,
  run: `usage: reenact run MANIFEST... [OPTIONS]

MANIFEST is a file, a folder (its *.json files) or a glob. All replays of all
manifests share one queue.

  --replays N          replays of each manifest (default: the manifest's, or 20)
  --jobs N             replays at once (default: twice the CPUs)
  --policy P           default, forensic or a policy file (default: default)
  --out DIR            states, outputs, records; a run that was cut off is
                       resumed from here (default: .reenact)
  --repository REPO    where to look for images whose manifest names no
                       repository (repeatable; before those in reenact.yaml)
  --json               print the record(s) as JSON
  --junit FILE         write JUnit XML (-: to stdout, as for all output files)
  --junit-root ROOT    testsuites or testsuite, for Ant's junitreport (default:
                       testsuites)
  --events FILE        write one JSON line for each event
  --progress MODE      auto, bar, plain or none (default: auto)
  --fail-fast          stop a manifest's replays at its first divergence
  --shard I/N          run only every N-th replay, beginning with the I-th
  --capture-with WAY   overlay or archive: how states are read (default: found)
  --determinism MODE   full or off: whether the seed decides all the program
                       sees (default: the manifest's, or full)
  --without MECHANISM  behave as on a host that lacks it: call_trace,
                       fixed_layout, clock_trap, cpuid_trap, cpuid_rewrite,
                       or cpuid for the last two (repeatable). What the result
                       then holds for alone is said; forensic policies, and
                       those with mechanisms: all, refuse it
  --allow-degraded     accepted, and does nothing: what a host lacks narrows
                       what a result holds for
  --seeds A..B         hunt for races: one replay for each seed, which decides
                       by chance whose turn it is; --seeds N..N shows one again,
                       capture --schedule chaos --seed N makes it a manifest
  --vary               change host name, processors, process numbers, order of
                       folders and load, one at a time, and say which mattered
  --core               keep an ELF core of each crash in the store, named in the
                       record (determinism full only)
  --explain            where replays differ, run two of them again with a log of
                       every system call, and name the first that differs
  --dry-run            check evidence, inputs and policy as a run does, with the
                       same exit status, and print the plan; no engine is asked
  --evidence DIR       where to look for evidence that manifests name, beside
                       their own folder (repeatable; with reenact.yaml's)
  --bundle FILE        pack the record and all it rests on (one manifest only)
  --with-image         pack the sandbox image too
  --require-evidence   reject everything whose evidence no policy checks

A policy with authorities is asked first: what it rejects is never pulled or
started, and the evidence is on disk in --out before anything runs.

examples:
  reenact run crash.json --replays 20 --jobs 4
  reenact run crashes/ --policy forensic --junit report.xml --progress plain
`,
  diff: `usage: reenact diff A B [--json] [--store DIR]

A and B are records that reenact run wrote (record.json, or one of its
replays/N.json), or digests of states kept in the store. Shows every
difference. Exit status 0 if the states are the same, 1 if not.

  --store DIR  where states are kept (default: beside the record, or .reenact)
  --json       print the differences as JSON

example:
  reenact diff .reenact/runs/ID/replays/000001.json \\
      .reenact/runs/ID/replays/000002.json
`,
  verify: `usage: reenact verify evidence FILE... --policy P [OPTIONS]

FILE is a Sigstore bundle, a DSSE envelope, a list of them (JSON or JSON Lines),
a tlog-proof, or a folder with a log's checkpoint and tiles. Nothing is asked of
the network. Exit status 0 verified, 2 rejected.

  --policy P          whose word counts (reenact policy init makes one)
  --manifest M        it must be about this replay manifest
  --artifact FILE     it must be about this file, or be its signature
  --subject DIGEST    it must be about this digest, or be its signature:
                      sha256:..., sha384:... or sha512:... (repeatable);
                      "any" compares nothing
  --reference REF     the log entry that must be proven: rekor:...
  --json              print the whole record

example:
  reenact verify evidence app.sigstore.json --artifact app --policy policy.yaml
`,
  policy: `usage: reenact policy init [BUNDLE] [--key PUBLIC] [OPTIONS]
       reenact policy check P
       reenact policy explain P

init writes the policy that accepts exactly who signed the example bundle, from
the repository that its certificate names, or a public key; check reads a policy
and everything it names; explain puts it in words, with what it leaves open.

  --key PUBLIC       a public key: PEM, DER or JWK
  --alg ALGORITHM    what the key is used with; an RSA key needs it
  --artifact FILE    the file that the example signs, if it signs a file
  --trust-root FILE  a trusted_root.json of one's own instance
  --unverified       write it though the example could not be verified
  --out FILE         where to write the policy (default: stdout)

example:
  reenact policy init app.sigstore.json --out policy.yaml
`,
  manifest: `usage: reenact manifest subject MANIFEST...

Prints the manifest subject, the digest that evidence must name: of the
canonical manifest without dsse_envelope and rekor_tile_ref. The manifest
digest of records and run --dry-run is of the canonical manifest with them.
`,
  sign: `usage: reenact sign FILE|MANIFEST --key K [OPTIONS]

Writes an in-toto statement about the file in a DSSE envelope. A replay manifest
is given a dsse_envelope field that names it.

  --key K          a private key: PEM or JWK (openssl genpkey makes one)
                   REENACT_KEY_PASSPHRASE opens an encrypted one
  --alg ALGORITHM  what the key is used with (RSA's default: rsa-pss-sha256)
  --out FILE       the envelope (default: FILE without .json, and .dsse.json)
  --provenance P   the predicate that a build wrote, SLSA provenance v1 as JSON
                   (default: that it was signed by hand)
`,
  attest: `usage: reenact attest RECORD.json --key K [OPTIONS]

Signs the verdict of a replay as an in-toto test result: PASSED, WARNED (flaky
or degraded) or FAILED. A run that came to no verdict cannot be attested.

  --key K          a private key: PEM or JWK
  --alg ALGORITHM  what the key is used with (RSA's default: rsa-pss-sha256)
  --out FILE       the envelope (default: RECORD.dsse.json)
`,
  ...BUNDLE_HELP,
  ...TRACE_HELP,
  gate: `usage: reenact gate symbols FILE --policy P [OPTIONS]

Exit status 0 only with an accepted attestation of exactly this file's digest,
else 2. Looks beside the file for FILE.dsse.json, FILE.sigstore.json,
FILE.intoto.jsonl and FILE.sigstore.

  --policy P       whose attestation counts
  --evidence FILE  an attestation (repeatable; then none is looked for)
  --json           print the whole record
`,
  evidence: `usage: reenact evidence fetch REF --log URL --policy P [--store DIR]

Fetches the proof of a log entry (rekor:... or just its index) from a tiled log,
verifies it, and keeps it. The only command about evidence that uses the
network. A checkpoint that is older than one seen before, or does not agree with
it, is refused; what shows two histories is kept.

  --log URL    the log, as C2SP tlog-tiles serves it
  --policy P   whose trust.logs or trust root has the log's key
  --store DIR  the evidence store (default: evidence in the user's cache folder)

example:
  reenact evidence fetch 4711 --log https://log.example.org --policy policy.yaml
`,
  schema: `usage: reenact schema manifest|record|policy|evidence|trace|join

Prints the JSON Schema (2020-12) of the format, for editors and other tools.
`,
  doctor: `usage: reenact doctor [--json] [--without MECHANISM]...

Looks at the container engine and says what replays can rely on here: the
processor, the mechanisms of full determinism, what is degraded, and what to do
about it. Where no replay is possible, says what works all the same, with exit
status 3. --without plays a host that lacks something (see reenact run --help);
--allow-degraded is accepted, and does nothing.
`,
  completion: `usage: reenact completion bash|zsh|fish

  bash: eval "$(reenact completion bash)"
  zsh:  eval "$(reenact completion zsh)"
  fish: reenact completion fish | source
`,
};
