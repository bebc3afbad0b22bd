/** Honest bundles of records that evidence ended: for each code that a run can record, the record's bundle is accepted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { digestOf } from '../../src/base/digest.ts';
import { FAULTS, type FaultCode } from '../../src/base/fault.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { REFUSALS, type RefusalCode } from '../../src/evidence/common/refusal.ts';
import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { type LoadedManifest, loadManifests } from '../../src/manifest/load.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { statement } from '../support/keys.ts';
import { ROWS } from '../support/refusals.ts';
import { bundleOf, failingEngine, PLAIN, type RefusedRun, recordRefused } from '../support/refused.ts';
import { byKey, keyless, signed, text } from '../support/refused-by.ts';
import { IDENTITY } from '../support/sigstore.ts';
import { reenact, tempFolder } from '../support/world.ts';

/** A manifest that a run comes to before another. */
async function manifestOf(o: RefusedRun): Promise<LoadedManifest[]> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.dsse.json'), o.evidence!);
  const manifest = { ...PLAIN, dsse_envelope: `dsse:${digestOf(o.evidence!)}` };
  writeFileSync(join(folder, 'a.json'), text(manifest));
  return await loadManifests([join(folder, 'a.json')]);
}

/** What no run can record: of fetching from a log, of a policy that ends the command, and of bugs. */
const NEVER: RefusalCode[] = ['log_stale', 'log_split_view', 'trust_key_malformed', 'internal'];

describe('the bundle of a record that evidence ended', () => {
  it.each(ROWS)('%s: %s', async (code, _name, make) => {
    const { record, out } = await recordRefused(await make());
    expect([record.verdict, record.reason]).toEqual(['rejected', code]);
    const result = await verifyBundle(await bundleOf(record, out));
    expect(result).toMatchObject({
      accepted: true,
      problems: [],
      verdict: 'rejected',
      evidence: 'rejected',
      signers: [],
    });
  });

  it('is tried for every code that a run can record', () => {
    const tried = new Set([...ROWS.map(([code]) => code), ...NEVER]);
    expect([...tried].sort()).toEqual(Object.keys(REFUSALS).sort());
  });

  it('is accepted with exit status 0: its verdict is what it says, not what becomes of the command', async () => {
    const { record, out } = await recordRefused(await byKey({ evidence: null }));
    const done = await reenact(['bundle', 'verify', await bundleOf(record, out)]);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toContain('signed       NOT: the evidence was rejected');
  });

  it('says of one manifest’s evidence nothing that another’s has asked for', async () => {
    const first = await keyless({ subject: `${IDENTITY.subject}x` });
    const second = await recordRefused({ ...first, evidence: null, first: await manifestOf(first) });
    expect(second.record.evidence.record).toMatchObject({ code: 'evidence_missing', trust_root: null });
    expect((await verifyBundle(await bundleOf(second.record, second.out))).problems).toEqual([]);
  });

  it.each<[string, (evidence: EvidenceRecord) => void]>([
    ['a code that does not follow', (evidence) => (evidence.code = 'log_missing')],
    ['another fault of its envelope', (evidence) => (evidence.envelopes[0]!.code = 'signature_missing')],
    ['the evidence as verified', (evidence) => (evidence.verdict = 'verified')],
  ])('is refused with %s', async (_name, change) => {
    const { record, out } = await recordRefused(await byKey({ evidence: signed(statement()) }));
    change(record.evidence.record!);
    const bytes = canonicalJson(record.evidence.record);
    record.evidence.record_sha256 = await new BlobStore(out).put(bytes);
    const { problems } = await verifyBundle(await bundleOf(record, out));
    expect(problems.map(({ code }) => code)).toContain('evidence_differs');
  });

  it('of a fault before the first replay is accepted, whatever the fault', async () => {
    const policy = await loadPolicy('default');
    const config = JSON.stringify({
      rootfs: { diff_ids: [digestOf('')] },
      os: 'linux',
      architecture: 'amd64',
    });
    const descriptor = { digest: digestOf(config), size: config.length };
    const image = JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [] });
    const imageCache = tempFolder();
    for (const bytes of [config, image]) await new BlobStore(imageCache).put(bytes);
    const manifest = { sandbox_image_sha256: digestOf(image), dsse_envelope: undefined } as never;
    for (const [code, { exit }] of Object.entries(FAULTS).filter(([name]) => name !== 'interrupted')) {
      const engine = failingEngine(code as FaultCode);
      const run = { manifest, evidence: null, policy, engine, options: { imageCache } };
      const { record, out } = await recordRefused(run);
      expect(record).toMatchObject({ verdict: exit === 2 ? 'rejected' : 'inconclusive', reason: code });
      const { problems } = await verifyBundle(await bundleOf(record, out));
      expect([code, problems]).toEqual([code, []]);
    }
  });
});
