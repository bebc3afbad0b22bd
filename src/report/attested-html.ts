/** The report's section on custody: the run's own entries, the signed events of the bundle, and timestamps. */
import type { Digest } from '../base/digest.ts';
import { digest, esc } from './html.ts';

/** What is attached to a bundle, as the report shows it. */
export interface AttestedView {
  events: {
    sequence: number;
    action: string;
    actor: string;
    reason: string;
    time: string | null;
    sha256: Digest;
    signed: boolean;
    key: { fingerprint: Digest };
  }[];
  stamps: { of: Digest | null; time: string; authority: string }[];
}

function entries(custody: Digest[], withheld: boolean): string {
  if (withheld) return '<p>The entries of the run were withheld.</p>';
  if (custody.length === 0) return '<p>No entries of the run: its policy names nobody who may sign.</p>';
  const count =
    custody.length === 1
      ? 'The run left one entry:'
      : `The run’s chain has ${custody.length} entries, each naming the one before; the last is`;
  return `<p>${count} ${digest(custody.at(-1))}.</p>`;
}

function events({ events: list }: AttestedView): string {
  if (list.length === 0)
    return '<p><strong>Nobody has signed this bundle.</strong> Its identity above must reach you by another way.</p>';
  const lines = list.map(
    ({ action, actor, reason, time, key, signed }) =>
      `<li><strong>${esc(action)}</strong> by ${esc(actor) || 'somebody who is not named'}, ${esc(time ?? 'without a time')}${reason ? `: ${esc(reason)}` : ''}<br>signed with key ${digest(key.fingerprint)}${signed ? '' : ' <strong>(the signature is wrong)</strong>'}</li>`,
  );
  return `<p>Signed about this bundle as a whole. Each line names the one before and was signed by the holder of the key shown; whose key that is, its fingerprint must tell you by another way. Names, times and reasons are what the signer says.</p><ol class="events">${lines.join('')}</ol>`;
}

function stamps({ stamps: list, events: all }: AttestedView): string {
  if (list.length === 0) return '<p>No timestamp proves since when this bundle exists.</p>';
  const lines = list.map(({ of, time, authority }) => {
    const event = all.find(({ sha256 }) => sha256 === of);
    return `<li>${esc(time)}: ${event ? `event ${event.sequence}` : 'this bundle'} was there, by the word of ${esc(authority)}</li>`;
  });
  return `<p>Timestamps, worth as much as the authority that made them:</p><ul>${lines.join('')}</ul>`;
}

/** The section as HTML; `custody` are the digests of the run's entries in their order, unless they were withheld. */
export function custodySection(custody: Digest[], view: AttestedView, withheld: boolean): string {
  return `<h2>Chain of custody</h2>${entries(custody, withheld)}${events(view)}${stamps(view)}`;
}
