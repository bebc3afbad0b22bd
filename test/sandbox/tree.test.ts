/** File trees as engines archive them: what the header has no room for stands in a record before it. */
import { Readable } from 'node:stream';
import tar from 'tar-stream';
import { expect, it } from 'vitest';

import { readTree } from '../../src/sandbox/tree.ts';

it('an owner that no header has room for is not taken for root', async () => {
  const pack = tar.pack();
  pack.entry({ name: 'own', uid: 0, gid: 0, pax: { uid: '3000000', gid: '4000000' } }, 'text');
  pack.entry({ name: 'plain', uid: 7, gid: 8 }, 'text');
  pack.finalize();
  const tree = await readTree(Readable.from(pack));
  expect(tree.get('own')).toMatchObject({ uid: 3_000_000, gid: 4_000_000 });
  expect(tree.get('plain')).toMatchObject({ uid: 7, gid: 8 });
});
