/** Expected errors: one base class, faults with a closed table of codes, and the exit status each one ends the command with. */
import { errnoOf, messageOf } from './thrown.ts';

/** Exit statuses of the command; docs/errors.md lists them for users. */
export const EXIT = {
  ok: 0,
  failed: 1,
  rejected: 2,
  inconclusive: 3,
  usage: 64,
  bug: 70,
  interrupted: 130,
} as const;

/** Every code a Fault may bear, with its exit status and what the person should do next. */
export const FAULTS = {
  usage: { exit: 64, next: 'see reenact --help' },
  manifest_invalid: { exit: 64, next: 'fix the fields named; reenact schema manifest prints the format' },
  policy_invalid: { exit: 64, next: 'fix the policy file, or use a built-in one: default, forensic' },
  config_invalid: { exit: 64, next: 'fix reenact.yaml' },
  record_invalid: { exit: 64, next: 'give a record that reenact run wrote' },
  trace_invalid: {
    exit: 64,
    next: 'give the trace as it was written; reenact schema trace prints our own form',
  },
  object_malformed: {
    exit: 2,
    next: 'take the file from the build itself: this one is damaged, or no object file',
  },
  symbolizer_missing: { exit: 3, next: 'install llvm-symbolizer 19 (Debian: llvm-19)' },
  symbolizer_failed: { exit: 3, next: 'see whether llvm-symbolizer-19 works on another file' },
  artifact_malformed: {
    exit: 2,
    next: 'take it from where it was shipped: this one is damaged, or over a limit of docs/artifacts.md',
  },
  store_failed: {
    exit: 3,
    next: 'fix what is named, or see the server’s own log; nothing half-done was kept',
  },
  store_busy: { exit: 3, next: 'wait for the other command, or use a server: REENACT_DATABASE_URL' },
  store_older: {
    exit: 3,
    next: 'use the version of reenact that made it, or name another store: --store',
  },
  store_newer: { exit: 3, next: 'use the version of reenact that wrote the store, or a later one' },
  store_unknown: { exit: 64, next: 'add it first: reenact trace add, symbols add, artifact add' },
  evidence_not_checked: { exit: 2, next: 'name a policy with authorities: reenact policy init' },
  evidence_store_failed: { exit: 3, next: 'see that the folder named can be written: nothing was started' },
  input_mismatch: { exit: 2, next: 'restore the file the manifest was written for' },
  unsupported_platform: { exit: 3, next: 'replay it on an engine of that platform' },
  engine_unreachable: { exit: 3, next: 'start the engine, or set DOCKER_HOST; reenact doctor explains' },
  engine_failed: { exit: 3, next: 'see the engine’s own log; nothing was concluded about the program' },
  registry_unreachable: { exit: 3, next: 'start the registry, or name another repository' },
  log_unreachable: { exit: 3, next: 'check the log’s address, or try again later' },
  symbols_unreachable: { exit: 3, next: 'check the server’s address, or try again later' },
  registry_denied: {
    exit: 3,
    next: 'set REENACT_REGISTRY_USER and REENACT_REGISTRY_PASSWORD, or ask who may use the repository',
  },
  registry_mismatch: {
    exit: 3,
    next: 'do not trust this registry: what it gives or asks for is not what was named',
  },
  bundle_not_found: { exit: 3, next: 'push the bundle, or name the repository that holds it' },
  image_not_found: { exit: 3, next: 'push the image, or name the repository that holds it' },
  image_bytes_mismatch: { exit: 3, next: 'do not trust this registry: its bytes do not have their digest' },
  image_not_loadable: {
    exit: 3,
    next: 'replay on another engine, or with an image that this one can unpack: what it said stands above',
  },
  image_mismatch: { exit: 3, next: 'remove the image from the engine and pull it again' },
  sandbox_not_enforced: { exit: 3, next: 'use an engine that enforces the sandbox; reenact doctor explains' },
  determinism_degraded: {
    exit: 3,
    next: 'replay it on a host that has what is named, or by a policy with mechanisms: any; reenact doctor lists what is here',
  },
  capture_incomplete: { exit: 3, next: 'run where the engine’s storage is visible (same host, overlay2)' },
  supervisor_lost: {
    exit: 3,
    next: 'see the engine’s log for what ended PID 1; a program that did is hostile',
  },
  disk_full: { exit: 3, next: 'free space, then run the same command again: it resumes' },
  out_failed: { exit: 3, next: 'name a place that can be written' },
  output_exists: { exit: 3, next: 'name another place, or move what is there' },
  interrupted: { exit: 130, next: 'run the same command again: it resumes' },
} as const;

export type FaultCode = keyof typeof FAULTS;

/**
 * What every error that the library expects is, so that one `catch` is enough; anything else that is thrown is a bug.
 * Its subclasses have closed tables of codes, listed in docs/errors.md: Fault (the call, the machine, the engine),
 * Refusal (evidence) and Refused (bundles).
 */
export abstract class ReenactError<Code extends string = string> extends Error {
  /** What happened, for programs. */
  readonly code: Code;
  /** What to do, for people: the code's advice, or more specific advice for this case. */
  readonly next: string;
  /** The status that the command ends with. */
  readonly exit: number;
  constructor(code: Code, message: string, more: { next: string; exit: number; cause?: unknown }) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.next = more.next;
    this.exit = more.exit;
  }
}

/** The call, the machine or the engine is at fault: nothing was concluded about a program or its evidence. */
export class Fault extends ReenactError<FaultCode> {
  constructor(code: FaultCode, message: string, cause?: unknown, next: string = FAULTS[code].next) {
    super(code, message, { next, exit: FAULTS[code].exit, cause });
    this.name = 'Fault';
  }
}

/** Turns what a library threw into a Fault, keeping one that already is one. */
export function asFault(code: FaultCode, message: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const detail = messageOf(cause);
  return new Fault(errnoOf(cause) === 'ENOSPC' ? 'disk_full' : code, `${message}: ${detail}`, cause);
}
