/** Reads a container's changes from its overlay folders: fast, complete, and only where the runner sees them. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Digest, digestOf } from '../base/digest.ts';
import { exec } from '../base/exec.ts';
import { Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { itemAt, present } from '../base/list.ts';
import { isKeyOf } from '../base/table.ts';
import type { OverlayFolders } from '../sandbox/engine.ts';
import type { BlobStore } from '../store/blobs.ts';
import {
  type Changes,
  type PathChange,
  type PathType,
  pathField,
  type RawPath,
  utf8,
} from './final-state.ts';

const FIELDS = 10;
/** The scanner's exit status where overlayfs keeps its marks in an unsupported way. */
const MARKS_STATUS = 3;
const KINDS = { A: 'added', C: 'changed', D: 'deleted' } as const;
/** The type bits of st_mode, as inode(7) lists them. */
const TYPES: ReadonlyMap<number, PathType> = new Map([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'char'],
  [0o060000, 'block'],
]);
/** Files up to this size are read in one call, which is several times faster than streaming them. */
const SMALL_BYTES = 1 << 20;

interface Scanned {
  raw: RawPath;
  change: PathChange;
  /** 0: the only name of its inode. */
  inode: string;
}

function parseXattrs(text: string): Record<string, string> | undefined {
  if (text === '') return undefined;
  const pairs = text
    .slice(0, -1)
    .split(',')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  return Object.fromEntries(
    pairs.map(([name, value]) => [Buffer.from(name, 'hex').toString('latin1'), value]),
  );
}

function deviceText(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

function parseFields(f: string[]): Scanned {
  const [kind, modeText = '', uid, gid, size, rdev = '', inode = ''] = f;
  const [raw, target, xattrs] = [itemAt(f, 7), itemAt(f, 8), itemAt(f, 9)];
  if (!isKeyOf(KINDS, kind)) throw new Fault('capture_incomplete', `a path has the unknown mark ${kind}`);
  const change: PathChange = { ...pathField(raw), change: KINDS[kind] };
  if (kind === 'D') return { raw, change, inode: '0' };
  const mode = Number.parseInt(modeText, 8);
  const type = TYPES.get(mode & 0o170000);
  if (!type) throw new Fault('capture_incomplete', `a path has the unknown type ${modeText}`);
  change.type = type;
  change.mode = (mode & 0o7777).toString(8).padStart(4, '0');
  change.uid = Number(uid);
  change.gid = Number(gid);
  if (type === 'file') change.size = Number(size);
  if (type === 'symlink') {
    const text = utf8(target);
    if (text === undefined) change.target_hex = Buffer.from(target, 'latin1').toString('hex');
    else change.target = text;
  }
  if (type === 'char' || type === 'block') change.device = deviceText(BigInt(rdev));
  const attributes = parseXattrs(xattrs);
  if (attributes) change.xattrs = attributes;
  return { raw, change, inode };
}

/** Runs the scanner and parses its NUL-ended fields; anything short of a complete list is a Fault. */
async function scan(scanner: string, overlay: OverlayFolders): Promise<Scanned[]> {
  const args = [String(LIMITS.statePaths), overlay.upper, ...overlay.lower];
  const { exitCode, stdout, stderr } = await exec(scanner, args, {
    timeoutMs: 600_000,
    outputBytes: 1 << 30,
  });
  if (exitCode === 2) throw new StateTooLarge(`more than ${LIMITS.statePaths} paths changed`);
  if (exitCode === MARKS_STATUS)
    throw new Fault(
      'capture_incomplete',
      stderr.trim(),
      undefined,
      'use an engine that stores containers by the kernel’s own overlayfs: overlay2 of Docker, or overlay of Podman as root, without fuse-overlayfs, redirect_dir and metacopy',
    );
  if (exitCode !== 0)
    throw new Fault('capture_incomplete', stderr.trim() || `the scanner ended with ${exitCode}`);
  const fields = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength)
    .toString('latin1')
    .split('\0');
  if (fields.pop() !== '' || fields.pop() !== 'E' || fields.length % FIELDS !== 0)
    throw new Fault('capture_incomplete', 'the scanner’s list is not whole');
  const found: Scanned[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) found.push(parseFields(fields.slice(at, at + FIELDS)));
  return found;
}

/** More was written than may be captured: the program's doing, not ours. */
export class StateTooLarge extends Error {}

async function hashFile(path: Buffer, sizeBytes: number, store: BlobStore): Promise<Digest> {
  if (sizeBytes > SMALL_BYTES) return (await store.putFile(path)).sha256;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile())
      throw new Fault('capture_incomplete', 'a file became something else while it was read');
    const bytes = Buffer.allocUnsafe(sizeBytes);
    for (let at = 0; at < sizeBytes; ) {
      const read = readSync(fd, bytes, at, sizeBytes - at, at);
      if (read === 0) throw new Fault('capture_incomplete', 'a file shrank while it was read');
      at += read;
    }
    const digest = digestOf(bytes);
    if (!store.has(digest)) await store.put(bytes);
    return digest;
  } finally {
    closeSync(fd);
  }
}

/** Every change that the overlay folders show, contents hashed and kept; `wanted` may leave paths out. */
export async function readOverlay(
  scanner: string,
  overlay: OverlayFolders,
  store: BlobStore,
  wanted: (raw: RawPath) => boolean,
): Promise<Changes> {
  const found = (await scan(scanner, overlay)).filter((one) => wanted(one.raw));
  let total = 0;
  for (const { change } of found) total += change.size ?? 0;
  if (total > LIMITS.stateBytes)
    throw new StateTooLarge(`${total} bytes were written, over the limit of ${LIMITS.stateBytes}`);
  const root = Buffer.from(`${overlay.upper}/`);
  const changes: Changes = new Map();
  const firstOfInode = new Map<string, PathChange>();
  // The scanner lists each folder in byte order, but folder by folder; links need the order of whole paths.
  found.sort((a, b) => (a.raw < b.raw ? -1 : a.raw > b.raw ? 1 : 0));
  for (const { raw, change, inode } of found) {
    const first = inode === '0' ? undefined : firstOfInode.get(inode);
    if (first) {
      change.hard_link_of = first.path ?? `hex:${first.path_hex}`;
      if (first.sha256) change.sha256 = first.sha256;
    } else if (change.type === 'file')
      change.sha256 = await hashFile(
        Buffer.concat([root, Buffer.from(raw, 'latin1')]),
        present(change.size),
        store,
      );
    if (inode !== '0' && !first) firstOfInode.set(inode, change);
    changes.set(raw, change);
  }
  return changes;
}
