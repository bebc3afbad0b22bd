/** npm run demo: a real crash captured and replayed by digest, then a program that cannot replay. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSandbox } from './sandbox.ts';
import { say } from './say.ts';

/** Runs the reenact command as a user would, its output shown. */
function reenact(root: string, folder: string, env: Record<string, string>, args: string[]): Promise<number> {
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

export async function demo(root: string, env: Record<string, string>): Promise<number> {
  const image = await ensureSandbox(root, 'debian12-yasm', env.REENACT_REGISTRY!);
  const reference = `${image.repository}@${image.manifest}`;
  const folder = join(root, '.reenact', 'demo');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'fixtures/demo/crash.asm'), join(folder, 'crash.asm'));
  say(`the sandbox image is ${reference}; everything below is in ${folder}`);

  const captured = await reenact(root, folder, env, [
    'capture',
    '--image',
    reference,
    '--input',
    'crash.asm',
    '--out',
    'crash.json',
    '--name',
    'yasm 1.3.0 crash',
    '--',
    'yasm',
    '-o',
    '/dev/null',
    '/case/crash.asm',
  ]);
  if (captured !== 0) return captured;
  const replayed = await reenact(root, folder, env, ['run', 'crash.json', '--replays', '20', '--jobs', '4']);

  const noise = 'date +%s.%N; od -An -N8 -tx1 /dev/urandom; ls -l /proc/self/';
  const noisy = await reenact(root, folder, env, [
    'capture',
    '--image',
    reference,
    '--out',
    'noise.json',
    '--name',
    'time, randomness and a listing',
    '--',
    'sh',
    '-c',
    noise,
  ]);
  if (noisy !== 0) return noisy;
  const diverged = await reenact(root, folder, env, ['run', 'noise.json', '--replays', '5', '--jobs', '4']);

  const asExpected = replayed === 0 && diverged === 1;
  process.stdout.write(
    asExpected
      ? '\nAs it should be: the crash was reproduced (exit status 0), and the program that\nreads the clock diverged (exit status 1). npm run setup:stop ends the services.\n'
      : `\nUnexpected: the crash ended with ${replayed} (0 was expected), the other with ${diverged} (1).\n`,
  );
  return asExpected ? 0 : 1;
}
