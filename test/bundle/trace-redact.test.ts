/** Redactions of bundles of a trace: the file it was read from taken out, or all of the trace. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { digestOf, hexOf } from '../../src/base/digest.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { makeKey } from '../support/keys.ts';
import { bundleTrace, makeTraced, reproduced, type TracedCase } from '../support/traced.ts';
import { reenact, tempFolder } from '../support/world.ts';

let t: TracedCase;
let original: string;
beforeAll(async () => {
  t = await makeTraced(async () => ({ folder: tempFolder(), url: undefined }));
  await reproduced(t, 'second');
  original = await bundleTrace(t);
});

async function redacted(...patterns: string[]): Promise<string> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const drops = patterns.flatMap((one) => ['--drop', one]);
  const rest = ['--out', 'less.tar', '--reason', 'privacy', '--key', 'key.pem', '--secret', 'case.secret'];
  const done = await reenact(['bundle', 'redact', original, ...drops, ...rest], { cwd: folder });
  expect(done).toMatchObject({ status: 0 });
  return join(folder, 'less.tar');
}

it('without the dump, frames and evidence stay what they are', async () => {
  const path = await redacted('trace-source');
  const result = await verifyBundle(path);
  expect(result.problems).toEqual([]);
  expect(result.trace).toMatchObject({
    frames: 4,
    gates: [{ value: 0.75 }, { name: 'chain_of_custody', pass: true }, { name: 'reproduction', pass: true }],
  });
  expect(result.trace!.stated.join()).toContain('crash sites were withheld');
  const { document, record } = await openBundle(path);
  // Records of earlier replays have crash sites, as this one had.
  expect(document.withheld!.map(({ role }) => role).sort()).toEqual(['reproduction', 'trace-source']);
  expect(record.replays.some(({ crash }) => crash)).toBe(false);
  expect(readFileSync(path).includes(hexOf(digestOf('the dump itself')))).toBe(false);
});

it('without its trace, it is a bundle of the record', async () => {
  const path = await redacted('trace');
  const result = await verifyBundle(path);
  expect([result.problems, result.trace]).toEqual([[], null]);
  const { document } = await openBundle(path);
  expect(document.items.filter(({ role }) => /^(?:trace|join|symbols|reproduction)/.test(role))).toEqual([]);
  expect(document.withheld!.map(({ role }) => role)).toContain('symbols');
  const bytes = readFileSync(path);
  for (const gone of [t.traceId, digestOf('the dump itself')])
    expect(bytes.includes(hexOf(gone))).toBe(false);
});

it('diff says what became of it', async () => {
  const { stdout } = await reenact(['bundle', 'diff', original, await redacted('trace')]);
  expect(stdout).toContain('frames joined');
});
