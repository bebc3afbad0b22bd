/** Databases that are silent, or held by a process that hangs: a person hears of it, it ends, and nothing half-done is kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { openDatabase } from '../../src/store/sql/open.ts';
import { FAST, silent, slowServer } from '../support/slow.ts';
import { describeServer, SNAPSHOT, serverPlace } from '../support/stores.ts';
import { tempFolder } from '../support/world.ts';

function waiting() {
  const told: string[] = [];
  return { told, limits: FAST, tell: (text: string): void => void told.push(text) };
}

it('a server that accepts and says nothing', async () => {
  const host = await slowServer(silent);
  const o = waiting();
  const began = performance.now();
  const opening = openDatabase(tempFolder(), `postgresql://ada:secret@${host}/cases`, '', 'make', o);
  await expect(opening).rejects.toMatchObject({
    code: 'store_failed',
    message: `the database postgresql://${host}/cases failed: it has been silent for 0.5 s`,
    next: expect.stringContaining('see whether the server is up'),
  });
  expect(o.told[0]).toContain(
    `still waiting for the database at postgresql://${host}/cases, which is to let us in`,
  );
  expect(performance.now() - began).toBeLessThan(1_500);
});

it('an embedded database that a process which hangs has open: it is named', { timeout: 60_000 }, async () => {
  const folder = tempFolder();
  const script = `
    const { openDatabase } = await import(${JSON.stringify(join(process.cwd(), 'src/store/sql/open.ts'))});
    await openDatabase(${JSON.stringify(folder)}, undefined, ${JSON.stringify(SNAPSHOT)});
    console.log('open');
    setTimeout(() => {}, 60_000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    holder.kill('SIGSTOP');
    const o = waiting();
    const began = performance.now();
    await expect(openDatabase(folder, undefined, SNAPSHOT, 'make', o)).rejects.toMatchObject({
      code: 'store_busy',
      message: expect.stringContaining(`in use by process ${holder.pid} for 0.55 s`),
      next: expect.stringContaining(`end it if it hangs`),
    });
    expect(o.told[0]).toContain(`which is to be closed by process ${holder.pid}`);
    expect(performance.now() - began).toBeLessThan(2_000);
  } finally {
    holder.kill('SIGKILL');
  }
});

describeServer('a server whose process for us', () => {
  it('hangs in mid-transaction: it ends, and nothing of it is kept', async () => {
    const place = await serverPlace();
    const o = waiting();
    const database = await openDatabase(place.folder, place.url, '', 'make', o);
    const [backend] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { pid } = backend!;
    const began = performance.now();
    try {
      const work = database.transaction(async (queries) => {
        await queries.query("INSERT INTO image (id) VALUES ('elf:aa')");
        process.kill(pid, 'SIGSTOP');
        await queries.query("INSERT INTO image (id) VALUES ('elf:bb')");
      });
      await expect(work).rejects.toMatchObject({
        code: 'store_failed',
        message: expect.stringMatching(/^the database postgresql:.* failed: it has been silent for 0.5 s$/),
      });
      await database.close();
      expect(o.told[0]).toContain('which is to answer a statement');
      expect(performance.now() - began).toBeLessThan(1_500);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const again = await openDatabase(place.folder, place.url, '');
    expect(await again.query('SELECT id FROM image')).toEqual([]);
    await again.close();
  });

  it('is only slow is waited for', async () => {
    const place = await serverPlace();
    const limits = { ...FAST, quietMs: 3_000 };
    const o = { ...waiting(), limits };
    const database = await openDatabase(place.folder, place.url, '', 'make', o);
    await database.query('SELECT pg_sleep(1)');
    await database.close();
    expect(o.told[0]).toContain('still waiting for the database');
  });
});
