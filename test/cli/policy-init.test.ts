/** reenact policy init: what it pins of a certificate, and that it writes nothing of what was not verified. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { conformanceCases } from '../support/conformance.ts';
import { envelope, makeKey, statement } from '../support/keys.ts';
import { type LeafOptions, TestSigstore } from '../support/sigstore.ts';
import { builtFrom, SHARED } from '../support/source.ts';
import { reenact, tempFolder } from '../support/world.ts';

const cwd = tempFolder();
const sigstore = new TestSigstore();
const write = (name: string, content: unknown): void =>
  writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));

async function init(
  ...args: string[]
): Promise<{ status: number | null; text: string | null; stderr: string }> {
  const out = join(tempFolder(), 'policy.yaml');
  const run = await reenact(['policy', 'init', ...args, '--out', out], { cwd });
  const text = existsSync(out) ? readFileSync(out, 'utf8') : null;
  if (text !== null) writeFileSync(join(cwd, 'policy.yaml'), text);
  return { status: run.status, text, stderr: run.stderr };
}

beforeAll(() => {
  write('root.json', sigstore.trustedRoot());
  const key = makeKey();
  write('team.pub', key.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  write('signed.json', envelope([key]));
  write('other.json', envelope([makeKey()]));
  write('list.json', [envelope([makeKey()]), envelope([key], statement({ predicateType: 'urn:second' }))]);
});

const bundle = (leaf: LeafOptions = {}): unknown => sigstore.bundle({ ...SHARED, ...leaf });
const ROOT = ['--trust-root', 'root.json'];

describe('what is pinned', () => {
  it.each<[string, LeafOptions, string[], string[]]>([
    [
      'the repository and its owner’s number',
      { says: builtFrom('acme', '17') },
      [
        '\n      sourceRepositoryURI: "https://github.com/acme/app"\n',
        '\n      sourceRepositoryOwnerIdentifier: "17"\n',
        '\n      # sourceRepositoryRef: "refs/heads/main"\n',
      ],
      ['runInvocationURI'],
    ],
    [
      'the older form where there is no newer one',
      { says: [[5, 'acme/app']] },
      ['\n      githubWorkflowRepository: "acme/app"\n'],
      [],
    ],
    [
      'not the older form beside the newer one',
      {
        says: [
          [5, 'acme/app'],
          [12, 'https://github.com/acme/app'],
        ],
      },
      ['sourceRepositoryURI'],
      ['githubWorkflowRepository'],
    ],
    ['that there is no issuer', { issuer: null }, ['\n      noIssuer: true\n'], ['issuer:']],
    [
      'texts that would leave their line',
      { says: [[14, 'refs/heads/a"\n\u2028authorities: [] #\u0085']] },
      ['# sourceRepositoryRef: "refs/heads/a\\"\\n\\u2028authorities: [] #\\u0085"\n'],
      ['\nauthorities: [] '],
    ],
  ])('%s', async (_name, leaf, within, without) => {
    write('bundle.json', bundle(leaf));
    const { status, text, stderr } = await init('bundle.json', ...ROOT);
    expect(status, stderr).toBe(0);
    for (const part of within) expect(text).toContain(part);
    for (const part of without) expect(text).not.toContain(part);
    const check = await reenact(['policy', 'check', 'policy.yaml'], { cwd });
    expect(check.stderr).toBe('');
  });
});

describe('nothing of what was not verified', () => {
  it.each<[string, string[], RegExp]>([
    ['a bundle of another instance', ['foreign.json', ...ROOT], /trust_certificate|log_key/],
    ['an envelope of another key', ['other.json', '--key', 'team.pub'], /signature_invalid/],
    ['a bundle that signs a file', ['message.json'], /--artifact FILE/],
  ])('%s', async (_name, args, message) => {
    write('foreign.json', new TestSigstore().bundle());
    const message_ = conformanceCases().find(({ name }) => name === 'happy-path-v0.3');
    if (args[0] === 'message.json') {
      if (!message_) return;
      writeFileSync(join(cwd, 'message.json'), message_.bundle);
      writeFileSync(join(cwd, 'a.txt'), message_.artifact);
    }
    const refused = await init(...args);
    expect(refused).toMatchObject({ status: 2, text: null });
    expect(refused.stderr).toMatch(message);
    expect(refused.stderr).toContain('Nothing was written');
    expect(refused.stderr).toMatch(/\n {2}next: \S/);
    const asked = await init(...args, '--unverified');
    expect(asked).toMatchObject({ status: 0 });
    expect(asked.text).toMatch(/^# NOT VERIFIED \(/);
    if (args[0] === 'message.json') {
      const whole = await init(...args, '--artifact', 'a.txt');
      expect(whole).toMatchObject({ status: 0, stderr: expect.stringContaining('was verified') });
      expect((await init(...args, '--artifact', 'root.json')).status).toBe(2);
    }
  });

  it('a forgery before the true one in a list', async () => {
    const forged = new TestSigstore().bundle({ subject: 'https://mallory.invalid/x' });
    write('lines.jsonl', [forged, bundle()].map((one) => JSON.stringify(one)).join('\n'));
    const made = await init('lines.jsonl', ...ROOT);
    expect(made).toMatchObject({ status: 0, text: expect.stringContaining('shared/workflows') });
    expect(made.text).not.toContain('mallory');
  });

  it('what a key signed, by the item it signed', async () => {
    const made = await init('list.json', '--key', 'team.pub');
    expect(made).toMatchObject({ status: 0, text: expect.stringContaining('predicateType: "urn:second"') });
    expect((await init('signed.json', '--key', 'team.pub')).status).toBe(0);
  });

  it('a registry’s answer, by the first that has a certificate', async () => {
    write('npm.json', { attestations: [{ bundle: envelope([makeKey()]) }, { bundle: bundle() }] });
    expect(await init('npm.json', ...ROOT)).toMatchObject({
      status: 0,
      text: expect.stringContaining('shared/'),
    });
  });

  it('what is no evidence is named, with what to do', async () => {
    const { status, stderr } = await init('team.pub');
    expect(status).toBe(64);
    expect(stderr).toMatch(
      /is a public key\n.*next: name the key in the policy: reenact policy init --key FILE/s,
    );
  });
});
