/** reenact run. */
import { type Command, flag, list, oneOf, text } from '../command.ts';
import { json, policy, SANDBOXES, WITHOUT } from '../common-options.ts';

export const command: Command = {
  usage: ['MANIFEST... [OPTIONS]'],
  help: `MANIFEST is a file, a folder (its *.json files) or a glob. All replays of all
manifests share one queue.`,
  options: {
    replays: text('N', "replays of each manifest (default: the manifest's, or 20)"),
    jobs: text('N', 'replays at once (default: twice the CPUs)'),
    policy: policy('default, forensic or a policy file (default: default)'),
    out: text(
      'DIR',
      'states, outputs, records; a run that was cut off is resumed from here (default: .reenact)',
      { short: 'o' },
    ),
    repository: list(
      'REPO',
      'where to look for images whose manifest names no repository (repeatable; before those in reenact.yaml)',
    ),
    ...json('the record(s)'),
    junit: text('FILE', 'write JUnit XML (-: to stdout, as for all output files)'),
    'junit-root': oneOf(
      ['testsuites', 'testsuite'],
      'ROOT',
      "testsuites or testsuite, for Ant's junitreport (default: testsuites)",
    ),
    events: text('FILE', 'write one JSON line for each event'),
    progress: oneOf(['auto', 'bar', 'plain', 'none'], 'MODE', 'auto, bar, plain or none (default: auto)'),
    'fail-fast': flag("stop a manifest's replays at its first divergence"),
    shard: text('I/N', 'run only every N-th replay, beginning with the I-th'),
    'capture-with': oneOf(
      ['overlay', 'archive'],
      'WAY',
      'overlay or archive: how states are read (default: found)',
    ),
    determinism: oneOf(
      ['full', 'off'],
      'MODE',
      "full or off: whether the seed decides all the program sees (default: the manifest's, or full)",
    ),
    ...SANDBOXES,
    without: list(
      'MECHANISM',
      'behave as on a host that lacks it: call_trace, fixed_layout, clock_trap, cpuid_trap, cpuid_rewrite, or cpuid for the last two (repeatable). What the result then holds for alone is said; forensic policies, and those with mechanisms: all, refuse it',
      { values: WITHOUT },
    ),
    seeds: text(
      'A..B',
      'hunt for races: one replay for each seed, which decides by chance whose turn it is; --seeds N..N shows one again, capture --schedule chaos --seed N makes it a manifest',
    ),
    vary: flag(
      'change host name, processors, process numbers, order of folders and load, one at a time, and say which mattered',
    ),
    core: flag('keep an ELF core of each crash in the store, named in the record (determinism full only)'),
    explain: flag(
      'where replays differ, run two of them again with a log of every system call, and name the first that differs',
    ),
    'dry-run': flag(
      'check evidence, inputs and policy as a run does, with the same exit status, and print the plan; no engine is asked',
    ),
    'require-evidence': flag('reject everything whose evidence no policy checks'),
    evidence: list(
      'DIR',
      "where to look for evidence that manifests name, beside their own folder (repeatable; with reenact.yaml's)",
    ),
    bundle: text('FILE', 'pack the record and all it rests on (one manifest only)'),
    'with-image': flag('pack the sandbox image too'),
  },
  notes: `A policy with authorities is asked first: what it rejects is never pulled or
started, and the evidence is on disk in --out before anything runs.`,
  examples: [
    'reenact run crash.json --replays 20 --jobs 4',
    'reenact run crashes/ --policy forensic --junit report.xml --progress plain',
  ],
  run: async (a) => (await import('../actions/run.ts')).runCommand(a),
};
