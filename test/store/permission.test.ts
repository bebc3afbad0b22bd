/** Stores of other users, read-only and half-owned ones, as a user who is not root: named by path and right, or read from a copy. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openDatabase } from '../../src/store/sql/open.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const SNAPSHOT = join(process.cwd(), 'store/empty-pglite.tar.gz');
let made: string;
let places: string;

/** Opens the store as another user, and says what came of it. */
async function openAs(uid: number, folder: string, work: 'make' | 'read'): Promise<Record<string, unknown>> {
  const script = `
    const { openDatabase } = await import(${JSON.stringify(join(process.cwd(), 'src/store/sql/open.ts'))});
    process.setgroups([]); process.setgid(${uid}); process.setuid(${uid});
    process.env.TMPDIR = ${JSON.stringify(join(places, 'tmp'))};
    const found = await openDatabase(${JSON.stringify(folder)}, undefined, ${JSON.stringify(SNAPSHOT)}, '${work}')
      .then(async (database) => {
        const rows = await database.query('SELECT count(*)::int AS n FROM trace');
        const during = (await import('node:fs')).readdirSync(process.env.TMPDIR);
        await database.close();
        return { rows, during };
      }, ({ code, message, next }) => ({ code, message, next }));
    process.stdout.write(JSON.stringify(found));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function storeCopy(name: string): string {
  const folder = join(places, name);
  cpSync(made, folder, { recursive: true });
  return folder;
}
const chmodAll = (folder: string, mode: string): Buffer => execFileSync('chmod', ['-R', mode, folder]);

describe.skipIf(!isRoot)('a store, for a user who is not root (this test must begin as root)', () => {
  beforeAll(async () => {
    places = mkdtempSync(join(tmpdir(), 'reenact-rights-'));
    chmodSync(places, 0o755);
    execFileSync('mkdir', ['-m', '1777', join(places, 'tmp')]);
    made = join(places, 'made');
    await (await openDatabase(made, undefined, SNAPSHOT)).close();
  });
  afterAll(() => rmSync(places, { recursive: true, force: true }));

  it('that others may read, and not write, is read from a copy that is removed', async () => {
    const store = storeCopy('readable');
    chmodAll(store, 'a+rX');
    const before = readdirSync(join(store, 'sql'));
    const found = await openAs(NOBODY, store, 'read');
    expect(found).toMatchObject({ rows: [{ n: 0 }], during: [expect.stringMatching(/^reenact-store-/)] });
    expect(readdirSync(join(places, 'tmp'))).toEqual([]);
    expect(readdirSync(join(store, 'sql'))).toEqual(before);
  });

  it('that others may only read cannot be written: path, mode, owner and what to do are said', async () => {
    const store = storeCopy('kept');
    chmodAll(store, 'u=rwX,go=rX');
    expect(await openAs(NOBODY, store, 'make')).toMatchObject({
      code: 'store_failed',
      message: `the store ${store}: user ${NOBODY} may not write ${store}/sql (mode 0755, of user 0)`,
      next: expect.stringMatching(/^run this as user 0, .*--store/),
    });
  });

  it.each(['read', 'make'] as const)('of another user is named (%s)', async (work) => {
    const store = storeCopy(`private-${work}`);
    chmodAll(store, 'u=rwX,go=');
    expect(await openAs(NOBODY, store, work)).toMatchObject({
      code: 'store_failed',
      message: expect.stringMatching(/may not read .*private-\w+ \(mode 0700, of user 0\)$/),
      next: expect.stringContaining('chmod -R a+rX'),
    });
    expect(existsSync(join(store, 'sql/data/PG_VERSION'))).toBe(true);
  });

  it('half-owned names the one file in the way', async () => {
    const store = storeCopy('half');
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, store]);
    chownSync(join(store, 'sql/data/PG_VERSION'), 0, 0);
    chmodSync(join(store, 'sql/data/PG_VERSION'), 0o600);
    for (const work of ['read', 'make'] as const)
      expect(await openAs(NOBODY, store, work)).toMatchObject({
        code: 'store_failed',
        message: expect.stringContaining(`may not read ${store}/sql/data/PG_VERSION (mode 0600, of user 0)`),
      });
  });

  it('of one’s own without the right to write is read, too', async () => {
    const store = storeCopy('own');
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, store]);
    chmodAll(store, 'u=rX,go=');
    expect(await openAs(NOBODY, store, 'read')).toMatchObject({ rows: [{ n: 0 }] });
    expect(await openAs(NOBODY, store, 'make')).toMatchObject({
      next: expect.stringMatching(/^give yourself the right: chmod -R u\+rwX/),
    });
  });
});
