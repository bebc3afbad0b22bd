/** From a manifest to what one replay needs: command, environment, user, limits, all defaults filled in. */
import { DEFAULTS } from '../base/limits.ts';
import type { Determinism, Manifest } from '../manifest/definition.ts';
import { splitInstructions } from '../manifest/instructions.ts';
import type { ParsedManifest } from '../manifest/parse.ts';
import type { ContainerLimits } from '../sandbox/engine.ts';
import type { Mechanism } from '../sandbox/mechanisms.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface Plan {
  argv: string[];
  env: Record<string, string>;
  user: string;
  uid: number;
  gid: number;
  limits: ContainerLimits;
  timeoutMs: number;
  outputBytes: number;
  /** PID 1's own arguments (docs/harness.md) that say how much is decided by the seed. */
  determinism: string[];
}

/** How much the seed decides, and without what. */
export interface Decided {
  mode: Determinism;
  without: Mechanism[];
  /** The seed chooses turns at random. */
  chaos: boolean;
}

/** The same manifest under another seed. */
export function withSeed(parsed: ParsedManifest, seed: number): ParsedManifest {
  const manifest = { ...parsed.manifest, seed };
  return { ...parsed, manifest, argv: splitInstructions(manifest.run_instructions, seed).argv };
}

function parseEnv(list: string[]): Record<string, string> {
  return Object.fromEntries(
    list
      .filter((one) => one.includes('='))
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
}

/** The image's own environment first, then what every replay fixes, then the manifest's. */
function environment(parsed: ParsedManifest, imageEnv: string[]): Record<string, string> {
  const image = parseEnv(imageEnv);
  const env: Record<string, string> = {
    ...image,
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    LANG: 'C.UTF-8',
    HOME: '/work',
    HOSTNAME: 'reenact',
    SOURCE_DATE_EPOCH: String(parsed.manifest.clock_start ?? DEFAULTS.clockStartS),
    ...parsed.manifest.env,
    SEED: String(parsed.manifest.seed),
  };
  env.PATH = `/harness:${parsed.manifest.env?.PATH ?? image.PATH ?? DEFAULT_PATH}`;
  return env;
}

/** Empty where it is off, so that older harnesses can still be used. */
function determinismArgs(manifest: Manifest, o: Decided, cpus: number): string[] {
  if (o.mode === 'off') return [];
  return [
    ...['--determinism', 'full', '--seed', String(manifest.seed)],
    ...['--clock-start', String(manifest.clock_start ?? DEFAULTS.clockStartS)],
    ...['--cpus', String(Math.max(1, Math.floor(cpus)))],
    ...o.without.flatMap((name) => ['--without', name]),
    ...(o.chaos ? ['--chaos'] : []),
  ];
}

/** The plan for a manifest in an image with the given environment ("NAME=value" each). */
export function planReplay(parsed: ParsedManifest, imageEnv: string[], decided: Decided): Plan {
  const { manifest } = parsed;
  const user = manifest.user ?? DEFAULTS.user;
  const [uid = 0, gid = uid] = user.split(':').map(Number);
  const limits = manifest.limits ?? {};
  const cpus = limits.cpus ?? DEFAULTS.cpus;
  return {
    argv: parsed.argv,
    env: environment(parsed, imageEnv),
    user: `${uid}:${gid}`,
    uid,
    gid,
    limits: {
      cpus,
      memoryBytes: limits.memory ?? DEFAULTS.memoryBytes,
      pids: limits.pids ?? DEFAULTS.pids,
    },
    timeoutMs: (limits.timeout ?? DEFAULTS.timeoutS) * 1000,
    outputBytes: limits.output ?? DEFAULTS.outputBytes,
    determinism: determinismArgs(manifest, decided, cpus),
  };
}

/** The program whose compiler is looked up: the command of deterministic-run.sh, or the first word. */
export function programOf(argv: string[], imageCommand: string[]): string | undefined {
  if (argv[0] !== 'deterministic-run.sh') return argv[0];
  const rest = argv[1] === '--seed' ? argv.slice(3) : argv.slice(1);
  return (rest[0] === '--' ? rest[1] : undefined) ?? imageCommand[0];
}
