/** run --dry-run beside run: whatever a run refuses before it replays, the dry run refuses with the same reason and status. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/base/digest.ts';
import { printPlan } from '../../src/cli/actions/dry-run.ts';
import { exitStatus } from '../../src/cli/actions/run.ts';
import { openReenact } from '../../src/library/open.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { manifestSubject } from '../../src/manifest/subject.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { envelope, makeKey } from '../support/keys.ts';
import { ROWS } from '../support/refusals.ts';
import { about, PLAIN, type RefusedRun, recordRefused } from '../support/refused.ts';
import { trustOf } from '../support/verify.ts';
import { reenact, tempFolder } from '../support/world.ts';

const key = makeKey();

/** What the dry run prints and ends with, of the manifest that a run was given before. */
async function dry(folder: string, o: RefusedRun): Promise<{ text: string; status: number }> {
  const written: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
  try {
    const { policy, options } = o;
    const reenact = openReenact({ store: join(folder, 'elsewhere') });
    const planned = await reenact.dryRun(join(folder, 'm.json'), {
      policy,
      requireEvidence: options?.requireEvidence,
    });
    return { status: exitStatus(printPlan(planned, undefined)), text: written.join('') };
  } finally {
    process.stdout.write = write;
  }
}

describe('a dry run', () => {
  it.each(ROWS)('%s: %s', async (code, _name, make) => {
    const run = await make();
    const { record, out } = await recordRefused(run);
    const { text, status } = await dry(join(out, '..'), run);
    expect(status).toBe(exitStatus([record]));
    expect(text).toContain(`rejected         ${code}: `);
    expect(existsSync(join(out, '../elsewhere'))).toBe(false);
  });

  const input = { path: 'in.txt', source: 'in.txt', sha256: digestOf('input') };
  it.each<[string, number, string, () => Promise<Partial<RefusedRun>>]>([
    [
      'no evidence is checked',
      2,
      'evidence_not_checked',
      async () => ({ options: { requireEvidence: true } }),
    ],
    ['an input is not there', 2, 'input_mismatch', async () => ({ manifest: { inputs: [input] } })],
    [
      'an input was changed',
      2,
      'input_mismatch',
      async () => ({ manifest: { inputs: [input] }, beside: { 'in.txt': 'x' } }),
    ],
    [
      'the manifest is for another system',
      3,
      'unsupported_platform',
      async () => ({ manifest: { os: 'macos' } }),
    ],
  ])('%s ends with %i: %s', async (_name, status, reason, make) => {
    const run = { policy: await loadPolicy('default'), evidence: null, ...(await make()) };
    run.manifest = { dsse_envelope: undefined, ...run.manifest } as never;
    const { record, out } = await recordRefused(run);
    expect([record.reason, exitStatus([record])]).toEqual([reason, status]);
    const done = await dry(join(out, '..'), run);
    expect([done.status, done.text]).toEqual([status, expect.stringContaining(`${reason}: `)]);
    expect(done.text).toMatch(/\n {2}evidence {9}(checked: |NOT checked: the policy names no authority)/);
  });

  it('passes what is signed, writes nothing, and names both digests by what they are', async () => {
    const folder = tempFolder();
    const { policy } = await trustOf([key]);
    const evidence = JSON.stringify(envelope([key], about(PLAIN)));
    writeFileSync(join(folder, 'm.dsse.json'), evidence);
    writeFileSync(
      join(folder, 'm.json'),
      JSON.stringify({ ...PLAIN, dsse_envelope: `dsse:${digestOf(evidence)}` }),
    );
    const { text, status } = await dry(folder, { policy });
    const [{ sha256, manifest }] = (await loadManifests([join(folder, 'm.json')])) as [never];
    expect(status).toBe(0);
    expect(text).toContain(
      `manifest digest  ${sha256}\n  manifest subject ${manifestSubject(manifest)}, which evidence names`,
    );
    expect(text).toContain(`\n  evidence         checked: verified, signed by `);
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });

  it('fails where a gate of the policy cannot pass', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'm.json'), JSON.stringify(PLAIN));
    const { text, status } = await dry(folder, { policy: await loadPolicy('forensic') });
    expect([status, text]).toEqual([
      1,
      expect.stringContaining('gate fails       forensic: no expected state'),
    ]);
  });

  it('calls the signed digest by the same name as sign does', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'm.json'), JSON.stringify(PLAIN));
    writeFileSync(join(folder, 'k.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const signed = await reenact(['sign', 'm.json', '--key', 'k.pem'], { cwd: folder });
    expect(signed.stdout).toContain(`manifest subject ${manifestSubject(PLAIN)}, sandbox image `);
    const planned = await reenact(['run', 'm.json', '--dry-run'], {
      cwd: folder,
      env: { DOCKER_HOST: 'unix:///none' },
    });
    expect(planned).toMatchObject({ status: 0, stderr: '' });
    expect(planned.stdout).toContain(`manifest subject ${manifestSubject(PLAIN)}`);
    const { payload } = JSON.parse(readFileSync(join(folder, 'm.dsse.json'), 'utf8')) as { payload: string };
    expect(JSON.parse(Buffer.from(payload, 'base64').toString()).subject[0].name).toBe('manifest');
  });
});
