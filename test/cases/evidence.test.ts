/** Evidence that others' tools made: each folder's own command gives the answer that the formats' specifications want. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { describeReal } from '../support/real-cases.ts';
import { reenact, tempFolder } from '../support/world.ts';

/** The right exit status of each folder's command: 0 accepted, 2 rejected. */
const RIGHT: Record<string, 0 | 2> = {
  '01-p384-sha256': 0,
  '01-p521-sha256': 0,
  '02-ed25519ph': 0,
  '03-sha512-subject': 0,
  '04-dsse-extra-field': 0,
  '06-no-message-digest': 0,
  '07-digest-instead-of-file': 0,
  '08-pem-with-text': 0,
  '09-files-or-lines': 0,
  // Its policy names no repository, and is byte for byte that of 17, which accepts: accepted with a note; see below.
  '13-reusable-workflow': 0,
  '14-log-entry-without-promise': 0,
  '15-trusted-root-jsonl': 0,
  '16-root-in-old-chain': 2,
  '17-npm-document': 0,
  '18-verdict-of-a-signed-manifest': 0,
};

/** Further commands in a folder: exit status, folder, and the file that takes the place of the first that CMD names. */
const ALSO: [0 | 2, string, string][] = [
  [0, '09-files-or-lines', 'both.jsonl'],
  [0, '14-log-entry-without-promise', 'with-integrated-time.json'],
];

describeReal('evidence', (folder) => {
  it('has an answer for each folder', () => {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(RIGHT).sort());
  });
  it.each(Object.entries(RIGHT))('%s ends with %i', async (name, right) => {
    const cwd = join(folder, name);
    const [, ...args] = readFileSync(join(cwd, 'CMD'), 'utf8').trim().split(' ');
    const { status, stdout } = await reenact(args, { cwd });
    expect(status, stdout).toBe(right);
  });
  it.each(ALSO)('ends with %i: %s with %s', async (right, name, file) => {
    const cwd = join(folder, name);
    const [, verb, noun, , ...args] = readFileSync(join(cwd, 'CMD'), 'utf8').trim().split(' ');
    const { status, stdout } = await reenact([verb!, noun!, file, ...args], { cwd });
    expect(status, stdout).toBe(right);
  });

  it('a policy that policy init writes today refuses the other repository, and names the open one', async () => {
    const cwd = join(folder, '13-reusable-workflow');
    const policy = join(tempFolder(), 'policy.yaml');
    const init = ['policy', 'init', 'mine.json', '--trust-root', 'root.json', '--out', policy];
    expect(await reenact(init, { cwd })).toMatchObject({ status: 0 });
    const verify = (file: string, by: string): ReturnType<typeof reenact> =>
      reenact(['verify', 'evidence', file, '--artifact', 'art.txt', '--policy', by], { cwd });
    expect(await verify('mine.json', policy)).toMatchObject({ status: 0 });
    const other = await verify('other-repository.json', policy);
    expect(other).toMatchObject({ status: 2, stdout: expect.stringContaining('identity_build') });
    expect((await verify('other-repository.json', 'policy.json')).stdout).toMatch(
      /note .*any repository.*https:\/\/github.com\/mallory\/app/,
    );
  });
});
