/** VERIFY.txt's commands: they hold for honest bundles in every shell, and no change passes them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { digestOf, hexOf } from '../../../src/base/digest.ts';
import { ROLES } from '../../../src/bundle/format/format.ts';
import { TEXTS_VERSION } from '../../../src/bundle/read/texts.ts';
import { verifyInstructions } from '../../../src/report/verify-txt.ts';
import type { ReplayRecord } from '../../../src/verdict/record.ts';
import { filesOf, rebuild, relist } from '../../support/attacker.ts';
import { crashAt, inModule } from '../../support/crash-sites.ts';
import { copyOf, edit, flipped, honestFolder, packOf, recordOf } from '../../support/honest.ts';
import { commandsOf, failedCommands, runVerifyText } from '../../support/verify-text.ts';
import { tempFolder } from '../../support/world.ts';

let honest: string;

beforeAll(async () => {
  honest = await honestFolder();
});

describe('the commands', () => {
  it.each(['bash', 'dash'] as const)('end with 0 for an honest bundle in %s', (shell) => {
    expect(failedCommands(honest, shell)).toEqual([]);
    expect(runVerifyText(honest, shell)).toContain('2 exported by "Ada <b>"');
  });

  it.each([
    ['in parts', ['a', 'b'], []],
    ['in parts that are exchanged', ['b', 'a'], ['"$d/inside"']],
  ])('look at a content %s', (_, parts, noticed) => {
    const folder = copyOf(honest);
    rebuild(
      folder,
      (inside) => {
        const sha256 = digestOf('ab');
        inside.document.items.push({ role: 'content', sha256, size: 2 });
        for (const [i, part] of parts.entries())
          packOf(inside, [[`${hexOf(sha256)}.000${i}`, part]], ROLES.part);
      },
      true,
    );
    const failed = failedCommands(folder, 'dash');
    expect(failed.map((command, i) => command.includes(noticed[i]!))).toEqual(noticed.map(() => true));
  });

  it('are the published ones, but for the identity', () => {
    const published = readFileSync(new URL('../../../docs/VERIFY.txt', import.meta.url), 'utf8');
    expect(published).toBe(verifyInstructions(null, TEXTS_VERSION));
    const own = readFileSync(join(honest, 'data/VERIFY.txt'), 'utf8').split('\n');
    const other = published.split('\n').filter((line, i) => line !== own[i]);
    expect(other).toEqual([expect.stringMatching(/^\$ id=/)]);
  });

  it.each([
    ['blobs/sha256', 1],
    ['index.json', 1],
    ['id', 2],
  ])('name the step that failed, by a change of %s', (what, step) => {
    const folder = copyOf(honest);
    const name = filesOf(honest).find((one) => one.startsWith(what));
    if (name) edit(folder, name, flipped(40));
    else
      edit(folder, 'data/VERIFY.txt', (text) =>
        String(text).replace(/^\$ id=.*$/m, `$ id=${'0'.repeat(64)}`),
      );
    if (!name) relist(folder);
    // As VERIFY.txt says it is done.
    const [extract, run] = readFileSync(join(folder, 'data/VERIFY.txt'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('    s'));
    const script = join(tempFolder(), 'verify.sh');
    const lines = [extract, run].map((line) => line!.replace('/tmp/verify.sh', script)).join('\n');
    for (const shell of ['bash', 'dash']) {
      const { stdout } = spawnSync(shell, ['-c', lines], { cwd: folder, encoding: 'utf8' });
      expect(stdout).toContain(`FAILED: step ${step} of VERIFY.txt\n`);
      expect(stdout).not.toContain('done');
    }
    const { stdout } = spawnSync('sh', ['-c', lines], { cwd: honest, encoding: 'utf8' });
    expect(stdout).toMatch(/\ndone\n$/);
  });

  it.each(['bash', 'dash'] as const)('notice one bit in any file, in %s', (shell) => {
    for (const name of filesOf(honest)) {
      const folder = copyOf(honest);
      edit(folder, name, flipped(40));
      expect(() => runVerifyText(folder, shell), name).toThrow();
    }
  });

  it.each(['bash', 'dash'] as const)('notice it with the bag’s lists made anew, in %s', (shell) => {
    // The commands cannot vouch for the file that they are in; it says so.
    const lists = ['manifest-sha256.txt', 'tagmanifest-sha256.txt', 'data/VERIFY.txt'];
    for (const name of filesOf(honest).filter((one) => !lists.includes(one))) {
      const folder = copyOf(honest);
      edit(folder, name, flipped(50));
      const forged = readFileSync(join(folder, name));
      relist(folder);
      if (name === 'bag-info.txt') writeFileSync(join(folder, name), forged);
      if (name === 'bagit.txt') writeFileSync(join(folder, name), forged);
      expect(() => runVerifyText(folder, shell), name).toThrow();
    }
  });
});

const LIES: [string, (record: ReplayRecord) => unknown][] = [
  ['another time', (r) => (r.started_at = '2020-01-01T00:00:00.000Z')],
  ['another name', (r) => (r.name = 'innocent')],
  ['a degraded mechanism', (r) => r.degraded.push('no seccomp')],
  ['another crash', ({ replays }) => (replays[0]!.crash = crashAt([inModule('/bin/x', '0x40', 'f')]))],
  ['another verdict', (r) => (r.verdict = 'diverged')],
];

describe('a record that says otherwise, with every list made anew, is noticed:', () => {
  it.each(LIES)('%s, under the old name', (_, lie) => {
    const folder = copyOf(honest);
    const { name, record } = recordOf(folder);
    lie(record);
    writeFileSync(join(folder, name), canonicalJson(record));
    relist(folder);
    expect(() => runVerifyText(folder, 'bash')).toThrow();
    expect(() => runVerifyText(folder, 'dash')).toThrow();
  });

  it.each(LIES)('%s, with manifests and root too, by the identity that was told', (_, lie) => {
    const folder = copyOf(honest);
    rebuild(folder, ({ record }) => lie(record), false);
    expect(() => runVerifyText(folder, 'bash')).toThrow();
    expect(() => runVerifyText(folder, 'dash')).toThrow();
    // With its own identity told, the same commands have nothing against it but what it says of itself.
    expect(failedCommands(folder, 'dash', commandsOf(honest))[0]).toContain('$id');
  });
});
