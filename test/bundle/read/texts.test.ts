/** The texts inside a bundle across releases: one that another release made is named, never called a lie. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { payloadOf } from '../../../src/bundle/format/bag.ts';
import { type CaseDocument, rootManifest } from '../../../src/bundle/format/format.ts';
import { TAR_END } from '../../../src/bundle/format/tar.ts';
import { attachedFiles, bagOf, frontFiles } from '../../../src/bundle/read/layout.ts';
import { openBundle } from '../../../src/bundle/read/open.ts';
import { reportOf, TEXTS_VERSION, textNames, textsOf } from '../../../src/bundle/read/texts.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { collect } from '../../../src/bundle/write/collect.ts';
import { attachToBundle, createBundle } from '../../../src/bundle/write/create.ts';
import { writeBundleFile } from '../../../src/bundle/write/output.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import type { ReplayRecord } from '../../../src/verdict/record.ts';
import { packAgain, rebuild } from '../../support/attacker.ts';
import { makeCase } from '../../support/case.ts';
import { runVerifyText, unpack } from '../../support/verify-text.ts';
import { reenact, tempFolder } from '../../support/world.ts';

const d = digestOf('a');
const record: ReplayRecord = {
  record_version: 1,
  nonce: d,
  name: 'fixed',
  manifest_path: 'm.json',
  manifest_sha256: d,
  manifest_subject_sha256: d,
  sandbox_image_sha256: d,
  verdict: 'reproduced',
  reason: 'self_consistent',
  message: '',
  flaky: false,
  requested: 1,
  replay_success_ratio: 1,
  final_state_sha256: d,
  expected_state_sha256: null,
  gates: [{ name: 'replay_ratio', threshold: 0.95, value: 1, pass: true }],
  replays: [
    {
      index: 1,
      seed: 1,
      outcome: 'match',
      ended: 'exit',
      final_state_sha256: d,
      exit_code: 0,
      signal: null,
      duration_ms: 1,
      attempts: 1,
    },
  ],
  policy: { name: 'default', sha256: d },
  evidence: { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null },
  image: null,
  claims: [],
  degraded: [],
  uncaptured: [],
  divergence: { kind: 'stdout', expected: 'a', actual: 'b', replay: 1 },
  environment: null,
  shard: null,
  started_at: '2026-11-21T00:00:00.000Z',
  duration_ms: 10,
};

it('whoever changes a text raises TEXTS_VERSION, or older bundles would be called lies', () => {
  const layers = [{ mediaType: 'application/vnd.reenact.case.v1+json', digest: d, size: 1 }];
  const key = { fingerprint: d, algorithm: 'ed25519' as const };
  const event = { sequence: 1, action: 'redacted', actor: 'A', reason: 'r', time: null, sha256: d, key };
  const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: d, size: 1 };
  const document: CaseDocument = {
    bundle_version: 1,
    record_sha256: d,
    state: 'full',
    image: false,
    items: [{ role: 'record', sha256: d, size: 1, name: 'fixed' }],
    withheld: [{ role: 'content', name: 'stdout', commitment: `hmac-${d}` }],
  };
  const report = reportOf({ document, record, manifest: undefined, subject: d });
  const attested = {
    events: [{ ...event, previous: null, keySha256: d, signed: true } as never],
    stamps: [{ sha256: d, of: d, time: '2026-11-21T00:00:00.000Z', authority: 'T' } as never],
  };
  const texts = textsOf(rootManifest(layers, subject), attested, report);
  expect([TEXTS_VERSION, digestOf(JSON.stringify(texts))]).toEqual([
    3,
    'sha256:1a7acec1eaa77ad865e5652798ccc787a62078c677dc066e55af1479c850dcc5',
  ]);
});

async function problemsOf(folder: string): Promise<string[]> {
  return (await verifyBundle(packAgain(folder))).problems.map(({ message }) => message);
}

/** The bundle at `from` with these words as its texts, said to be of that version. */
async function withTexts(from: string, words: string, version: number, keepsReport = true): Promise<string> {
  const opened = await openBundle(from);
  const layout = { root: opened.rootText, layers: opened.layers, attachments: opened.attachments };
  const path = join(tempFolder(), 'other.tar');
  await writeBundleFile(path, async (out) => {
    for (const [name, text] of frontFiles(layout)) out.file(name, text);
    const fd = openSync(from, 'r');
    out.copy(fd, opened.blobs.from, opened.blobs.to);
    closeSync(fd);
    for (const [name, bytes] of attachedFiles(layout)) out.file(name, bytes);
    const texts = textNames(version).map((name): [string, string] => [
      name,
      name === 'data/report.html' && keepsReport ? opened.report : words,
    ]);
    const payload = texts.map(([name, text]) => payloadOf(name, text));
    for (const [name, text] of bagOf(layout, payload, version)) out.file(name, text);
    for (const [name, text] of texts) out.file(name, text);
    out.write(TAR_END);
  });
  return path;
}

it('texts of another release are not compared, and verify says so; of this one, they are', async () => {
  const made = await makeCase(['a']);
  const path = join(tempFolder(), 'case.tar');
  await createBundle(path, await collect(made.record, new BlobStore(made.out), made.out, 'full'), {
    state: 'full',
  });
  expect(await verifyBundle(path)).toMatchObject({ accepted: true, texts_compared: true });
  const other = await withTexts(path, 'what another release says', TEXTS_VERSION + 1);
  const newer = await verifyBundle(other);
  expect([newer.texts_compared, newer.problems.map(({ message }) => message)]).toEqual([
    null,
    ['a newer release made the texts: verify with that'],
  ]);
  expect((await reenact(['bundle', 'verify', other])).stdout).toContain('texts        NOT compared');
  expect((await verifyBundle(await withTexts(path, 'all is well', 0))).accepted).toBe(false);
  const lying = await verifyBundle(await withTexts(path, 'all is well', TEXTS_VERSION));
  expect(lying.problems.map(({ code }) => code)).toEqual(['text_differs', 'text_differs']);
  // The page is the report that the root names, whichever release made the texts around it.
  const page = await verifyBundle(await withTexts(path, 'all is well', TEXTS_VERSION + 1, false));
  expect(page.problems.map(({ message }) => message)).toContain(
    'data/report.html is not what is made of the contents',
  );
  // A command that attaches something makes the texts again.
  const again = join(tempFolder(), 'again.tar');
  await attachToBundle(other, await openBundle(other), [], again);
  expect(await verifyBundle(again)).toMatchObject({ accepted: true, texts_compared: true });
});

it('a bundle of an older release, whose root names no report, is verified and can be added to', async () => {
  const path = join(tempFolder(), 'old.tar');
  const packed = readFileSync(new URL('../../../fixtures/bundles/texts-1.tar.gz', import.meta.url));
  writeFileSync(path, gunzipSync(packed));
  expect(await verifyBundle(path)).toMatchObject({ problems: [], accepted: true, texts_compared: null });
  const again = join(tempFolder(), 'again.tar');
  await attachToBundle(path, await openBundle(path), [], again);
  expect(await verifyBundle(again)).toMatchObject({ problems: [], accepted: true, texts_compared: true });
  expect(runVerifyText(unpack(again), 'dash')).toContain('NOT CHECKED: data/report.html');
});

it('a report of another making than the root says, or of a newer release, is refused', async () => {
  const made = await makeCase(['a']);
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  const path = join(tempFolder(), 'case.tar');
  await createBundle(path, collected, { state: 'full' });
  const folder = unpack(path);
  rebuild(folder, (inside) => (inside.document.report_version = TEXTS_VERSION + 1), true);
  expect(await problemsOf(folder)).toEqual(['a newer release made the report: verify with that']);
  rebuild(folder, ({ document }) => delete document.report_version, true);
  expect(await problemsOf(folder)).toEqual([expect.stringContaining('lists a report without its version')]);
});
