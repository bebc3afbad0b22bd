/** Every option that names an output writes through what is no regular file; none of them replaces it. */
import { execFile } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { COMMANDS as SUBCOMMANDS } from '../support/commands.ts';
import { makeKey } from '../support/keys.ts';
import { tempFolder } from '../support/world.ts';

const BIN = join(import.meta.dirname, '../../bin/reenact.js');
const cwd = tempFolder();
const key = makeKey();
writeFileSync(join(cwd, 'key.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(join(cwd, 'key.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
writeFileSync(join(cwd, 'file'), 'content');
// As /dev/stdout is: that of this machine is not put at risk by a test.
symlinkSync('/proc/self/fd/1', join(cwd, 'stdout'));

/** By a shell, whose redirections are what people write; its stdout is a pipe. */
async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd });
  return stdout;
}
const reenact = `${process.execPath} ${BIN}`;
const COMMANDS: [string, string][] = [
  [`${reenact} policy init --key key.pub --out`, 'authorities:'],
  [`${reenact} sign file --key key.pem --out`, '"payloadType"'],
];

it.each(COMMANDS)('%s: -, /dev/stdout, >(…), a link', async (command, text) => {
  expect(await shell(`${command} - 2>&-`)).toContain(text);
  expect(await shell(`${command} stdout 2>&-`)).toContain(text);
  expect(lstatSync(join(cwd, 'stdout')).isSymbolicLink()).toBe(true);
  expect(await shell(`${command} >(cat) 2>&- | cat`)).toContain(text);
  expect(await shell(`{ echo before; ${command} stdout; } > both 2>&-; cat both`)).toContain(`before\n`);
  symlinkSync('target', join(cwd, 'link'));
  await shell(`${command} link; rm link`);
  expect(readFileSync(join(cwd, 'target'), 'utf8')).toContain(text);
});

it('what goes to stdout is the document alone', async () => {
  expect(JSON.parse(await shell(`${reenact} sign file --key key.pem --out - 2>&-`))).toHaveProperty(
    'signatures',
  );
});

/** Archives and folders are made anew: what is there already, a device too, is refused. */
const NEW_ONLY = [
  'bundle create --out',
  'bundle custody add --out',
  'bundle custody stamp --out',
  'bundle pull --out',
  'bundle redact --out',
  'run --out',
  'symbols fetch --out',
];
/** Tried above, by attest's twin sign, or with an engine (test/engine/outputs.test.ts). */
const TRIED = [
  'attest --out',
  'capture --out',
  'policy init --out',
  'run --events',
  'run --junit',
  'sign --out',
];

it('knows all options that name an output', () => {
  const named = SUBCOMMANDS.flatMap(({ name, command }) =>
    Object.keys(command.options)
      .filter((option) => ['out', 'junit', 'events'].includes(option))
      .map((option) => `${name} --${option}`),
  );
  expect(named.sort()).toEqual([...NEW_ONLY, ...TRIED].sort());
});
