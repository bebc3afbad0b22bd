/** Every option that names an output writes through what is no regular file; none of them replaces it, nor a file that would be lost. */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { plainBundle } from '../support/attested.ts';
import { COMMANDS as SUBCOMMANDS } from '../support/commands.ts';
import { makeKey } from '../support/keys.ts';
import { PLAIN } from '../support/refused.ts';
import { reenact as run, tempFolder } from '../support/world.ts';

const BIN = join(import.meta.dirname, '../../bin/reenact.js');
const cwd = tempFolder();
const key = makeKey();
writeFileSync(join(cwd, 'key.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(join(cwd, 'key.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
writeFileSync(join(cwd, 'file'), 'content');
writeFileSync(join(cwd, 'm.json'), JSON.stringify(PLAIN));
const { made, path: bundle } = await plainBundle();
writeFileSync(join(cwd, 'record.json'), JSON.stringify(made.record));
copyFileSync(bundle, join(cwd, 'case.tar'));
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
  rmSync(join(cwd, 'target'), { force: true });
  symlinkSync('target', join(cwd, 'link'));
  await shell(`${command} link; rm link`);
  expect(readFileSync(join(cwd, 'target'), 'utf8')).toContain(text);
});

it('what goes to stdout is the document alone', async () => {
  expect(JSON.parse(await shell(`${reenact} sign file --key key.pem --out - 2>&-`))).toHaveProperty(
    'signatures',
  );
});

/** A call that writes to the last of its words, or to the file that stands for @, without an engine. */
interface Call {
  args: string;
  /** What there is beside an unwritten file: --force, or a report of an earlier run; a bundle has neither. */
  over?: '--force' | 'report';
}
const DIGEST = `localhost/a@sha256:${'ab'.repeat(32)}`;
const CALLS: Record<string, Call> = {
  'attest --out': { args: 'attest record.json --key key.pem --out', over: '--force' },
  'bundle create --out': { args: 'bundle create record.json --out' },
  'bundle custody add --out': { args: 'bundle custody add case.tar --key key.pem --action received --out' },
  'bundle custody stamp --out': { args: 'bundle custody stamp case.tar --timestamp file --out' },
  'bundle extract --to': { args: 'bundle extract case.tar --to', over: '--force' },
  'bundle pull --out': { args: `bundle pull ${DIGEST} --out` },
  'bundle redact --out': {
    args: 'bundle redact case.tar --drop stdout --reason r --key key.pem --secret s --out',
  },
  'bundle verify --certificate': { args: 'bundle verify case.tar --certificate' },
  'capture --out': { args: `capture --image ${DIGEST} --out @ -- true`, over: '--force' },
  'init FILE': { args: 'init', over: '--force' },
  'policy init --out': { args: 'policy init --key key.pub --out', over: '--force' },
  'run --bundle': { args: 'run m.json --bundle' },
  'run --events': { args: 'run m.json --events', over: 'report' },
  'run --junit': { args: 'run m.json --junit', over: 'report' },
  'sign --out': { args: 'sign file --key key.pem --out', over: '--force' },
};
/** A folder that is added to, each file under the name of its content, or a store of ours. */
const ADDED_TO = ['run --out', 'symbols fetch --out'];

function called(option: string, more: string[] = []): ReturnType<typeof run> {
  const { args } = CALLS[option]!;
  const words = (args.includes(' @ ') ? args.replace(' @ ', ' mine ') : `${args} mine`).split(' ');
  const end = words.indexOf('--');
  words.splice(end < 0 ? words.length : end, 0, ...more);
  return run(words, { cwd, env: { DOCKER_HOST: 'unix:///none' } });
}

describe.each(Object.keys(CALLS))('%s', (option) => {
  it('never replaces a file that is no report of an earlier run', async () => {
    writeFileSync(join(cwd, 'mine'), 'mine');
    const { status, stderr } = await called(option);
    expect([status, stderr]).toEqual([3, expect.stringContaining('mine is there already')]);
    expect(stderr).toContain('\n  next: name another');
    expect(stderr.includes('--force')).toBe(CALLS[option]!.over === '--force');
    expect(readFileSync(join(cwd, 'mine'), 'utf8')).toBe('mine');
  });

  it('is told apart from a failure by its code', async () => {
    writeFileSync(join(cwd, 'mine'), 'mine');
    const { options } = SUBCOMMANDS.find(({ name }) => option.startsWith(`${name} `))!.command;
    if (!options.json) return;
    expect(JSON.parse((await called(option, ['--json'])).stdout)).toMatchObject([{ code: 'output_exists' }]);
  });
});

it.each(['attest --out', 'init FILE', 'policy init --out', 'sign --out'])(
  '%s replaces it with --force',
  async (option) => {
    writeFileSync(join(cwd, 'mine'), 'mine');
    expect(await called(option, ['--force'])).toMatchObject({ status: 0 });
    expect(readFileSync(join(cwd, 'mine'), 'utf8')).not.toBe('mine');
  },
);

it.each([
  ['run --junit', '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites/>'],
  ['run --junit', ''],
  ['run --events', '{"time":"2026-01-01T00:00:00.000Z"}\n'],
])('%s takes the place of %j', async (option, report) => {
  writeFileSync(join(cwd, 'mine'), report);
  const { stderr } = await called(option);
  expect(stderr).not.toContain('is there already');
});

describe('a signed manifest', () => {
  it('is not signed anew in silence: it would lose the envelope that it names', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'm.json'), JSON.stringify(PLAIN));
    for (const name of ['one', 'two'])
      writeFileSync(
        join(folder, `${name}.pem`),
        makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }),
      );
    const sign = (name: string, ...more: string[]): ReturnType<typeof run> =>
      run(['sign', 'm.json', '--key', `${name}.pem`, '--out', `${name}.json`, ...more], { cwd: folder });
    expect(await sign('one')).toMatchObject({ status: 0 });
    const signed = readFileSync(join(folder, 'm.json'), 'utf8');
    // The same key again says the same.
    expect(await sign('one')).toMatchObject({ status: 0 });
    expect(await sign('two')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/m\.json is signed already: .*\n {2}next: --force signs it anew/),
    });
    expect(readFileSync(join(folder, 'm.json'), 'utf8')).toBe(signed);
    expect(existsSync(join(folder, 'two.json'))).toBe(false);
    expect(await sign('two', '--force')).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'm.json'), 'utf8')).not.toBe(signed);
  });

  it('is not lost to capture, init or a report', async () => {
    const folder = tempFolder();
    const text = JSON.stringify({ ...PLAIN, dsse_envelope: `dsse:sha256:${'ab'.repeat(32)}` });
    writeFileSync(join(folder, 'crash.json'), text);
    for (const args of [
      ['capture', '--image', DIGEST, '--', 'true'],
      ['init'],
      ['run', 'crash.json', '--junit', 'crash.json'],
      ['run', 'crash.json', '--events', 'crash.json'],
    ])
      expect(await run(args, { cwd: folder, env: { DOCKER_HOST: 'unix:///none' } })).toMatchObject({
        status: 3,
        stderr: expect.stringContaining('crash.json is there already'),
      });
    expect(readFileSync(join(folder, 'crash.json'), 'utf8')).toBe(text);
  });
});

it('knows all options that name an output', () => {
  const named = SUBCOMMANDS.flatMap(({ name, command }) =>
    Object.keys(command.options)
      .filter((option) => ['out', 'to', 'junit', 'events', 'certificate', 'bundle'].includes(option))
      .map((option) => `${name} --${option}`),
  );
  expect([...named, 'init FILE'].sort()).toEqual([...ADDED_TO, ...Object.keys(CALLS)].sort());
});
