/** Bundles to push and pull, one of them with everything attached, and a patience fit for tests. */
import { createCipheriv } from 'node:crypto';
import { join } from 'node:path';

import { PATIENCE } from '../../src/base/patience.ts';
import { attachEvent, attachTimestamp } from '../../src/bundle/custody/attached.ts';
import { signEvent } from '../../src/bundle/custody/event.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import type { Transfer } from '../../src/bundle/registry/remote.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { attachToBundle, createBundle } from '../../src/bundle/write/create.ts';
import { parsePrivateKey, type SigningKey } from '../../src/evidence/documents/sign.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeAuthority } from './authority.ts';
import { makeCase } from './case.ts';
import { makeKey } from './keys.ts';
import { tempFolder } from './world.ts';

/** Bytes that compress badly and are the same in each run: what is pushed to a registry that stays is kept there once. */
function noise(sizeBytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** A bundle with one blob of so many bytes, and small ones. */
export async function plainCase(largeBytes: number = 3 << 20): Promise<string> {
  const made = await makeCase(['a', 'a'], { '/work/large': noise(largeBytes) });
  const path = join(tempFolder(), 'case.tar');
  await createBundle(path, await collect(made.record, new BlobStore(made.out), made.out, 'full'), {
    state: 'full',
  });
  return path;
}

/** A key of which events are signed. */
export function eventKey(): SigningKey {
  return parsePrivateKey(Buffer.from(makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' })), 'key');
}

/** A bundle with two events and two timestamps, attached one after the other. */
export async function attachedCase(): Promise<string> {
  const path = await plainCase();
  const key = eventKey();
  const authority = makeAuthority();
  for (let count = 0; count < 2; count++) {
    const opened = await openBundle(path);
    const { root, rootText, attested } = opened;
    const claim = { action: 'received' as const, actor: 'Ada', reason: '', time: null };
    const event = signEvent(root, attested.events.at(-1), claim, key);
    await attachToBundle(path, opened, [attachEvent(rootText, event.envelope, event.key)], path);
    const stamp = attachTimestamp(rootText, authority.stamp(event.envelope));
    await attachToBundle(path, await openBundle(path), [stamp], path);
  }
  return path;
}

/** Tries often and waits little. */
export function transfer(more: Partial<Transfer> = {}): Transfer {
  return {
    signal: new AbortController().signal,
    retries: { tries: 4, pauseMs: 5 },
    limits: { ...PATIENCE, tryQuietMs: 400 },
    ...more,
  };
}
