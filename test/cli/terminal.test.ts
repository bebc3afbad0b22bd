/** What a person sees on a real terminal (a pty), wide or narrow, with and without colour. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { envelope, makeKey, statement } from '../support/keys.ts';
import { tempFolder } from '../support/world.ts';

const BIN = join(import.meta.dirname, '../../bin/reenact.js');
const cwd = tempFolder();
const key = makeKey();
writeFileSync(join(cwd, 'e.json'), JSON.stringify(envelope([key], statement())));
writeFileSync(join(cwd, 'key.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));

/** Runs the command on a pseudo terminal of so many columns, as util-linux's script makes one. */
async function onTerminal(command: string, columns: number, env: NodeJS.ProcessEnv): Promise<string> {
  const line = `stty cols ${columns} -onlcr; ${process.execPath} ${BIN} ${command}`;
  const { stdout } = await promisify(execFile)('script', ['-qec', line, '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', ...env },
  });
  return stdout;
}

it.each([
  ['in colour', 80, {}, true],
  ['in colour, narrow', 40, {}, true],
  ['NO_COLOR', 80, { NO_COLOR: '1' }, false],
  ['TERM=dumb', 80, { TERM: 'dumb' }, false],
] as [string, number, NodeJS.ProcessEnv, boolean][])('%s', async (_, columns, env, colour) => {
  await onTerminal('policy init --key key.pub --out p.yaml', columns, env);
  const subject = `sha256:${'a1'.repeat(32)}`;
  const text = await onTerminal(`verify evidence e.json --subject ${subject} --policy p.yaml`, columns, env);
  expect(text.startsWith(colour ? '\u001b[1;32mverified\u001b[0m' : 'verified')).toBe(true);
  expect(text).not.toContain('\\u001b');
  expect(text.replaceAll('\u001b[1;32m', '').replaceAll('\u001b[0m', '')).not.toContain('\u001b');
});
