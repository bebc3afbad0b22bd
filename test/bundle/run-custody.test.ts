/** A bundle's custody entries: of the folder's chain only the run's own, and older bundles with all of them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { digestOf } from '../../src/base/digest.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import type { CustodyEntry } from '../../src/evidence/custody/custody.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { add, forge } from '../support/forge.ts';

/** The case with its entry as the last of a chain, and the entries before it. */
async function chained(length: number): Promise<{ made: TestCase; before: string[] }> {
  const made = await makeCase(['a', 'a']);
  const folder = join(made.out, 'custody');
  const own = JSON.parse(readFileSync(join(folder, '0000000001.json'), 'utf8')) as CustodyEntry;
  const texts: string[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    const previous = texts.length === 0 ? null : digestOf(texts.at(-1)!);
    const entry =
      sequence === length ? own : { ...own, subjects: [`manifest sha256:${sequence}`], signers: [] };
    texts.push(`${canonicalJson({ ...entry, sequence, previous })}\n`);
    writeFileSync(join(folder, `${String(sequence).padStart(10, '0')}.json`), texts.at(-1)!);
  }
  const place = made.record.evidence.custody!;
  made.record.evidence.custody = { ...place, sequence: length, sha256: digestOf(texts.at(-1)!) };
  return { made, before: texts.slice(0, -1) };
}

it('of a folder with other cases, only the run’s own entry is inside', async () => {
  const { made } = await chained(4);
  const path = await forge(made);
  const { document, kept } = await openBundle(path);
  const entries = document.items.filter(({ role }) => role === 'custody');
  expect(entries).toMatchObject([{ name: '0000000004.json', sha256: made.record.evidence.custody!.sha256 }]);
  expect((await verifyBundle(path)).problems).toEqual([]);
  for (const bytes of kept.values()) expect(bytes.includes('"manifest sha256:1"')).toBe(false);
});

it('older bundles with all entries before it are accepted, and no other', async () => {
  const { made, before } = await chained(3);
  const withEntries = (texts: string[]): Promise<string> =>
    forge(made, (_record, collected) => {
      for (const [i, text] of texts.entries()) add(collected, 'custody', text, `000000000${i + 1}.json`);
    });
  expect((await verifyBundle(await withEntries(before))).problems).toEqual([]);
  const codes = async (texts: string[]): Promise<string[]> =>
    (await verifyBundle(await withEntries(texts))).problems.map(({ code }) => code);
  expect(await codes(before.toReversed())).toEqual(['custody_broken']);
  expect(await codes([before[0]!])).toEqual(['custody_broken']);
  expect(await codes([...before, before[0]!.replace('"sequence":1', '"sequence":4')])).toEqual([
    'custody_broken',
  ]);
});

it('an entry that the record does not name is custody_broken', async () => {
  const { made } = await chained(2);
  const lies = [{ sha256: digestOf('x') }, { sequence: 1 }, { sequence: 3 }];
  for (const lie of lies) {
    const path = await forge(made, (record) => Object.assign(record.evidence.custody!, lie));
    expect((await verifyBundle(path)).problems.map(({ code }) => code)).toContain('custody_broken');
  }
});

it('an entry that was changed, or is gone, makes no bundle', async () => {
  const { made } = await chained(2);
  const path = join(made.out, 'custody/0000000002.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('verified', 'rejected'));
  const collected = collect(made.record, new BlobStore(made.out), made.out, 'full');
  await expect(collected).rejects.toThrow(/0000000002.json is not the custody entry sha256:/);
  expect(existsSync(path)).toBe(true);
  expect(readdirSync(join(made.out, 'custody'))).toHaveLength(2);
});
