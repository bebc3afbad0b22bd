/** The one door for files that a user names as an output: a device is written to, never replaced by a file. */
import { closeSync, constants, openSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { asFault, Fault } from './fault.ts';
import { writeWhole } from './files.ts';
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
    if (fd && ['dev', 'proc/self', 'proc/thread-self', `proc/${process.pid}`].includes(owner!))
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
 * @throws Fault out_failed, also by `write`
 */
export function openOutput(path: string): Output {
  try {
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
 * Writes a whole text in the same way: a file has all of it, or its earlier content.
 * @throws Fault out_failed, with the path as it was given
 */
export async function writeOutput(path: string, text: string): Promise<void> {
  try {
    const target = targetOf(path);
    if (target.kind === 'file') {
      sweepAsides(dirname(target.path));
      return await writeWhole(target.path, text);
    }
  } catch (error) {
    throw outFailed(path, error);
  }
  const output = openOutput(path);
  output.write(text);
  output.close();
}
