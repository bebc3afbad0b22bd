/** What both demos do step by step: a command as a user would give it, and a key of one's own. */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One command; resolves to its exit status. */
export type Run = (...args: string[]) => Promise<number>;

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
