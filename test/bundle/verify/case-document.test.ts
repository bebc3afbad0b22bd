/** Each field of the case document follows from what is inside: a lie in one is refused, whatever else is made anew to fit it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { fieldsOf } from '../../../src/base/schema-fields.ts';
import { caseShape } from '../../../src/bundle/format/format.ts';
import { reportOf, TEXTS_VERSION } from '../../../src/bundle/read/texts.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { type Inside, packAgain, rebuild, replace } from '../../support/attacker.ts';
import { makeCase } from '../../support/case.ts';
import { forge } from '../../support/forge.ts';
import { unpack } from '../../support/verify-text.ts';

type Document = Inside['document'];
type Item = Document['items'][number];

/** The item of a role. */
const of = ({ items }: Document, role: Item['role']): Item => items.find((one) => one.role === role)!;

/** Field, and a lie in it. */
const FOLLOWS: [string, (document: Document) => unknown][] = [
  ['bundle_version', (d) => Object.assign(d, { bundle_version: 2 })],
  ['state', (d) => (d.state = 'none')],
  ['items[].role', (d) => (of(d, 'state').role = 'content')],
  ['items[].sha256', (d) => (of(d, 'policy').sha256 = of(d, 'manifest').sha256)],
  ['items[].size', (d) => of(d, 'state').size++],
  ['withheld', (d) => (d.withheld = [{ role: 'content', commitment: `hmac-sha256:${'0'.repeat(64)}` }])],
  ['report_version', (d) => (d.report_version = TEXTS_VERSION + 1)],
  ['report_version', (d) => delete d.report_version],
];
/**
 * Names are for people: what a content is, its role and digest say. The record's digest is that of the very bytes that
 * are read. `image` asks for the layers that the image's manifest names, and this case's image has none. An older
 * report_version is no lie: the report is then said not to have been compared.
 */
const OTHERS = ['items[].name', 'record_sha256', 'image'];

/** A bundle whose case document says otherwise, its report and all its lists made anew. */
async function lying(lie: (document: Document) => unknown): Promise<string> {
  const made = await makeCase(['a', 'a']);
  const folder = await unpack(await forge(made));
  const change = (inside: Inside): void => {
    const { document, record, blobs } = inside;
    const report = of(document, 'report').sha256;
    lie(document);
    const manifest = JSON.parse(String(blobs.get(record.manifest_sha256!)));
    const text = reportOf({ document, record, manifest, subject: undefined });
    replace(inside, report, text);
    writeFileSync(join(folder, 'data/report.html'), text);
  };
  rebuild(folder, change, true);
  return packAgain(folder);
}

it('every field of the case document is in one class', () => {
  const covered = [...OTHERS, ...FOLLOWS.map(([path]) => path)];
  const missing = fieldsOf(caseShape.schema())
    .map(({ path }) => path)
    .filter((path) => path !== 'items' && !covered.some((one) => path === one || path.startsWith(`${one}[`)));
  expect(missing).toEqual([]);
});

it('a bundle that was made anew without a lie is accepted', async () => {
  expect((await verifyBundle(await lying(() => undefined))).problems).toEqual([]);
});

it.each(FOLLOWS)('%s that says otherwise is refused', async (_, lie) => {
  const path = await lying(lie);
  const refused = await verifyBundle(path).then(
    ({ accepted, problems }) => ({ accepted, problems }),
    (error: unknown) => ({ accepted: false, problems: [error] }),
  );
  expect(refused.accepted).toBe(false);
});
