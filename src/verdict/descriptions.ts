/** What each field of a replay record means, as its JSON Schema says it. */

export const RECORD = {
  record_version: 'Version of this format',
  nonce: 'Random, so that the record’s digest cannot be guessed and a redaction may name what it is made of',
  name: 'Name of the manifest',
  manifest_path: 'The manifest’s file, as it was named',
  manifest_sha256: 'Digest of the manifest’s file; null where it could not be read',
  manifest_subject_sha256:
    'Digest by which evidence names the manifest (docs/evidence.md); null where it could not be read',
  sandbox_image_sha256: 'Digest of the image that the manifest names; null where it could not be read',
  verdict:
    'reproduced: the gates pass; diverged: the program did something else; rejected: nothing was replayed; inconclusive: too little is known',
  reason: 'Why, as a code (docs/errors.md)',
  message: 'Why, in words',
  flaky: 'Whether some replays matched and others did not',
  requested: 'How many replays were asked for',
  replay_success_ratio: 'matching / requested',
  final_state_sha256:
    'Digest of the final state of the first replay that matches, else of the first that completed; null: none did',
  expected_state_sha256: 'Digest of the final state that was expected; null: none was',
  gates: 'What the policy asks for, and whether it was reached',
  replays: 'Each replay',
  policy: 'The policy that was asked',
  evidence: 'Who vouches for the manifest',
  image: 'The image that was run; null where none was resolved',
  claims: 'What the manifest claims, and what was observed',
  degraded: 'What narrows the result, in words; empty: nothing does',
  uncaptured: 'Writable places whose content is not part of the state',
  divergence: 'The first difference from what was expected; null: none',
  desync: 'Where two replays part; left out: it was not looked for, or not found',
  environment: 'Where it ran; null where nothing did',
  shard: 'Which part of the replays this is, as INDEX/COUNT; null: all of them',
  started_at: 'When the run began, ISO 8601, UTC',
  duration_ms: 'How long the run took, milliseconds',
};

export const GATE = {
  name: 'Name of the gate',
  threshold: 'What the policy asks for',
  value: 'What was found; a text may say why it was not enough',
  pass: 'Whether it is enough',
};

export const NAMED = { name: 'Its name or path', sha256: 'Digest of its content' };

export const EVIDENCE = {
  status:
    'verified, rejected or error: the verdict of the evidence record; not_checked: the policy names no authorities, or it was not reached',
  record: 'The evidence record; null where none was checked',
  record_sha256: 'Digest of its canonical JSON; null where none was checked',
  files: 'Digests of the evidence itself, kept as blobs',
  custody: 'The entry in the chain of custody; null where none was made',
};

export const CUSTODY = {
  path: 'The entry’s file',
  sequence: 'Its number in its folder, from 1',
  sha256: 'Its digest, which the next entry names',
};

export const IMAGE = {
  requested: 'Digest that the manifest names',
  kind: 'Whether that is of an index of several platforms or of a manifest',
  manifest: 'Digest of the image’s manifest for this platform',
  config: 'Digest of the image’s configuration',
  diff_ids: 'Digests of its layers, uncompressed, the lowest first',
  platform: 'Operating system and architecture, such as linux/amd64',
  image_check: 'How its content is known: engine: by the engine’s word; content: its layers were hashed',
};

export const CLAIM = {
  name: 'The manifest’s field',
  claimed: 'What it says',
  observed: 'What was observed; null: the image does not tell',
  match: 'Whether they agree; null: unknown',
};

export const DIVERGENCE = { replay: 'Index of the replay that differs' };

export const ENVIRONMENT = {
  engine: 'The container engine and its version',
  api_version: 'Version of the engine’s API',
  kernel: 'Release of the kernel',
  cpu: 'The processor’s name, in words',
  processor: 'What identifies the processor; null where nothing did; left out by earlier releases',
  storage_driver: 'The engine’s storage driver',
  capture:
    'How the final state was read: overlay: from the container’s upper folder; archive: through the engine',
  seccomp_sha256: 'Digest of the seccomp profile',
  harness_sha256: 'Digest of the program that was PID 1',
  determinism: 'full: the seed decided everything the program saw; left out by earlier releases',
  mechanisms: 'The mechanisms of full determinism in force; left out where it was not full',
  virtual_time:
    'calls: system calls move the virtual clock; left out where there is none, or by earlier releases',
  schedule: 'chaos: whose turn it was, the seed decided by chance; left out: turns went in order',
  trusted: 'What the result relies on and cannot prove',
};

export const PROCESSOR = {
  vendor: 'The maker’s name in the processor’s own spelling, such as “AuthenticAMD”',
  family: 'Its family, as the kernel counts it',
  model: 'Its model, as the kernel counts it',
  stepping: 'Its stepping, as the kernel counts it',
};

export const REPLAY = {
  index: '1 to the number requested; the same in resumed runs and shards',
  seed: 'The seed that decided it',
  varied: 'What was varied around it; left out: nothing was to vary',
  outcome: 'Whether it ended as expected; infra_error: something failed that is not the program’s doing',
  ended: 'How the program ended; null where the infrastructure failed before it did',
  final_state_sha256: 'Digest of its final state; null where there is none',
  exit_code: 'The program’s exit code; null where it did not exit by itself',
  signal: 'The signal that ended the program; null where none did',
  duration_ms: 'How long it took, milliseconds',
  attempts: 'How often it was tried; more than 1 when the infrastructure failed in between',
  crash:
    'Where a signal ended the program, with full determinism; left out: it did not, or that could not be seen',
  other_crashes: 'Where processes that the program started crashed; left out: none did',
  crash_as:
    'Index of the replay that has the very same crashes in its row; left out: they are here, or there are none',
  crash_signatures: 'What is compared of its crashes (docs/crash-signature.md); left out by earlier releases',
  unproven_instructions:
    'Places that may hold an instruction to rewrite, and are not proven to (docs/determinism.md, Rewriting); left out: none',
  error: 'What failed; left out: nothing',
};

export const OTHER_CRASHES = {
  crashes: 'The crashes in the order of the processes’ ends',
  left_out: 'How many more there were',
};

export const SIGNATURE = {
  process: 'File name of the process’s program; null: the program itself',
  id: 'Digest of signal, code, fault, walk and frames',
  functions_id:
    'Digest of signal and functions, which a rebuilt program keeps; null where the first has no name',
  walk: 'whole: the stack was read to its end; cut: it goes on behind the last frame',
  site: 'The frame that names the crash; null where none is the program’s',
};

export const ERROR = { code: 'What failed, as a code (docs/errors.md)', message: 'What failed, in words' };
