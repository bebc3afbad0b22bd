/** Sizes that were made to keep a reader busy or to mislead it: refused by what a header says, before the bytes are read. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import {
  blobName,
  type Descriptor,
  type Item,
  PART_BYTES,
  ROLES,
  type Role,
} from '../../src/bundle/format/format.ts';
import { paddingBytes, TAR_END, tarHeader } from '../../src/bundle/format/tar.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { frontOf, layerOf, member } from '../support/members.ts';
import { tempFolder } from '../support/world.ts';

const LARGE = digestOf('a large content');
const OTHER: Item[] = [{ role: 'content', sha256: digestOf('another'), size: 7 }];

function caseOf(items: Item[]): string {
  const record_sha256 = digestOf('r');
  return canonicalJson({ bundle_version: 1, image: false, items, record_sha256, state: 'full' });
}

/** A bundle that begins well and goes on with `bytes`, and then with a hole of so many more. */
async function refusal(items: Item[], layers: Descriptor[], bytes: Buffer, hole = 0): Promise<string> {
  const document = caseOf(items);
  const first = layerOf('case', document);
  const path = join(tempFolder(), 'x.tar');
  const begin = Buffer.concat([frontOf([first, ...layers]), member(blobName(first.digest), document), bytes]);
  const fd = openSync(path, 'w');
  writeSync(fd, begin);
  ftruncateSync(fd, begin.length + hole);
  closeSync(fd);
  const began = performance.now();
  const { accepted, problems } = await verifyBundle(path);
  expect(accepted).toBe(false);
  // Reading the holes would take far longer.
  if (hole > 2e9) expect(performance.now() - began).toBeLessThan(hole / 1e6);
  return problems.map(({ code, message }) => `${code}: ${message}`).join('; ');
}

const item = (size: number): Item => ({ role: 'content', sha256: LARGE, size });

function descriptor(role: Role, size: number, digest: Digest = digestOf('archive')): Descriptor {
  return { mediaType: ROLES[role], digest, size };
}

describe('a large content', () => {
  it('that stands as one blob is refused by its size', async () => {
    const size = 7_000_000_000;
    const header = tarHeader({ name: blobName(LARGE), sizeBytes: size });
    const found = await refusal([item(size)], [descriptor('content', size, LARGE)], header, size);
    expect(found).toContain('member_unexpected');
    expect(found).toContain('must stand in parts');
  });

  it.each<[string, boolean]>([
    ['listed', true],
    ['in no list', false],
  ])('in a pack, %s, is refused by its size', async (_, listed) => {
    const size = 7_000_000_000;
    const pack = descriptor('pack', size + 512 + paddingBytes(size) + TAR_END.length);
    const headers = Buffer.concat([
      tarHeader({ name: blobName(pack.digest), sizeBytes: pack.size }),
      tarHeader({ name: hexOf(LARGE), sizeBytes: size }),
    ]);
    const found = await refusal(listed ? [item(size)] : OTHER, [pack], headers, size);
    expect(found).toContain('member_unexpected');
    expect(found).toContain(listed ? 'must stand in parts' : 'is in no list');
  });

  it('of 7 GB that no list names is refused as a blob too', async () => {
    const size = 7_000_000_000;
    const header = tarHeader({ name: blobName(LARGE), sizeBytes: size });
    expect(await refusal(OTHER, [descriptor('content', size, LARGE)], header, size)).toContain(
      'is in no list',
    );
  });
});

describe('parts', () => {
  const hex = hexOf(LARGE);
  /** Layers that each are an archive of these members. */
  const partsOf = (...parts: [name: string, content: string][]): [Descriptor[], Buffer] => {
    const archives = parts.map(([name, content]) => Buffer.concat([member(name, content), TAR_END]));
    const layers = archives.map((bytes) => descriptor('part', bytes.length, digestOf(bytes)));
    const members = archives.map((bytes, i) => member(blobName(layers[i]!.digest), bytes));
    return [layers, Buffer.concat(members)];
  };
  it.each<[string, string, [string, string][], Item[]]>([
    ['empty', 'is of 0 bytes', [[`${hex}.0000`, '']], [item(1)]],
    ['begun with the second', 'does not follow the one before it', [[`${hex}.0001`, 'x']], [item(1)]],
    [
      'short before another',
      'does not follow the one before it',
      [
        [`${hex}.0000`, 'x'],
        [`${hex}.0001`, 'x'],
      ],
      [item(2)],
    ],
    ['of another content', 'the parts of', [[`${hex}.0000`, 'x']], [item(1)]],
    [
      'of a small content',
      'stands in parts',
      [[`${hexOf(digestOf('x'))}.0000`, 'x']],
      [{ role: 'content', sha256: digestOf('x'), size: 1 }],
    ],
    ['of no listed content', 'is in no list', [[`${hex}.0000`, 'x']], OTHER],
    ['with another name', 'a part has the name', [['x', 'x']], [item(1)]],
  ])('%s are refused', async (_, message, parts, items) => {
    const found = await refusal(items, ...partsOf(...parts));
    expect(found).toMatch(/member_unexpected|blob_digest/);
    expect(found).toContain(message);
  });

  it('larger than a part may be are refused by their size', async () => {
    const size = 3 * PART_BYTES;
    const archive = descriptor('part', size + 512 + TAR_END.length);
    const headers = Buffer.concat([
      tarHeader({ name: blobName(archive.digest), sizeBytes: archive.size }),
      tarHeader({ name: `${hex}.0000`, sizeBytes: size }),
    ]);
    expect(await refusal([item(size)], [archive], headers, size)).toContain(`is of ${size} bytes`);
  });
});
