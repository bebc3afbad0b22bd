/** npm run demo: a real crash captured, signed and replayed by digest, packed, and checked from the bundle alone. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, hash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stopRegistry } from './engine.ts';
import { ensureSandbox } from './sandbox.ts';
import { say } from './say.ts';

/** Runs the reenact command as a user would, its output shown. */
export function reenact(
  root: string,
  folder: string,
  env: Record<string, string>,
  args: string[],
): Promise<number> {
  process.stdout.write(`\n$ reenact ${args.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg)).join(' ')}\n`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'bin/reenact.js'), ...args], {
      cwd: folder,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    child.on('exit', (status) => resolve(status ?? 130));
  });
}

/** A key of one's own, as openssl genpkey -algorithm ed25519 makes one. */
export function makeKey(folder: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'team.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(join(folder, 'team.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

/** What somebody would do who wants another program run: other instructions, and an envelope that fits them. */
function tamper(folder: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'crash.json'), 'utf8')) as Record<string, unknown>;
  const envelope = JSON.parse(readFileSync(join(folder, 'crash.dsse.json'), 'utf8')) as { payload: string };
  const payload = Buffer.from(envelope.payload, 'base64').toString().replace('crash.json', 'other.json');
  const text = JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') });
  writeFileSync(join(folder, 'tampered.dsse.json'), text);
  const changed = { ...manifest, run_instructions: 'deterministic-run.sh -- true' };
  const named = { ...changed, dsse_envelope: `dsse:sha256:${hash('sha256', text)}` };
  writeFileSync(join(folder, 'tampered.json'), JSON.stringify(named, null, 2));
}

/** One command; resolves to its exit status. */
export type Run = (...args: string[]) => Promise<number>;

/** Runs the steps in turn; the first that fails ends them. */
async function steps(run: Run, ...lines: string[][]): Promise<number> {
  for (const args of lines) {
    const status = await run(...args);
    if (status !== 0) return status;
  }
  return 0;
}

/** The crash: captured, signed, replayed under a policy, packed, and the bundle verified. */
async function crash(run: Run, folder: string, image: string): Promise<number> {
  const program = ['yasm', '-o', '/dev/null', '/case/crash.asm'];
  const named = ['--input', 'crash.asm', '--out', 'crash.json', '--name', 'yasm 1.3.0 crash'];
  const captured = await run('capture', '--image', image, ...named, '--', ...program);
  if (captured !== 0) return captured;
  say('signing what was captured with a key made for this demo, and a policy that accepts only that key');
  makeKey(folder);
  return steps(
    run,
    ['sign', 'crash.json', '--key', 'team.pem'],
    ['policy', 'init', '--key', 'team.pub', '--out', 'policy.yaml'],
    [
      'run',
      'crash.json',
      '--policy',
      'policy.yaml',
      '--replays',
      '20',
      '--jobs',
      '4',
      '--bundle',
      'case.tar',
      '--with-image',
    ],
    [
      'bundle',
      'custody',
      'add',
      'case.tar',
      '--key',
      'team.pem',
      '--action',
      'exported',
      '--actor',
      'the team',
    ],
  );
}

/** The bundle's check without reenact: the commands of its VERIFY.txt, as they stand. */
function verifyByText(folder: string): Promise<number> {
  const place = join(folder, 'unpacked');
  mkdirSync(place);
  execFileSync('tar', ['-xf', join(folder, 'case.tar'), '-C', place]);
  const commands = readFileSync(join(place, 'data/VERIFY.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2));
  process.stdout.write('\n$ # the commands of data/VERIFY.txt: sha256sum, jq, openssl\n');
  const result = spawnSync('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], { cwd: place });
  process.stdout.write(
    result.status === 0
      ? `all ${commands.length} ended with status 0\n`
      : `status ${result.status}\n${String(result.stderr)}`,
  );
  return Promise.resolve(result.status ?? 1);
}

/** What the other side does, who has the bundle, an engine and the team's public key: no registry, no image. */
async function elsewhere(
  run: Run,
  folder: string,
  env: Record<string, string>,
  image: string,
): Promise<number> {
  say(
    'elsewhere: the registry is stopped, the image is taken off the engine, and the bundle is all there is',
  );
  const checked = await steps(run, ['bundle', 'verify', 'case.tar', '--policy', 'policy.yaml']);
  if (checked !== 0) return checked;
  const byText = await verifyByText(folder);
  if (byText !== 0) return byText;
  await stopRegistry();
  spawnSync('docker', ['image', 'rm', '--force', image], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  return run('bundle', 'replay', 'case.tar', '--replays', '4');
}

export async function demo(root: string, env: Record<string, string>): Promise<number> {
  const sandbox = await ensureSandbox(root, 'debian12-yasm', env.REENACT_REGISTRY!);
  const image = `${sandbox.repository}@${sandbox.manifest}`;
  const folder = join(root, '.reenact', 'demo');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'fixtures/demo/crash.asm'), join(folder, 'crash.asm'));
  say(`the sandbox image is ${image}; everything below is in ${folder}`);
  const run: Run = (...args) => reenact(root, folder, env, args);

  const reproduced = await crash(run, folder, image);
  if (reproduced !== 0) return reproduced;

  say('the same with other instructions and an envelope that was changed to fit: nothing is started');
  tamper(folder);
  const tampered = await run('run', 'tampered.json', '--policy', 'policy.yaml');

  say('a program that prints the time, random bytes and a listing: the seed decides them all');
  const noise = 'date +%s.%N; od -An -N8 -tx1 /dev/urandom; ls -l /proc/self/';
  const named = ['--out', 'noise.json', '--name', 'time, randomness and a listing'];
  const noisy = await run('capture', '--image', image, ...named, '--', 'sh', '-c', noise);
  if (noisy !== 0) return noisy;
  const decided = await run('run', 'noise.json', '--replays', '5', '--jobs', '4');
  say('the same with determinism off: it cannot be the same twice');
  const diverged = await run('run', 'noise.json', '--replays', '5', '--jobs', '4', '--determinism', 'off');

  const replayed = await elsewhere(run, folder, env, image);

  const asExpected = tampered === 2 && decided === 0 && diverged === 1 && replayed === 0;
  process.stdout.write(
    asExpected
      ? '\nAs it should be: the signed crash was reproduced (exit status 0), the tampered one\nrejected (2), the program that reads the clock was reproduced (0), and diverged with\ndeterminism off (1), and the bundle verifies, by reenact and without, and replays from\nitself alone (0). npm run setup:stop ends the services.\n'
      : `\nUnexpected: the tampered manifest ended with ${tampered} (2 was expected), the program that reads the clock with ${decided} (0) and, with determinism off, ${diverged} (1), the bundle with ${replayed} (0).\n`,
  );
  return asExpected ? 0 : 1;
}
