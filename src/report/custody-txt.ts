/** data/custody.txt: what is attached to a bundle, in words that VERIFY.txt's commands make again of the attached files. */
import { type Digest, hexOf } from '../base/digest.ts';
import { HIDDEN } from './verify-txt.ts';

/** Events and timestamps as they are shown. */
export interface AttestedView {
  events: {
    sequence: number;
    action: string;
    actor: string;
    reason: string;
    time: string | null;
    /** Of the envelope. */
    sha256: Digest;
    /** Whether the key beside it made its signature. */
    signed: boolean;
    key: { fingerprint: Digest };
  }[];
  stamps: { sha256: Digest; of: Digest | null; time: string; authority: string }[];
}

/** A signer's words, in which nothing can pass for a line of ours. */
function quoted(text: string): string {
  return `"${text.replace(HIDDEN, '?')}"`;
}

/** The text about what is attached to the bundle of this identity; it is no part of the identity. */
export function custodyText(root: Digest, { events, stamps }: AttestedView): string {
  const title = 'What is signed about this bundle as a whole';
  const lines = events.map(
    ({ sequence, action, actor, reason, time, sha256, key }) =>
      `\n${sequence} ${action} by ${quoted(actor)}\n    reason    ${quoted(reason)}\n    time      ${time ?? 'not said'}\n    key       ${key.fingerprint}\n    envelope  ${sha256}\n`,
  );
  const times = stamps.map(
    ({ sha256, of, time }) =>
      `\nTimestamp of sha256:${of === null ? '' : hexOf(of)}\n    time      ${time.slice(0, 19)}Z\n    reply     ${sha256}\n`,
  );
  return `${title}\n${'='.repeat(title.length)}\n${root}\n${lines.join('')}${times.join('')}`;
}
