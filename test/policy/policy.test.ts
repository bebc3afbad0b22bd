/** Policies: what is read, what is refused with its path, and what the digest of one stands for. */
import { expect, it } from 'vitest';

import { loadPolicy, mechanismsWanted, parsePolicy } from '../../src/policy/policy.ts';

const parse = (document: unknown): ReturnType<typeof parsePolicy> =>
  parsePolicy(JSON.stringify(document), 'team.json', '/nowhere');

it.each([
  ['default', { replay_ratio: 0.95, forensic: false, image_check: 'engine' }],
  ['forensic', { replay_ratio: 1, forensic: true, image_check: 'content' }],
])('%s is built in and names no authority', async (name, gates) => {
  expect(await loadPolicy(name)).toMatchObject({ name, gates, authorities: [], trustRoots: [], logs: [] });
});

it('one digest stands for one content, however it is written', async () => {
  const [one, other, yaml] = await Promise.all([
    parse({ version: 1, gates: { replay_ratio: 1, forensic: false } }),
    parse({ gates: { forensic: false, replay_ratio: 1 }, version: 1 }),
    parsePolicy('version: 1\ngates:\n  replay_ratio: 1\n  forensic: false\n', 'team.yaml', '/nowhere'),
  ]);
  expect([other.sha256, yaml.sha256]).toEqual([one.sha256, one.sha256]);
  expect((await parse({ version: 1, gates: { replay_ratio: 0.99 } })).sha256).not.toBe(one.sha256);
});

it.each<[string, object, string]>([
  ['an unknown field', { version: 1, gate: {} }, '$.gate'],
  ['another version', { version: 2 }, '$.version'],
  ['a ratio above one', { version: 1, gates: { replay_ratio: 1.01 } }, '$.gates.replay_ratio'],
  ['a ratio that is text', { version: 1, gates: { replay_ratio: '1' } }, '$.gates.replay_ratio'],
  ['a word that is none', { version: 1, gates: { mechanisms: 'some' } }, '$.gates.mechanisms'],
])('%s is refused with its path', async (_, document, path) => {
  await expect(parse(document)).rejects.toMatchObject({
    code: 'policy_invalid',
    message: expect.stringContaining(path),
  });
});

it('everything that is wrong is said at once', async () => {
  const wrong = parse({ version: 2, gates: { replay_ratio: 7, forensic: 'yes' } });
  await expect(wrong).rejects.toThrow(/\$\.version[\s\S]*\$\.gates/);
});

it('a file that it names and that is not there is named with its place', async () => {
  const named = parse({ version: 1, authorities: [{ name: 'team', key: 'team.pub', transparency: 'none' }] });
  await expect(named).rejects.toMatchObject({
    code: 'policy_invalid',
    message: expect.stringContaining('team'),
  });
});

it('a policy that is not there is no policy', async () => {
  await expect(loadPolicy('/nowhere/policy.json')).rejects.toMatchObject({ code: 'policy_invalid' });
});

it.each([
  [{ forensic: true }, 'all'],
  [{ forensic: false }, 'any'],
  [{ forensic: true, mechanisms: 'any' as const }, 'any'],
  [{ forensic: false, mechanisms: 'all' as const }, 'all'],
] as const)('%j wants %s mechanisms of full determinism', (gates, wanted) => {
  expect(mechanismsWanted({ replay_ratio: 1, image_check: 'engine', ...gates })).toBe(wanted);
});
