/** reenact doctor on processors that are not to be had here: what works there is said, not only what does not. */
import { expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { doctorText } from '../../src/cli/actions/doctor.ts';
import { nextCommands, type Place } from '../../src/cli/actions/next-commands.ts';
import { examination, examine, type Finding } from '../../src/library/doctor.ts';
import type { Engine, EngineFacts } from '../../src/sandbox/engine.ts';

const FACTS: EngineFacts = {
  engine: 'docker',
  version: '27.0',
  apiVersion: '1.47',
  kernel: '6.8.0',
  architecture: 'aarch64',
  cgroupVersion: '2',
  storageDriver: 'overlay2',
  securityOptions: ['name=seccomp,profile=builtin'],
  cpus: 4,
  memoryBytes: 2 ** 33,
  warnings: [],
};

/** An engine that is asked for facts alone: nothing may be started on it. */
const engineOf = (architecture: string) => async () =>
  ({ address: 'tcp://there:1', facts: async () => ({ ...FACTS, architecture }) }) as unknown as Engine;

const nobody = async (): Promise<Engine> => {
  throw new Fault('engine_unreachable', 'no container engine');
};

it.each(['aarch64', 'arm64', 'riscv64'])(
  'an engine on %s replays nothing, and the rest works',
  async (architecture) => {
    const findings = await examine(engineOf(architecture), 'x64', []);
    const text = doctorText(examination(findings), []);
    expect(text).toContain(`missing   processor   ${architecture}: replays run on x86-64 alone`);
    expect(text).toContain('ok        engine      docker 27.0, API 1.47, at tcp://there:1');
    expect(text).toMatch(
      /replays are not possible here; what works: .*evidence and bundles.*traces, symbols/,
    );
    // The advice never asks to build what cannot be built there.
    expect(text).not.toContain('harness');
    const { usable, works } = examination(findings);
    expect({ usable, works }).toMatchObject({
      usable: false,
      works: expect.not.arrayContaining(['replays']),
    });
  },
);

it('a machine of another processor without an engine is told the same', async () => {
  const text = doctorText(examination(await examine(nobody, 'arm64', [])), []);
  expect(text).toContain('missing   processor   arm64: replays run on x86-64 alone');
  expect(text).toContain('missing   engine      no container engine; start the engine');
  expect(text).not.toContain('harness');
});

it('a machine of the right processor without an engine lacks the engine alone', async () => {
  const findings = await examine(nobody, 'x64', []);
  expect(findings.map(({ check }) => check)).toEqual(['harness', 'engine']);
});

const PACKAGE: Place = { command: 'reenact', clone: undefined, apt: true, root: true, mistyped: undefined };
const FILL_IN = '# fill in what stands between < and > in crash.json, then:';
const CLONE: Place = { ...PACKAGE, command: '/src/reenact/bin/reenact', clone: '/src/reenact' };

it.each<[string, string[], Place, string[]]>([
  ['all is there', [], PACKAGE, ['reenact init crash.json', FILL_IN, 'reenact run crash.json']],
  [
    'a clone that PATH has not',
    [],
    CLONE,
    [`${CLONE.command} init crash.json`, FILL_IN, `${CLONE.command} run crash.json`],
  ],
  ['no engine, Debian', ['engine'], PACKAGE, ['apt-get install -y docker.io', 'reenact doctor']],
  [
    'no engine, no root',
    ['engine'],
    { ...PACKAGE, root: false },
    ['sudo apt-get install -y docker.io', 'reenact doctor'],
  ],
  [
    'no engine, a clone',
    ['engine'],
    CLONE,
    ['eval "$(npm --prefix /src/reenact run -s setup)"', `${CLONE.command} doctor`],
  ],
  [
    'no harness, a clone',
    ['harness'],
    CLONE,
    ['eval "$(npm --prefix /src/reenact run -s setup)"', `${CLONE.command} doctor`],
  ],
  [
    'another processor',
    ['processor', 'engine'],
    CLONE,
    [
      '# put in the address of an engine on an x86-64 machine, then:',
      'export DOCKER_HOST=tcp://HOST:PORT',
      `${CLONE.command} doctor`,
    ],
  ],
  [
    'a mistyped DOCKER_HOST',
    ['engine'],
    { ...CLONE, mistyped: 'export DOCKER_HOST=tcp://h:1' },
    ['export DOCKER_HOST=tcp://h:1', `${CLONE.command} doctor`],
  ],
  ['no supervision', ['determinism'], PACKAGE, ['reenact run crash.json --determinism off']],
  ['no seccomp', ['seccomp'], PACKAGE, []],
])('ends with the commands that lead on: %s', (_name, missing, place, commands) => {
  const findings = missing.map((check): Finding => ({ check, status: 'missing', detail: '' }));
  expect(nextCommands(findings, place)).toEqual(commands);
  const text = doctorText(examination(findings), commands);
  expect(
    text.endsWith(commands.length > 0 ? `next:\n${commands.map((one) => `  ${one}\n`).join('')}` : '\n'),
  ).toBe(true);
});
