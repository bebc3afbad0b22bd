/** The one door for files that a user names as an output: a device is written to, and no file replaced unless that is asked for. */

import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asFault, Fault } from './fault.ts';
import { placeNew, writeAside } from './files.ts';
import { present } from './list.ts';
import { sweepAsides } from './temporary.ts';
import { errnoOf } from './thrown.ts';

/** As many links in a row as the kernel follows. */
const MAX_LINKS = 40;

/** Where bytes go: to an open descriptor of this process, through an existing device, or into a file that appears only when it is complete. */
type Target = { kind: 'descriptor'; fd: number } | { kind: 'through' | 'file'; path: string };

/** The target of a link, or null where there is none. */
function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Follows links by hand: a rename would replace a link, and /dev/stdout leads to a descriptor, which has no name. */
function targetOf(path: string): Target {
  if (path === '-') return { kind: 'descriptor', fd: 1 };
  let at = resolve(path);
  for (let links = 0; ; links++) {
    const [, owner, fd] = /^\/(dev|proc\/[a-z0-9-]+)\/fd\/(\d+)$/.exec(at) ?? [];
    if (fd && ['dev', 'proc/self', 'proc/thread-self', `proc/${process.pid}`].includes(present(owner)))
      return { kind: 'descriptor', fd: Number(fd) };
    if (fd) return { kind: 'through', path: at };
    const to = linkAt(at);
    if (to === null) break;
    if (links >= MAX_LINKS) throw new Fault('out_failed', `cannot write ${path}: its links lead in a circle`);
    at = resolve(dirname(at), to);
  }
  const there = statSync(at, { throwIfNoEntry: false });
  if (there?.isDirectory())
    throw new Fault('out_failed', `cannot write ${path}: it is a folder; name a file, such as ${at}/out`);
  return { kind: there && !there.isFile() ? 'through' : 'file', path: at };
}

/** Whether an output becomes a file; any other output (`-`, a device) may be read by a program, so nothing else may be written to it. */
export function becomesFile(path: string): boolean {
  return targetOf(path).kind === 'file';
}

/**
 * Which file that is there already an output takes the place of: none; any, where `force` was asked for; or an earlier
 * report of its kind, which begins as the pattern says. An empty file is always replaced: nothing is lost with it.
 */
export type Replaces = 'nothing' | 'any' | RegExp;

/** So much of a file tells whether it is an earlier report. */
const BEGINNING_BYTES = 4096;

function beginningOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, BEGINNING_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whether a file with this content would be lost. */
function keeps(path: string, replaces: Replaces): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || replaces === 'any') return false;
  return replaces === 'nothing' || !replaces.test(beginningOf(path));
}

function outputExists(path: string, replaces: Replaces): Fault {
  return replaces === 'nothing'
    ? new Fault(
        'output_exists',
        `${path} is there already; nothing was written`,
        undefined,
        'name another file; --force replaces that one',
      )
    : new Fault(
        'output_exists',
        `${path} is there already, and is no earlier report of this kind; nothing was written`,
        undefined,
        'name another file, or move that one',
      );
}

/**
 * Refuses an output before the work for it begins.
 * @throws Fault output_exists where a file would be lost, out_failed where nothing can be written
 */
export function checkOutput(path: string, replaces: Replaces): void {
  try {
    const target = targetOf(path);
    if (target.kind === 'file' && keeps(target.path, replaces)) throw outputExists(path, replaces);
  } catch (error) {
    throw outFailed(path, error);
  }
}

/**
 * Refuses a path where anything is, for what never takes the place of something else: bundles, and whole folders.
 * @throws Fault output_exists
 */
export function wantFree(path: string, happened = 'nothing was written', next?: string): void {
  if (lstatSync(resolve(path), { throwIfNoEntry: false }))
    throw new Fault('output_exists', `${path} is there already; ${happened}`, undefined, next);
}

/** Opens a device or FIFO; waiting for a FIFO's reader could last for ever, and no signal would end it. */
function openThrough(path: string): number {
  let probe: number;
  try {
    probe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== 'ENXIO') throw error;
    throw new Fault('out_failed', `cannot write ${path}: nothing reads from it; start its reader first`);
  }
  try {
    return openSync(path, constants.O_WRONLY);
  } finally {
    closeSync(probe);
  }
}

/** Node may have made its own stdout and stderr nonblocking, which a plain write does not expect. */
function writeAll(fd: number, text: string): void {
  const own = fd === 1 ? process.stdout : fd === 2 ? process.stderr : null;
  if (own) {
    own.write(text);
    return;
  }
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

function outFailed(path: string, error: unknown): Fault {
  return asFault('out_failed', `cannot write ${path}`, error);
}

/** An open output; its `write` passes every piece on at once. */
export interface Output {
  write(text: string): void;
  close(): void;
}

/**
 * Opens what an option names for text that comes in pieces: stdout (`-`), a device, FIFO or descriptor (`/dev/stdout`,
 * `>(…)`), else the file at the end of all links, which begins empty.
 * @throws Fault output_exists; out_failed, also by `write`
 */
export function openOutput(path: string, replaces: Replaces): Output {
  try {
    checkOutput(path, replaces);
    const target = targetOf(path);
    const fd =
      target.kind === 'descriptor'
        ? target.fd
        : target.kind === 'file'
          ? openSync(target.path, 'w')
          : openThrough(target.path);
    return {
      write(text) {
        try {
          writeAll(fd, text);
        } catch (error) {
          throw outFailed(path, error);
        }
      },
      close() {
        if (target.kind !== 'descriptor') closeSync(fd);
      },
    };
  } catch (error) {
    throw outFailed(path, error);
  }
}

/**
 * Writes a whole text in the same way: a file has all of it, or its earlier content. One that has this very text stays.
 * @throws Fault output_exists or out_failed, with the path as it was given
 */
export async function writeOutput(path: string, text: string, replaces: Replaces): Promise<void> {
  try {
    const target = targetOf(path);
    if (target.kind === 'file') {
      sweepAsides(dirname(target.path));
      const there = statSync(target.path, { throwIfNoEntry: false });
      if (there?.size === Buffer.byteLength(text) && readFileSync(target.path, 'utf8') === text) return;
      checkOutput(path, replaces);
      const fresh = replaces === 'nothing' && !there;
      return await writeAside(
        target.path,
        (file) => file.writeFile(text),
        true,
        fresh ? placeNew : undefined,
      );
    }
  } catch (error) {
    throw outFailed(path, error);
  }
  const output = openOutput(path, replaces);
  output.write(text);
  output.close();
}
