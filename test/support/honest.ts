/** A bundle with two events and timestamps of root and event, unpacked, and what is done to copies of it. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { digestOf } from '../../src/base/digest.ts';
import { attachTimestamp } from '../../src/bundle/custody/attached.ts';
import { ROLES } from '../../src/bundle/format/format.ts';
import { TAR_END } from '../../src/bundle/format/tar.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { filesOf, type Inside } from './attacker.ts';
import { chain, plainBundle, withAttached } from './attested.ts';
import { makeAuthority } from './authority.ts';
import { member } from './members.ts';
import { unpack } from './verify-text.ts';
import { tempFolder } from './world.ts';

export async function honestFolder(): Promise<string> {
  const { path: plain, signing } = await plainBundle();
  const authority = makeAuthority();
  const attached = await withAttached(plain, (o) => {
    const events = chain(o, [signing, signing]);
    const stamps = [o.rootText, events[1]!.contents[0]!].map((thing) => authority.stamp(thing));
    return [...events, ...stamps.map((reply) => attachTimestamp(o.rootText, reply))];
  });
  return unpack(attached);
}

export function copyOf(honest: string): string {
  const folder = join(tempFolder(), 'b');
  cpSync(honest, folder, { recursive: true });
  return folder;
}

export function edit(folder: string, name: string, change: (bytes: Buffer) => Buffer | string): void {
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
}

/** Changes one bit of this byte, or of the last. */
export const flipped =
  (at: number) =>
  (bytes: Buffer): Buffer => {
    bytes[Math.min(at, bytes.length - 1)]! ^= 1;
    return bytes;
  };

export function recordOf(folder: string): { name: string; record: ReplayRecord } {
  for (const name of filesOf(folder).filter((one) => one.startsWith('blobs/'))) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (text.includes('"record_version":1')) return { name, record: JSON.parse(text) as ReplayRecord };
  }
  throw new Error('there is no record');
}

/** One more archive of these members. */
export function packOf(
  inside: Inside,
  members: [string, string | Buffer][],
  mediaType: string = ROLES.pack,
): void {
  const bytes = Buffer.concat([...members.map(([name, content]) => member(name, content)), TAR_END]);
  inside.blobs.set(digestOf(bytes), bytes);
  inside.layers.push({ mediaType, digest: digestOf(bytes), size: bytes.length });
}
