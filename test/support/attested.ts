/** Bundles with events and timestamps attached, and what tests of them share. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Digest } from '../../src/base/digest.ts';
import { type Attachment, attachEvent } from '../../src/bundle/custody/attached.ts';
import { type EventClaim, signEvent } from '../../src/bundle/custody/event.ts';
import { type Opened, openBundle } from '../../src/bundle/read/open.ts';
import type { BundleVerification } from '../../src/bundle/verify/verify.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { attachToBundle, createBundle } from '../../src/bundle/write/create.ts';
import { parsePrivateKey, type SigningKey } from '../../src/evidence/documents/sign.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeCase, type TestCase } from './case.ts';
import { makeKey, type TestKey } from './keys.ts';
import { tempFolder } from './world.ts';

export const claim: EventClaim = { action: 'exported', actor: 'Ada <b>', reason: 'for court', time: null };

export function pemOf({ privateKey }: TestKey): Buffer {
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** A case, its bundle with nothing attached, and a key to sign with. */
export interface Plain {
  made: TestCase;
  path: string;
  key: TestKey;
  signing: SigningKey;
  keyFile: string;
}

export async function plainBundle(): Promise<Plain> {
  const made = await makeCase(['a', 'a']);
  const key = makeKey();
  const keyFile = join(tempFolder(), 'key.pem');
  writeFileSync(keyFile, pemOf(key));
  const path = join(tempFolder(), 'plain.tar');
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(path, collected, { state: 'full' });
  return { made, path, key, signing: parsePrivateKey(pemOf(key), 'key'), keyFile };
}

/** A copy of a bundle with these attached. */
export async function withAttached(plain: string, attach: (opened: Opened) => Attachment[]): Promise<string> {
  const path = join(tempFolder(), 'attached.tar');
  const opened = await openBundle(plain);
  await attachToBundle(plain, opened, attach(opened), path);
  return path;
}

/** Events in a chain, signed with these keys. */
export function chain(opened: Opened, keys: SigningKey[]): Attachment[] {
  let last: { sequence: number; sha256: Digest } | undefined;
  return keys.map((one) => {
    const event = signEvent(opened.root, last, claim, one);
    last = { sequence: (last?.sequence ?? 0) + 1, sha256: event.sha256 };
    return attachEvent(opened.rootText, event.envelope, event.key);
  });
}

export const codes = (v: BundleVerification): string[] => v.problems.map(({ code }) => code);
