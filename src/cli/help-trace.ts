/** What --help prints about artifacts, symbols and traces: one text a command. */

export const TRACE_HELP: Record<string, string> = {
  artifact: `usage: reenact artifact COMMAND [OPTIONS]

What was shipped, and who built it from what: kept by its digest, with all the
programs inside, so that each frame of a crash leads to a signed build.

commands:
  add    add a file, a Debian package or an image, with its evidence
  fetch  add an image with the attestations that its registry holds

reenact artifact COMMAND --help explains one of them. Exit status 2: refused.
`,
  'artifact add': `usage: reenact artifact add FILE|REPO@sha256:D [OPTIONS]

Hashes what was shipped, and every program and library in it, and keeps that:
a file, a Debian package (.deb) or an image in a registry. Evidence is verified
under the policy and must be about exactly this digest; of an image the index,
the manifest or the configuration will do. Refused evidence is kept as refused.

  --evidence E  a file of evidence, or a folder of them (repeatable); without
                any, nothing is proven of the artifact
  --policy P    whose word counts
  --name NAME   what people call it (default: its file's, package's or image's)
  --store DIR   where to keep it (default: .reenact; its database is the one
                that REENACT_DATABASE_URL names, if any)
  --json        print the result as JSON

example:
  reenact artifact add app_1.2-1_amd64.deb --policy policy.yaml \\
      --evidence app_1.2-1_amd64.deb.sigstore.json
`,
  'artifact fetch': `usage: reenact artifact fetch REPO@sha256:D --policy P [OPTIONS]

Adds an image with the Sigstore bundles and DSSE envelopes that its registry
lists for it. What others attached beside them changes nothing.

  --policy P   whose word counts
  --name NAME  what people call it (default: the image's)
  --store DIR  where to keep it (default: .reenact; its database is the one
               that REENACT_DATABASE_URL names, if any)
  --json       print the result as JSON

REENACT_REGISTRY_USER and REENACT_REGISTRY_PASSWORD are used where the registry
wants to know who asks.
`,
  symbols: `usage: reenact symbols COMMAND FILE|BUILD-ID... [OPTIONS]

commands:
  id     print what names the build that a file is of
  add    add symbol files to the store, with their attestations
  fetch  get debug information from a debuginfod server

reenact symbols COMMAND --help explains one of them.
`,
  'symbols id': `usage: reenact symbols id FILE... [--json]

Prints what names the build that a file is of: ELF build-id, PDB GUID and age,
Mach-O UUID of each slice, PE time stamp and size, a Breakpad file's module, a
source map's debug id; its processor, and what it can tell of an address; the
compilers and flags that its debug information names, and what the Go linker
left. A build-id is not a digest: a program, its stripped copy and its debug
file share one.

  --json  print JSON, with the SHA-256 of each file

example:
  reenact symbols id /usr/bin/perl app.pdb App.dSYM/Contents/Resources/DWARF/App
`,
  'symbols fetch': `usage: reenact symbols fetch BUILD-ID... --debuginfod URL --out DIR

Asks one debuginfod server for the debug information of these builds (ELF), and
writes what is of the very build that was asked for to DIR, with its SHA-256 in
DIR/SHA256SUMS. It is no evidence: attest the file, then add it. Nothing else
in reenact asks such a server. Exit status 1: the server lacks one of them.

  --debuginfod URL  the server: https, or http on this machine
  --out DIR         a folder, made if it is not there, that symbols add reads
  --json            print a line of JSON for each build

example:
  reenact symbols fetch 8e5ad7a69f4e4bdd2a7a4b1d8e2b0d2d7f6c1a55 \\
      --debuginfod https://debuginfod.example --out symbols
`,
  'symbols add': `usage: reenact symbols add FILE|DIR... --evidence E --policy P [OPTIONS]

Adds symbol files, each only with an accepted attestation of exactly its bytes,
and names what earlier traces have in them. A folder may be of any layout
(.build-id, symbol server, debuginfod, dSYM); a file that is not what its path
says is refused. Of several symbol files of one build the best is used.

  --evidence E  a file of evidence, or a folder of them (repeatable)
  --policy P    whose word counts
  --store DIR   where to keep it (default: .reenact; its database is the one
                that REENACT_DATABASE_URL names, if any)
  --json        print one JSON object a file

example:
  reenact symbols add app.debug --evidence app.debug.dsse.json \\
      --policy policy.yaml
`,
  trace: `usage: reenact trace COMMAND [OPTIONS]

Stack traces, each frame joined to its symbols, the artifact it was shipped in,
and who signed that build.

commands:
  show   print a trace file, whatever form it has
  add    add traces to the store
  audit  print a stored trace with all it is joined to, and judge the gates
  gaps   say what keeps frames from being joined, and how to mend it

reenact trace COMMAND --help explains one of them. reenact reproduce replays a
stored trace.
`,
  'trace show': `usage: reenact trace show FILE [--all] [--json]

Reads a stack trace and prints its frames as image and offset: a replay record
with a crash, an ELF core, a minidump, a microdump, what minidump_stackwalk
prints, a Sentry event, an Apple crash report, entries of systemd-coredump
(journalctl -o json), a report of a sanitizer, a stack that Go, Rust, Python,
Java, .NET or JavaScript printed, a profile (pprof, gperftools, perf script,
OpenTelemetry), or our own form (reenact schema trace). Nothing in it is
believed: what a trace says a function is called stands in brackets.

  --all          the other threads too, not only the one that crashed
  --exec FILE    a program or library that a core was made of, or a program or
                 symbol file of a dump (repeatable)
  --sysroot DIR  where they lie, at the paths that the core names
  --json         print the trace in full, as JSON

A core's stacks are walked by the tables of its programs. Without these options
they are read from the paths that the core names, and only where their build-id
is that in the core; a stack that cannot be walked to its end is called cut.

examples:
  reenact trace show .reenact/runs/ID/record.json
  reenact trace show core.4711 --exec build/app
`,
  'trace add': `usage: reenact trace add FILE... [OPTIONS]

Adds traces of any form that trace show reads, and prints the id of each: the
digest of its content. One that is there already is left as it is.

  --manifest M   the replay manifest that reproduces it (one trace only); of a
                 record that was made in this store, its own
  --exec FILE    a program or library that a core was made of, or a program or
                 symbol file of a dump (repeatable)
  --sysroot DIR  where they lie, at the paths that the core names
  --store DIR    where to keep it (default: .reenact; its database is the one
                 that REENACT_DATABASE_URL names, if any)
  --json         print one JSON object a trace

example:
  reenact trace add core.4711 --manifest crash.json
`,
  'trace audit': `usage: reenact trace audit TRACE [OPTIONS]

Prints every frame in its place, with the symbols, the artifact and the signed
provenance it is joined to, or why it is not; then judges the gates: at least
95 % (gates.join_completeness of the policy) of the first 50 frames of the
thread that crashed are joined, and each join bears signer, time and log entry
(gates.chain_of_custody). Exit status 1 where a gate fails.

  --policy P   check all evidence again, under this policy (default: as it was
               accepted when it was added)
  --store DIR  the store (default: .reenact, REENACT_DATABASE_URL)
  --json       print it as JSON
`,
  'trace gaps': `usage: reenact trace gaps TRACE [OPTIONS]

Says for each frame or image that is not joined what was expected, what is
there instead, and what mends it; the worst first. Exit status 1 where there
are any.

  --policy P   check all evidence again, under this policy
  --store DIR  the store (default: .reenact, REENACT_DATABASE_URL)
  --json       print it as JSON
`,
  reproduce: `usage: reenact reproduce TRACE [OPTIONS]

Replays a stored trace in its pinned sandbox with full determinism, and compares
the stack of the thread that crashed: match (the same places of the same
build), match_fn (the same functions of another build), match_as_far_as_known
(one of the stacks was cut), diverged@N, no_crash or unreplayable. Then judges
the gates of the replays and of the joins, and that enough is known of a stack
that was cut (gates.known_frames of the policy: 8 frames). Exit status 0: a
match, and all gates pass; 1: another crash, none, or a gate failed; 2: evidence
rejected; 3: it could not be replayed.

  --manifest M      the replay manifest (default: the one stored with the trace,
                    else one that starts the program from the image it was
                    shipped in, if the store knows that)
  --replays N       replays (default: the manifest's, or 3)
  --jobs N          replays at once (default: 2)
  --policy P        default, forensic or a policy file (default: default)
  --repository REPO where to look for the image (repeatable)
  --evidence DIR    where to look for evidence of the manifest (repeatable)
  --without M       behave as on a host that lacks this mechanism (repeatable);
                    see reenact run --help
  --allow-degraded  accepted, and does nothing
  --store DIR       the store (default: .reenact, REENACT_DATABASE_URL)
  --json            print it as JSON, with both stacks
`,
};
