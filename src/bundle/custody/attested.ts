/** What the attachments of a bundle say: the chain of custody events, and timestamps of it or of them. */

import { type Digest, digestOf } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import { ATTACHED } from '../format/format.ts';
import { readStamps, type Stamp } from '../format/stamp.ts';
import type { Attachment } from './attached.ts';
import { type CustodyEvent, parseEvent } from './event.ts';

export interface Attested {
  events: CustodyEvent[];
  stamps: Stamp[];
}

/** Reads what is attached to a root; `verifyBundle` checks whether it is valid. */
export async function readAttested(root: string, attachments: Attachment[]): Promise<Attested> {
  const digest = digestOf(root);
  const events = attachments
    .filter(({ artifactType }) => artifactType === ATTACHED.event)
    .map(({ contents: [envelope, key] }, i) =>
      parseEvent(present(envelope), present(key), digest, `custody event ${i + 1}`),
    );
  const things = new Map<Digest, Buffer>([[digest, Buffer.from(root)]]);
  for (const { sha256, envelope } of events) things.set(sha256, envelope);
  const replies = attachments
    .filter(({ artifactType }) => artifactType === ATTACHED.timestamp)
    .map(({ contents: [reply] }) => present(reply));
  return { events, stamps: await readStamps(replies, things) };
}
