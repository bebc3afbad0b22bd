/** Unpacks a bundle into a folder that people can read: first beside it, then moved in one step, so that it is whole or absent. */
import {
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import type { Digest } from '../../base/digest.ts';
import { asFault, Fault } from '../../base/fault.ts';
import { didYouMean } from '../../base/nearest.ts';
import { folderPrefixOf, sweepAsides } from '../../base/temporary.ts';
import { safe } from '../../report/human.ts';
import { BlobStore } from '../../store/blobs.ts';
import { globFits } from '../format/glob.ts';
import { extractBundle } from './extract.ts';
import { type Placement, Placements } from './placements.ts';

const LINKS = 'links.txt';

export interface Unpacked {
  root: Digest;
  files: number;
  sizeBytes: number;
  /** Symbolic links that became lines of links.txt. */
  links: number;
  /** Names that became lines of names.txt. */
  renamed: number;
  /** Contents the state names and the bundle does not hold. */
  absent: number;
  /** False where there is a final state, but not to be looked into. */
  stateShown: boolean;
}

function holds(folder: string, path: string): boolean {
  if (!existsSync(path)) return false;
  return relative(realpathSync(folder), realpathSync(path)).split(sep)[0] !== '..';
}

/** An existing target is replaced only if the user asked for it, and if it is a folder that holds neither the bundle nor this process. */
function checkTarget(target: string, bundle: string, force: boolean): void {
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (!there) return;
  if (!force)
    throw new Fault(
      'output_exists',
      `${target} is there already; nothing was read`,
      undefined,
      'name another folder; --force replaces a folder with all that is in it',
    );
  if (!there.isDirectory())
    throw new Fault('out_failed', `${target} is no folder, so that --force does not replace it`);
  if (holds(target, bundle) || holds(target, '.'))
    throw new Fault(
      'out_failed',
      `${target} holds the bundle or the folder you are in, so that --force does not replace it`,
    );
}

/** What --only chooses; a pattern that chooses nothing is an error. */
class Choice {
  private readonly only: string[];
  private readonly idle: Set<string>;
  private readonly names = new Set<string>();

  constructor(only: string[]) {
    this.only = only;
    this.idle = new Set(only);
  }

  has(path: string): boolean {
    if (this.idle.size > 0) this.names.add(path).add(path.split('/')[0] ?? path);
    const fitting = this.only.filter((pattern) => globFits(pattern, path));
    for (const pattern of fitting) this.idle.delete(pattern);
    return this.only.length === 0 || fitting.length > 0;
  }

  end(): void {
    const [first = ''] = this.idle;
    if (this.idle.size > 0)
      throw new Fault(
        'usage',
        `nothing inside fits --only ${[...this.idle].join(' or ')}${didYouMean(first, [...this.names])}`,
      );
  }
}

/** Puts each content under its paths: copies under all but the last, because an edit of one must not change another, and the file itself under the last. */
function place(files: Placement[], store: BlobStore, folder: string): void {
  const paths = new Map<Digest, string[]>();
  for (const { sha256, path } of files) {
    const others = paths.get(sha256);
    if (others) others.push(path);
    else paths.set(sha256, [path]);
  }
  const made = new Set<string>();
  for (const [sha256, targets] of paths)
    for (const [index, path] of targets.entries()) {
      const target = join(folder, path);
      const parent = dirname(target);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      if (index === targets.length - 1) renameSync(store.path(sha256), target);
      else copyFileSync(store.path(sha256), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    }
}

/** A text file for people, who look at it in a terminal. */
function writeLines(path: string, lines: string[]): void {
  if (lines.length > 0) writeFileSync(path, `${lines.map(safe).join('\n')}\n`, { flag: 'wx', mode: 0o644 });
}

/** Puts the finished folder in its place; with `force` an existing one is moved aside, and back if that fails. */
export function settle(finished: string, target: string, aside: string, force: boolean): void {
  // Without `force`, a folder that appeared there in the meantime is kept.
  const replaces = force && existsSync(target);
  if (replaces) renameSync(target, aside);
  try {
    renameSync(finished, target);
  } catch (error) {
    if (replaces) renameSync(aside, target);
    throw error;
  }
}

/** Unpacks into the folder `stage`, where the finished folder is then called "done". */
async function unpackInto(stage: string, path: string, only: string[]): Promise<Unpacked> {
  const store = new BlobStore(join(stage, 'store'));
  const opened = await extractBundle(path, store);
  const placements = new Placements(
    opened,
    (sha256) => statSync(store.path(sha256), { throwIfNoEntry: false })?.size,
  );
  const choice = new Choice(only);
  const files = placements.files.filter((file) => choice.has(file.path));
  const links = placements.links.length > 0 && choice.has(LINKS) ? placements.links : [];
  const absent = placements.absent.filter((place) => choice.has(place));
  choice.end();
  const renamed = files.flatMap((file) => {
    const name = placements.renamed.get(file.path);
    return name === undefined ? [] : [`${file.path} -> ${JSON.stringify(name)}`];
  });
  const done = join(stage, 'done');
  mkdirSync(done);
  place(files, store, done);
  writeLines(join(done, LINKS), links);
  writeLines(join(done, 'names.txt'), renamed);
  return {
    root: opened.root,
    files: files.length,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    links: links.length,
    renamed: renamed.length,
    absent: absent.length,
    stateShown: placements.stateShown,
  };
}

/**
 * Unpacks the bundle at `path` into the folder `to`, or of it what fits a pattern in `only`. Throws Refused for a
 * bundle that is not whole, and a Fault where it cannot be written: then nothing is left.
 */
export async function unpackBundle(
  path: string,
  to: string,
  only: string[],
  force: boolean,
): Promise<Unpacked> {
  const target = resolve(to);
  checkTarget(target, path, force);
  let stage: string | undefined;
  try {
    // Only its owner may enter it, so that no other user can put a link in the way.
    sweepAsides(dirname(target));
    stage = mkdtempSync(folderPrefixOf(target));
    const unpacked = await unpackInto(stage, path, only);
    settle(join(stage, 'done'), target, join(stage, 'before'), force);
    return unpacked;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw asFault('out_failed', `cannot write ${target}`, error);
    throw error;
  } finally {
    if (stage !== undefined) rmSync(stage, { recursive: true, force: true });
  }
}
