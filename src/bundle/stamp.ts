/** RFC 3161 timestamps of a bundle: that it, or an event of it, was there at that time, by an authority's word. */
import { type Digest, digestOf } from '../base/digest.ts';
import { Refused } from './refused.ts';

/** A timestamp as it stands in a bundle; who vouches for its authority is another question. */
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
  const { readTimestamp } = await import('../evidence/sigstore.ts');
  return replies.map((reply) => {
    const sha256 = digestOf(reply);
    try {
      const { timeMs, authority, isAbout } = readTimestamp(reply);
      const of = [...things].find(([, bytes]) => isAbout(bytes))?.[0] ?? null;
      return { sha256, reply, of, time: new Date(timeMs).toISOString(), authority };
    } catch (error) {
      // What the library throws is its way of saying that the signature is wrong.
      if (error instanceof Error)
        throw new Refused('timestamp_invalid', `${sha256}: ${error.message}`, error);
      throw error;
    }
  });
}
