/** The final state: how a program ended, what it said, and every path it changed against the image. */
import type { Digest } from '../base/digest.ts';

export type PathType = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

/** One changed path. Not in it, on purpose: times and inode numbers. */
export interface PathChange {
  /** Absolute; a name that is not UTF-8 stands as path_hex instead, the hex of its bytes. */
  path?: string;
  path_hex?: string;
  change: 'added' | 'changed' | 'deleted';
  type?: PathType;
  /** Four octal digits. */
  mode?: string;
  uid?: number;
  gid?: number;
  /** Bytes, of files; null where a redaction withholds them with the content. */
  size?: number | null;
  sha256?: Digest;
  /** Of symbolic links; hex when it is not UTF-8. */
  target?: string;
  target_hex?: string;
  /** "major:minor", of device files. */
  device?: string;
  /** The first path, in byte order, that is the same inode. */
  hard_link_of?: string;
  /** Extended attributes, name to hex of value. */
  xattrs?: Record<string, string>;
}

/** What a program wrote to a stream; the size is null where a redaction withholds it with the content. */
export interface Printed {
  sha256: Digest;
  size: number | null;
}

export interface FinalState {
  exit_code: number | null;
  signal: string | null;
  stdout: Printed;
  stderr: Printed;
  files: PathChange[];
}

/** A name's bytes, one character each, so that names that are not UTF-8 keep their identity and byte order. */
export type RawPath = string;

/** Changes by raw path, without leading slash. */
export type Changes = Map<RawPath, PathChange>;

/** The bytes as UTF-8 text, or undefined when they are not. */
export function utf8(raw: RawPath): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(raw, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The field that holds a path. */
export function pathField(raw: RawPath): Pick<PathChange, 'path' | 'path_hex'> {
  const text = utf8(raw);
  return text === undefined
    ? { path_hex: Buffer.from(`/${raw}`, 'latin1').toString('hex') }
    : { path: `/${text}` };
}

/** For people: the path as text, control characters escaped. */
export function showPath(change: Pick<PathChange, 'path' | 'path_hex'>): string {
  if (change.path === undefined) return `(hex) ${change.path_hex}`;
  return /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"\\]/.test(change.path)
    ? JSON.stringify(change.path)
    : change.path;
}

/** Files in byte order of their paths: the order part of the canonical form. */
export function sortedFiles(changes: Changes): PathChange[] {
  return [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, change]) => change);
}
