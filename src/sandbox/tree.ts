/** Reads a file tree from an engine's tar stream: metadata and content digest of every path. */
import type { Readable } from 'node:stream';
import tar from 'tar-stream';

import { type Digest, startDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';

export interface TreeEntry {
  type: 'file' | 'dir' | 'symlink' | 'fifo' | 'char' | 'block';
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  sha256?: Digest;
  target?: string;
  device?: string;
  /** First path of the archive that is the same inode. */
  link?: string;
  /** No header names this folder, only its content: engines make it anew, or leave the one that was there. */
  implied?: true;
  /** Hex of the file capabilities, which engines put in the archive. */
  capability?: string | undefined;
}

/** Path without leading slash -> entry. */
export type Tree = Map<string, TreeEntry>;

const TYPES: Record<string, TreeEntry['type']> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'dir',
  symlink: 'symlink',
  fifo: 'fifo',
  'character-device': 'char',
  'block-device': 'block',
  link: 'file',
};

function cleanName(name: string): string {
  return name.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}

function describe(header: tar.Header): TreeEntry {
  const type = TYPES[header.type ?? 'file'];
  if (!type) throw new Fault('engine_failed', `the engine's archive holds a ${header.type} entry`);
  const pax = (header.pax ?? {}) as Record<string, string | undefined>;
  const capability = pax['SCHILY.xattr.security.capability'];
  return {
    type,
    mode: (header.mode ?? 0) & 0o7777,
    // tar-stream takes an owner above 2,097,151, which has no room in the header, for root.
    uid: Number(pax.uid ?? header.uid ?? 0),
    gid: Number(pax.gid ?? header.gid ?? 0),
    sizeBytes: type === 'file' ? (header.size ?? 0) : 0,
    ...(type === 'symlink' ? { target: header.linkname ?? '' } : {}),
    ...(type === 'char' || type === 'block'
      ? { device: `${header.devmajor ?? 0}:${header.devminor ?? 0}` }
      : {}),
    ...(header.type === 'link' ? { link: cleanName(header.linkname ?? '') } : {}),
    ...(capability ? { capability: Buffer.from(capability, 'latin1').toString('hex') } : {}),
  };
}

/** A hard link is its target's inode, of any type. Engines apply the link's own header to it: the owner, which removes capabilities, the mode and the capabilities. */
export function asLinkTo(target: TreeEntry, header: TreeEntry): TreeEntry {
  const { mode, uid, gid, capability } = header;
  return { ...target, mode, uid, gid, capability };
}

/** What to do with each file's bytes beside hashing them, when the content is to be kept. */
export type OnFile = (
  path: string,
  entry: TreeEntry,
) => { write(bytes: Uint8Array): Promise<unknown>; end(sha256: Digest): Promise<void> } | undefined;

/** Calls `each` for every path in the archive, files hashed; memory does not grow with file size. */
export async function readTar(
  stream: Readable,
  each: (path: string, entry: TreeEntry) => void,
  onFile?: OnFile,
): Promise<void> {
  const extract = tar.extract();
  stream.on('error', (error) => extract.destroy(error));
  stream.pipe(extract);
  try {
    for await (const part of extract) {
      const path = cleanName(part.header.name);
      const entry = describe(part.header);
      if (entry.type === 'file' && entry.link === undefined) {
        const digest = startDigest();
        const sink = onFile?.(path, entry);
        for await (const bytes of part) {
          digest.update(bytes as Uint8Array);
          if (sink) await sink.write(bytes as Uint8Array);
        }
        entry.sha256 = digest.end();
        await sink?.end(entry.sha256);
      } else part.resume();
      if (path !== '') each(path, entry);
    }
  } finally {
    stream.destroy();
  }
}

/** The whole archive as a tree. */
export async function readTree(stream: Readable, onFile?: OnFile): Promise<Tree> {
  const tree: Tree = new Map();
  await readTar(stream, (path, entry) => void tree.set(path, entry), onFile);
  return tree;
}
