/** Options that several commands have in common, so that they are called, valued and explained alike. */
import { flag, list, text } from './command.ts';
import type { Option, Options } from './option.ts';

/** The policies that are built in, offered where a policy is named; a file's name may stand there as well. */
const BUILT_IN_POLICIES: readonly string[] = ['default', 'forensic'];

/** What --without takes (sandbox/mechanisms.ts, which is not loaded for help). */
export const WITHOUT: readonly string[] = [
  'call_trace',
  'fixed_layout',
  'clock_trap',
  'cpuid_trap',
  'cpuid_rewrite',
  'cpuid',
];

/** What keys are used with (evidence/keys.ts). */
export const KEY_ALGORITHMS: readonly string[] = [
  'ed25519',
  'ed25519ph',
  ...['sha256', 'sha384', 'sha512'].map((hash) => `ecdsa-p256-${hash}`),
  ...['sha384', 'sha256', 'sha512'].map((hash) => `ecdsa-p384-${hash}`),
  ...['sha512', 'sha256', 'sha384'].map((hash) => `ecdsa-p521-${hash}`),
  ...['sha256', 'sha384', 'sha512'].map((hash) => `rsa-pkcs1-${hash}`),
  ...['sha256', 'sha384', 'sha512'].map((hash) => `rsa-pss-${hash}`),
];

/** Those that sign here: of Ed25519 the plain form alone. */
export const SIGNING_ALGORITHMS: readonly string[] = KEY_ALGORITHMS.filter((name) => name !== 'ed25519ph');

/** --policy, by what the command does with it. */
export function policy(help: string): Option {
  return text('P', help, { offered: BUILT_IN_POLICIES });
}

/** How results are had as data (shared/json.ts); `what` says which. */
export function json(what: string): Options {
  return {
    json: {
      kind: 'flag',
      help: `print ${what}, as one JSON array (--json=compat: in the old form, for this release)`,
      also: ['compat'],
    },
    jsonl: flag('the same as JSON Lines, one object a line'),
  };
}

/** What every command that makes sandboxes knows of a host that lacks something. */
export const SANDBOXES: Options = {
  without: list('MECHANISM', 'behave as on a host that lacks it (repeatable); see reenact run --help', {
    values: WITHOUT,
  }),
  'allow-degraded': flag('accepted, and does nothing'),
};

/** Where the programs of a core are read from. */
export const PROGRAMS: Options = {
  exec: list(
    'FILE',
    'a program or library that a core was made of, or a program or symbol file of a dump (repeatable)',
  ),
  sysroot: text('DIR', 'where they lie, at the paths that the core names'),
};
