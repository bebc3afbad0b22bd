/** npm run demo | demo:trace | test | bench | determinism | setup | stop | check, after Node and the packages are there. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { quoteWord } from '../src/manifest/instructions.ts';
import { check } from './check.ts';
import { demo } from './demo.ts';
import { demoTrace } from './demo-trace.ts';
import { ensureEngine, ensureRegistry, stopAll } from './engine.ts';
import { ensureHarness } from './harness.ts';
import { ensureTools, TOOLS } from './packages.ts';
import { ensurePostgres, stopPostgres } from './postgres.ts';
import { SetupError, say } from './say.ts';
import { ensureSnapshot } from './snapshot.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a program of ours in the foreground and returns its exit status. */
function foreground(file: string, args: string[], env: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('exit', (status) => resolve(status ?? 130));
    child.on('error', () => resolve(70));
  });
}

async function environment(): Promise<Record<string, string>> {
  await ensureTools([TOOLS.compiler, TOOLS.registry]);
  await ensureHarness(root);
  return { DOCKER_HOST: await ensureEngine(), REENACT_REGISTRY: await ensureRegistry() };
}

/** What answers without engine, registry or database. */
const UNIT_TESTS = [
  ...['base', 'manifest', 'policy', 'sandbox', 'state', 'verdict', 'replay', 'report'].map(
    (room) => `test/${room}/`,
  ),
  'test/cli/arguments.test.ts',
  'test/tidy.test.ts',
];

const TASKS: Record<string, (args: string[]) => Promise<number>> = {
  stop: async () => {
    await stopAll();
    await stopPostgres();
    return 0;
  },
  check: () => check(root),
  setup: async () => {
    const env = await environment();
    await ensureSnapshot(root);
    for (const [name, value] of Object.entries(env)) process.stdout.write(`export ${name}=${value}\n`);
    process.stdout.write(`export PATH=${quoteWord(join(root, 'bin'))}:"$PATH"\n`);
    return 0;
  },
  demo: async () => {
    // Asked for together, so that apt runs once.
    await ensureTools([TOOLS.compiler, TOOLS.registry, TOOLS.jq, TOOLS.openssl]);
    return demo(root, await environment());
  },
  'demo-trace': async () => {
    await ensureTools([TOOLS.compiler, TOOLS.registry, TOOLS.debian, TOOLS.llvm, TOOLS.xz]);
    await ensureSnapshot(root);
    return demoTrace(root, await environment());
  },
  test: async (args) => {
    const { jq, openssl, python, schemas, skopeo, elfutils, postgres, xz, llvm, lld, dwz } = TOOLS;
    const others = [jq, openssl, python, schemas, skopeo, elfutils, postgres, xz, llvm, lld, dwz];
    await ensureTools([TOOLS.compiler, TOOLS.libc, TOOLS.registry, TOOLS.busybox, ...others]);
    await ensureSnapshot(root);
    const env = { ...(await environment()), REENACT_TEST_POSTGRES: await ensurePostgres() };
    return foreground(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], env);
  },
  'test-unit': async (args) => {
    await ensureTools([TOOLS.compiler]);
    await ensureHarness(root);
    const files = args.length > 0 ? args : UNIT_TESTS;
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    return foreground(process.execPath, [vitest, 'run', ...files], { DOCKER_HOST: '', REENACT_REGISTRY: '' });
  },
  'bench-bundle': async (args) => {
    await ensureTools([TOOLS.openssl, TOOLS.python, TOOLS.skopeo]);
    return foreground(process.execPath, [join(root, 'bench/bundle.ts'), ...args], {});
  },
  'bench-start': async () => {
    await ensureTools([TOOLS.python]);
    return foreground(process.execPath, [join(root, 'bench/start.ts')], {});
  },
  'bench-evidence': (args) => foreground(process.execPath, [join(root, 'bench/evidence.ts'), ...args], {}),
  'bench-trace': async (args) => {
    await ensureTools([TOOLS.compiler, TOOLS.llvm]);
    const env = { REENACT_TEST_POSTGRES: await ensurePostgres() };
    return foreground(process.execPath, [join(root, 'bench/trace.ts'), ...args], env);
  },
  bench: async (args) => {
    await ensureTools([TOOLS.compiler, TOOLS.registry, TOOLS.debian, TOOLS.busybox]);
    const env = await environment();
    return foreground(process.execPath, [join(root, 'bench/main.ts'), ...args], env);
  },
  'bench-determinism': async (args) => {
    await ensureTools([TOOLS.compiler, TOOLS.registry, TOOLS.debian, TOOLS.busybox]);
    const env = await environment();
    return foreground(process.execPath, [join(root, 'bench/determinism.ts'), ...args], env);
  },
  determinism: async (args) => {
    await ensureTools([TOOLS.compiler, TOOLS.registry, TOOLS.debian, TOOLS.busybox]);
    const env = await environment();
    return foreground(process.execPath, [join(root, 'test/determinism/main.ts'), ...args], env);
  },
};

const [name = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = await TASKS[name]!(args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 3;
}
