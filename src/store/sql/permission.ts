/** What the permissions on a store's folder allow: a folder that can only be read is read from a snapshot, and a path that allows neither is named. */

import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { temporaryFolder } from '../../base/temporary.ts';
import { errnoOf } from '../../base/thrown.ts';

type Right = 'read' | 'write';

/** Owner and mode of the path, or of the first folder above it that this user may look at. */
function rightsOf(path: string): { path: string; text: string; uid: number } {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { mode, uid } = lstatSync(at);
      return { path: at, text: `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}, of user ${uid}`, uid };
    } catch (error) {
      if (dirname(at) === at) throw error;
    }
  }
}

/** The first thing in the folder, itself included, that this user may not read, or write. */
function obstacleIn(folder: string, right: Right): string | undefined {
  const wanted = right === 'read' ? constants.R_OK : constants.R_OK | constants.W_OK;
  try {
    const isFolder = lstatSync(folder).isDirectory();
    accessSync(folder, isFolder ? wanted | constants.X_OK : wanted);
    if (!isFolder) return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return folder;
    if (code === 'ENOENT') return undefined;
    throw error;
  }
  for (const name of readdirSync(folder)) {
    const found = obstacleIn(join(folder, name), right);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The Fault for a store that this user may not read or write, by the path that stands in the way. */
function permissionFault(store: string, obstacle: string, right: Right): Fault {
  const { path, text, uid } = rightsOf(obstacle);
  const me = process.getuid?.() ?? -1;
  const owner = `run this as user ${uid}, who owns it`;
  const next =
    right === 'read'
      ? `${owner}; or let others read it: chmod -R a+rX ${store}`
      : `${owner}; or name a store of your own: --store (commands that only read, such as trace audit, read this one)`;
  return new Fault(
    'store_failed',
    `the store ${store}: user ${me} may not ${right} ${path} (${text})`,
    undefined,
    uid === me ? `give yourself the right: chmod -R u+rwX ${store}; or name another store: --store` : next,
  );
}

/** Whether there is a database; one that cannot be examined is a Fault, never taken for a missing one. */
export function isDatabaseIn(store: string): boolean {
  const data = join(store, 'sql', 'data');
  try {
    return statSync(data, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(errnoOf(error))) throw error;
    throw permissionFault(store, data, 'read');
  }
}

/** A copy that this user may write, made for one reading, and how to remove it. */
export interface Snapshot {
  folder: string;
  remove: () => Promise<void>;
}

async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (lstatSync(source).isDirectory()) {
      await copyInto(source, target);
      continue;
    }
    await copyFile(source, target);
    await chmod(target, 0o600);
  }
}

/** Throws where the store cannot be used; a snapshot where it can only be read, and that is enough; undefined where it is open to this user. */
export async function snapshotOf(folder: string, work: 'make' | 'read'): Promise<Snapshot | undefined> {
  const store = dirname(folder);
  const unread = obstacleIn(folder, 'read');
  if (unread !== undefined) throw permissionFault(store, unread, 'read');
  const unwritten = obstacleIn(folder, 'write');
  if (unwritten === undefined) return undefined;
  if (work === 'make') throw permissionFault(store, unwritten, 'write');
  const aside = temporaryFolder('store');
  const remove = (): Promise<void> => rm(aside, { recursive: true, force: true });
  try {
    await copyInto(join(folder, 'data'), join(aside, 'data'));
    return { folder: aside, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
