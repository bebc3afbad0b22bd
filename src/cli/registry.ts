/** Every subcommand, listed once: the command line, help and completion are all made of this list.
 *
 * To add one: write `commands/VERB.ts` or `commands/NOUN/VERB.ts`, which exports `command` (command.ts says
 * what that holds), and list it here with its name and summary. It is loaded only where it is called, or where
 * help or completion ask for it; what it does is imported by its `run`, so that those need not wait for an
 * engine or a database. A name that is given up is kept in ALIASES. */
import type { About, Command, Entry, Registry } from './command.ts';

function one(name: string, summary: string, load: () => Promise<{ command: Command }>): Entry {
  return { name, summary, load };
}

function noun(
  name: string,
  summary: string,
  about: () => Promise<{ about: About }>,
  commands: readonly Entry[],
): Entry {
  return { name, summary, about, commands };
}

const COMMANDS: readonly Entry[] = [
  one(
    'init',
    'write a replay manifest to fill in, and explain its fields',
    () => import('./commands/init.ts'),
  ),
  one('capture', 'run a command once and write a replay manifest', () => import('./commands/capture.ts')),
  one(
    'run',
    'replay manifests and decide: reproduced, diverged, inconclusive',
    () => import('./commands/run.ts'),
  ),
  one('diff', 'show everything in which two recorded states differ', () => import('./commands/diff.ts')),
  noun(
    'evidence',
    "verify who signed what, offline; fetch a log's proofs",
    () => import('./commands/evidence/about.ts'),
    [
      one(
        'verify',
        'say whether evidence is acceptable, and of what',
        () => import('./commands/evidence/verify.ts'),
      ),
      one(
        'fetch',
        "get a log's proof into the local cache (needs network)",
        () => import('./commands/evidence/fetch.ts'),
      ),
    ],
  ),
  noun('policy', 'make, check or explain a policy', () => import('./commands/policy/about.ts'), [
    one('init', 'write a first policy, from an example or a key', () => import('./commands/policy/init.ts')),
    one('check', 'read a policy and everything it names', () => import('./commands/policy/check.ts')),
    one('explain', 'put a policy in words', () => import('./commands/policy/explain.ts')),
  ]),
  noun(
    'manifest',
    'print the digest that evidence about a manifest must name',
    () => import('./commands/manifest/about.ts'),
    [
      one(
        'subject',
        'print the digest that evidence must name',
        () => import('./commands/manifest/subject.ts'),
      ),
    ],
  ),
  one('sign', 'sign a manifest or a file with a key of your own', () => import('./commands/sign.ts')),
  one('attest', "sign a replay's verdict", () => import('./commands/attest.ts')),
  noun(
    'bundle',
    'pack a record with all it rests on, and verify such a bundle',
    () => import('./commands/bundle/about.ts'),
    [
      one('create', 'pack a record', () => import('./commands/bundle/create.ts')),
      one(
        'verify',
        'read a bundle once and say what is wrong with it, offline',
        () => import('./commands/bundle/verify.ts'),
      ),
      one(
        'replay',
        'replay what is inside, and compare the states',
        () => import('./commands/bundle/replay.ts'),
      ),
      one(
        'redact',
        'make a bundle in which chosen contents are only committed to',
        () => import('./commands/bundle/redact.ts'),
      ),
      one('show', 'say at a glance what it is', () => import('./commands/bundle/show.ts')),
      one('ls', 'list what is inside', () => import('./commands/bundle/ls.ts')),
      one(
        'extract',
        'unpack what is inside under names that people can read',
        () => import('./commands/bundle/extract.ts'),
      ),
      one('diff', 'say in what two bundles differ', () => import('./commands/bundle/diff.ts')),
      one('push', 'put a bundle into a registry', () => import('./commands/bundle/push.ts')),
      one('pull', 'get a bundle from a registry, by its identity', () => import('./commands/bundle/pull.ts')),
      noun(
        'custody',
        'sign who had it in hand, show the events, attach a timestamp',
        () => import('./commands/bundle/custody/about.ts'),
        [
          one(
            'add',
            'sign an event: who had it, and what was done',
            () => import('./commands/bundle/custody/add.ts'),
          ),
          one(
            'stamp',
            'attach the reply of a timestamp authority',
            () => import('./commands/bundle/custody/stamp.ts'),
          ),
          one('log', 'print the events', () => import('./commands/bundle/custody/log.ts')),
        ],
      ),
    ],
  ),
  noun(
    'artifact',
    'keep what was shipped, bound to its signed provenance',
    () => import('./commands/artifact/about.ts'),
    [
      one(
        'add',
        'add a file, a Debian package or an image, with its evidence',
        () => import('./commands/artifact/add.ts'),
      ),
      one(
        'fetch',
        'add an image with the attestations that its registry holds',
        () => import('./commands/artifact/fetch.ts'),
      ),
      one('ls', 'list what the store holds', () => import('./commands/artifact/ls.ts')),
      one(
        'show',
        'print one with its builder, signers and contents',
        () => import('./commands/artifact/show.ts'),
      ),
    ],
  ),
  noun(
    'symbols',
    'read the ids of symbol files, and add them to the store',
    () => import('./commands/symbols/about.ts'),
    [
      one('id', 'print what names the build that a file is of', () => import('./commands/symbols/id.ts')),
      one(
        'add',
        'add symbol files to the store, with their attestations',
        () => import('./commands/symbols/add.ts'),
      ),
      one(
        'verify',
        'say whether a file has an accepted attestation',
        () => import('./commands/symbols/verify.ts'),
      ),
      one(
        'fetch',
        'get debug information from a debuginfod server',
        () => import('./commands/symbols/fetch.ts'),
      ),
      one('ls', 'list what the store holds', () => import('./commands/symbols/ls.ts')),
      one('show', 'print one with its build and its signers', () => import('./commands/symbols/show.ts')),
    ],
  ),
  noun(
    'trace',
    'stack traces, joined to symbols, artifacts and signed builds',
    () => import('./commands/trace/about.ts'),
    [
      one(
        'show',
        'print a trace: a file of any form, or one of the store',
        () => import('./commands/trace/show.ts'),
      ),
      one('add', 'add traces to the store', () => import('./commands/trace/add.ts')),
      one('ls', 'list what the store holds', () => import('./commands/trace/ls.ts')),
      one(
        'audit',
        'print a stored trace with all it is joined to, and judge the gates',
        () => import('./commands/trace/audit.ts'),
      ),
      one(
        'gaps',
        'say what keeps frames from being joined, and what to do about it',
        () => import('./commands/trace/gaps.ts'),
      ),
    ],
  ),
  one('reproduce', 'replay a stored trace and compare the stacks', () => import('./commands/reproduce.ts')),
  one(
    'schema',
    'print the JSON Schema of a format, such as manifest or record',
    () => import('./commands/schema.ts'),
  ),
  one(
    'doctor',
    "say what this machine's container engine can and cannot do",
    () => import('./commands/doctor.ts'),
  ),
  one('completion', 'print a completion script: bash, zsh or fish', () => import('./commands/completion.ts')),
];

/** Names that commands had before; they work, and are shown nowhere. */
const ALIASES: Readonly<Record<string, string>> = {
  'bundle inspect': 'bundle show',
  'verify evidence': 'evidence verify',
  'gate symbols': 'symbols verify',
};

export const REGISTRY: Registry = { commands: COMMANDS, aliases: ALIASES };
