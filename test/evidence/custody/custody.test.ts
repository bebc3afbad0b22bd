/** The chain of custody: appended by many at once, and broken by any change. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import { CustodyLog, verifyCustody } from '../../../src/evidence/custody/custody.ts';
import { Trust } from '../../../src/evidence/trust/trust.ts';
import { refusedRecord } from '../../../src/evidence/verify/verify.ts';
import { loadPolicy } from '../../../src/policy/policy.ts';
import { tempFolder } from '../../support/world.ts';

async function chain(count: number, writers = 1): Promise<string> {
  const folder = join(tempFolder(), 'custody');
  const trust = new Trust(await loadPolicy('default'));
  const logs = Array.from({ length: writers }, () => new CustodyLog(folder));
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      logs[i % writers]!.append(
        refusedRecord(new Refusal('evidence_missing', `${i}`), trust, 0),
        digestOf(`${i}`),
      ),
    ),
  );
  return folder;
}

const nameOf = (sequence: number): string => `${String(sequence).padStart(10, '0')}.json`;

describe('custody', () => {
  it('chains what several writers append at once, and leaves nothing else', async () => {
    const folder = await chain(40, 4);
    expect(await verifyCustody(folder)).toEqual({ entries: 40, problem: null });
    expect(readdirSync(folder).length).toBe(40);
  });

  it('goes on where an earlier process ended', async () => {
    const folder = await chain(3);
    const trust = new Trust(await loadPolicy('default'));
    const record = refusedRecord(new Refusal('internal', ''), trust, 0);
    expect(await new CustodyLog(folder).append(record, digestOf('x'))).toMatchObject({ sequence: 4 });
    expect((await verifyCustody(folder)).problem).toBeNull();
  });

  it.each([
    [
      'a changed entry',
      (folder: string) => {
        const path = join(folder, nameOf(2));
        writeFileSync(path, readFileSync(path, 'utf8').replace('rejected', 'verified'));
      },
    ],
    ['a missing entry', (folder: string) => rmSync(join(folder, nameOf(2)))],
    ['a missing beginning', (folder: string) => rmSync(join(folder, nameOf(1)))],
    [
      'an entry put in another’s place',
      (folder: string) => writeFileSync(join(folder, nameOf(2)), readFileSync(join(folder, nameOf(3)))),
    ],
    ['an entry that is no JSON', (folder: string) => writeFileSync(join(folder, nameOf(3)), '{')],
  ])('notices %s', async (_name, harm) => {
    const folder = await chain(4);
    harm(folder);
    expect((await verifyCustody(folder)).problem).not.toBeNull();
  });
});
