/** What --help prints; nothing is imported, so that it answers at once. */

export const HELP: Record<string, string> = {
  '': `usage: reenact COMMAND [OPTIONS]

Replays a program that crashed or misbehaved, in a pinned sandbox, and says
whether it did the same again.

commands:
  capture     run a command once and write a replay manifest
  run         replay manifests and decide: reproduced, diverged, inconclusive
  diff        show everything in which two recorded states differ
  schema      print a JSON Schema: manifest, record or policy
  doctor      say what this machine's container engine can and cannot do
  completion  print a completion script: bash, zsh or fish

reenact COMMAND --help explains one command. The engine is the one DOCKER_HOST
names, else Docker's or Podman's socket.

exit status: 0 all gates pass, 1 diverged or a gate failed, 2 rejected,
  3 inconclusive (engine, registry, a limit), 64 usage or malformed input,
  70 a bug in reenact, 130 interrupted

examples:
  reenact capture --image registry.example.org/app@sha256:... \\
      --input crash.asm -- yasm -o /dev/null /case/crash.asm
  reenact run crash.json --replays 20 --jobs 4
`,
  capture: `usage: reenact capture --image REPO@sha256:... [OPTIONS] -- COMMAND...

Runs COMMAND once in the sandbox and writes a manifest that expects the same
final state again. Inputs are seen in /case, read-only; the program starts in
an empty, writable /work.

  --image REPO@sha256:D  the sandbox image, by digest
  --input FILE           a file for /case (repeatable); one from outside the
                         manifest's folder is copied into inputs/ beside it
  --out FILE             the manifest to write (default: crash.json)
  --name NAME            a name for reports
  --seed N               0 to 2^53-1 (default: 1)
  --env NAME=VALUE       an environment variable (repeatable)
  --user UID[:GID]       who runs it (default: 1000:1000)
  --timeout SECONDS      limit on the run (default: 60)
  --store DIR            folder for states and outputs (default: .reenact)

example:
  reenact capture --image 127.0.0.1:5000/yasm@sha256:... --input crash.asm \\
      -- yasm -o /dev/null /case/crash.asm
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
  --junit FILE         write JUnit XML
  --events FILE        write one JSON line for each event
  --progress MODE      auto, bar, plain or none (default: auto)
  --fail-fast          stop a manifest's replays at its first divergence
  --shard I/N          run only every N-th replay, beginning with the I-th
  --capture-with WAY   overlay or archive: how states are read (default: found)
  --dry-run            check everything that needs no engine, print the plan

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
  schema: `usage: reenact schema manifest|record|policy

Prints the JSON Schema (2020-12) of the format, for editors and other tools.
`,
  doctor: `usage: reenact doctor [--json]

Looks at the container engine and says what replays can rely on here, what is
degraded, and what to do about it. Exit status 3 when no replay is possible.
`,
  completion: `usage: reenact completion bash|zsh|fish

  bash: eval "$(reenact completion bash)"
  zsh:  eval "$(reenact completion zsh)"
  fish: reenact completion fish | source
`,
};
