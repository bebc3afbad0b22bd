/** Every limit on untrusted input and on a replay, with its unit, in one place. */
export const LIMITS = {
  /** Manifest, policy and record files. */
  documentBytes: 8_388_608,
  documentDepth: 64,
  /** Registry manifests and image configurations. */
  imageDocumentBytes: 4_194_304,
  /** One file a program writes (RLIMIT_FSIZE). */
  fileBytes: 2_147_483_648,
  /** All that a program leaves behind, by apparent size, checked before anything is hashed. */
  stateBytes: 4_294_967_296,
  /** Changed paths in one state. */
  statePaths: 200_000,
  /** /dev/shm, which no capture sees. */
  shmBytes: 16_777_216,
  /** PID 1's report of the crashes of one replay: the program's, and all others (harness/supervisor/crash/crash.c). */
  crashBytes: 786_432,
  /** The event log of one replay: 262,144 events (harness/supervisor/loop/event_log.c). */
  logBytes: 33_554_432,
  /** The crashes in one record; replays after the first that fill it are recorded without theirs. */
  recordCrashBytes: 4_194_304,
  /** A core: 128 MiB of memory, and its headers and notes (harness/supervisor/crash/core.c). */
  coreBytes: 136_314_880,
  /** How often the total written is looked at while a program runs. */
  writeWatchMs: 500,
  /** The runner's patience beyond the manifest's own time-out, which PID 1 enforces. */
  timeoutGraceMs: 15_000,
  /** How long a container may take to end once it was killed. */
  killedMs: 20_000,
  /** How often it is asked whether a container whose output has ended is over. */
  endedLookMs: 200,
  /** How often a replay is tried again when the infrastructure, not the program, failed. */
  retries: 3,
  /** One document of a registry, the question and all of the answer. */
  registryTimeoutMs: 30_000,
  /** What a registry may do in silence with a chunk that has come, or a blob that is whole. */
  registryWorkMs: 300_000,
} as const;

/** The values of what a manifest leaves out. */
export const DEFAULTS = {
  replays: 20,
  cpus: 1,
  memoryBytes: 1_073_741_824,
  pids: 256,
  timeoutS: 60,
  outputBytes: 64_194_304,
  user: '1000:1000',
  determinism: 'full',
  /** 2000-01-01T00:00:00Z, in seconds after 1970: late enough for every archive format. */
  clockStartS: 946_684_800,
} as const;

/** Limits on evidence, all of it outside input. */
export const EVIDENCE_LIMITS = {
  /** One bundle, envelope, proof or trusted root. */
  fileBytes: 33_554_432,
  /** A list of envelopes in one file. */
  envelopes: 1024,
  depth: 64,
  signatures: 64,
  signatureBytes: 4096,
  /** The number of signatures, multiplied by that of the authorities with which each is tried. */
  signatureChecks: 262_144,
  certificateBytes: 65_536,
  certificates: 16,
  logEntries: 32,
  timestamps: 32,
  proofHashes: 64,
  checkpointBytes: 65_536,
  subjects: 65_536,
  /** A file signed as a message rather than by a statement: it is held in memory. */
  artifactBytes: 1_073_741_824,
  /** All evidence of one folder, where all of it is read. */
  folderBytes: 268_435_456,
  /** How many files beside a manifest are searched for the evidence that it names. */
  filesBeside: 20_000,
} as const;
