/** Names of temporary files and folders: each names the process that made it, and those of dead processes are removed at the next start. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { isDead, type Owner, thisOwner } from './owner.ts';

/** Of the machine’s boot id: enough to tell two boots, and file names stay short. */
const BOOT_CHARACTERS = 8;
const OWNED = '([0-9a-f]{16})[.]([0-9a-f]{0,8})[.]([0-9]{1,10})[.]([0-9]{0,20})';
const ASIDE = new RegExp(`^[.].+[.]${OWNED}[.](?:[0-9a-f]{12}|[0-9A-Za-z]{6})$`);
const FOLDER = new RegExp(`^reenact-[a-z]+-${OWNED}-[0-9A-Za-z]{6}$`);

let here: Owner | undefined;

function thisProcess(): Owner {
  here ??= thisOwner();
  return { ...here, boot: here.boot.slice(0, BOOT_CHARACTERS) };
}

function tag(): string {
  const { machine, boot, pid, startTicks } = thisProcess();
  return [machine, boot, pid, startTicks].join('.');
}

/** Removes each match that certainly belongs to a dead process of this machine; a file that cannot be removed is left. */
function sweepNames(folder: string, pattern: RegExp): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const [, ...owner] = pattern.exec(name) ?? [];
    if (owner.length === 0 || !isDead(owner.join('/'), thisProcess())) continue;
    try {
      const path = join(folder, name);
      // In a folder that all may write, the name alone proves nothing: only this user's own is removed.
      if (lstatSync(path).uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process swept it meanwhile, or it may not be removed.
    }
  }
}

/** Removes what killed processes left beside files in this folder. */
export function sweepAsides(folder: string): void {
  sweepNames(folder, ASIDE);
}

/** A name beside `path`, for a file that is later renamed to it. */
export function asideOf(path: string): string {
  return `${folderPrefixOf(path)}${randomBytes(6).toString('hex')}`;
}

/** The beginning of the name of a folder beside `path`, for mkdtemp. */
export function folderPrefixOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${tag()}.`);
}

/** A new folder among the machine's temporary ones, for one purpose in one word; folders of dead processes are removed first. */
export function temporaryFolder(purpose: string): string {
  sweepNames(tmpdir(), FOLDER);
  return mkdtempSync(join(tmpdir(), `reenact-${purpose}-${tag()}-`));
}
