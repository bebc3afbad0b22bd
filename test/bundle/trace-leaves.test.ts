/** Every value of the joined frames changed in turn: refused, or on the list of values that cannot be checked. */
import { expect, it } from 'vitest';

import type { Problem } from '../../src/base/json.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { joinShape } from '../../src/join/document.ts';
import { bundleTrace, makeTraced, reproduced } from '../support/traced.ts';
import { tempFolder } from '../support/world.ts';

/** docs/bundle.md says of these that only the bundle's maker states them. */
const STATED = [
  /^\/policy\/name$/,
  /^\/reproduction\/(?:at|reason)$/,
  /^\/earlier\/\d+\/(?:at|reason)$/,
  /^\/(?:symbols|artifacts)\/\d+\/(?:name|format|kind|says\/.*)$/,
  /^\/artifacts\/\d+\/evidence\/\d+\/within\/\d+\/path$/,
  /^\/frames\/\d+\/(?:degraded|places\/\d+\/(?:function|file|line|column))$/,
  // Of a file that the trace names as loaded, others with the id make no difference; of none, they are unknown.
  /^\/frames\/[12]\/candidates$/,
  // What is not said is no lie.
  /^\/(?:symbols|artifacts)\/\d+\/evidence\/\d+\/build\/.* to null$/,
];

function* leaves(value: unknown, path = ''): Generator<string> {
  if (typeof value !== 'object' || value === null) yield path;
  else for (const [key, one] of Object.entries(value)) yield* leaves(one, `${path}/${key}`);
}

function othersOf(value: unknown): unknown[] {
  if (typeof value === 'number') return [value + 1];
  if (typeof value === 'boolean') return [!value];
  if (value === null) return ['x', 1, `sha256:${'0'.repeat(64)}`];
  const text = String(value);
  return [text.slice(0, -1) + (text.endsWith('0') ? '1' : '0'), null];
}

it('a value that is changed is refused', { timeout: 300_000 }, async () => {
  const t = await makeTraced(async () => ({ folder: tempFolder(), url: undefined }));
  await reproduced(t, 'second');
  const { shown } = (await openBundle(await bundleTrace(t))).traced!;
  const accepted: string[] = [];
  let tried = 0;
  for (const path of leaves(shown)) {
    const keys = path.slice(1).split('/');
    const last = keys.pop()!;
    const parentOf = (document: object): Record<string, unknown> =>
      keys.reduce((at, key) => (at as never)[key], document) as Record<string, unknown>;
    for (const other of othersOf(parentOf(shown)[last])) {
      const copy = structuredClone(shown);
      parentOf(copy)[last] = other;
      const misshapen: Problem[] = [];
      joinShape.check(copy, '$', misshapen);
      if (misshapen.length > 0) continue;
      tried++;
      const changed = await bundleTrace(t, (join) => {
        parentOf(join)[last] = other;
      });
      const name = other === null ? `${path} to null` : path;
      const { problems } = await verifyBundle(changed);
      if (problems.length === 0 && !STATED.some((one) => one.test(name) || one.test(path)))
        accepted.push(name);
    }
  }
  expect(accepted).toEqual([]);
  expect(tried).toBeGreaterThan(150);
});
