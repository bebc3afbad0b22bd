/** RFC 3161 timestamps of a bundle: an authority's statement that it, or an event of it, existed at that time. */
import type { KeyObject } from 'node:crypto';

import { type Digest, digestOf } from '../../base/digest.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Timestamp } from '../../evidence/trust/timestamp.ts';
import { Refused } from './refused.ts';

/** A timestamp as it stands in a bundle; whether its authority is trusted is not checked here. */
export interface Stamp {
  /** Of the reply's bytes. */
  sha256: Digest;
  reply: Buffer;
  /** The root, or the event's envelope, that was stamped; null: neither. */
  of: Digest | null;
  time: string;
  /** The authority as the reply names it. */
  authority: string;
}

/** Reads replies; `things` are what they may be about. The library is loaded only where there is a reply. */
export async function readStamps(replies: Buffer[], things: Map<Digest, Buffer>): Promise<Stamp[]> {
  if (replies.length === 0) return [];
  const { Timestamp } = await import('../../evidence/trust/timestamp.ts');
  return replies.map((reply) => {
    const sha256 = digestOf(reply);
    const attempt = <T>(code: 'timestamp_invalid' | 'timestamp_unreadable', step: () => T): T => {
      try {
        return step();
      } catch (error) {
        throw new Refused(code, `the timestamp ${sha256}: ${messageOf(error)}`, error);
      }
    };
    const read = (): { stamp: Timestamp; time: string; key: KeyObject; of: Digest | null } => {
      const stamp = new Timestamp(reply);
      const of = [...things].find(([, bytes]) => stamp.isOf(bytes))?.[0] ?? null;
      return { stamp, time: stamp.signingTime.toISOString(), key: stamp.ownKey, of };
    };
    const { stamp, time, key, of } = attempt('timestamp_unreadable', read);
    attempt('timestamp_invalid', () => stamp.checkSignature(key));
    return { sha256, reply, of, time, authority: stamp.authority };
  });
}
