/** Signed events of who had a bundle in hand, and timestamps, without changing its identity. */

import { existsSync, realpathSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import { wantFree } from '../base/output.ts';
import { ATTACHED_BYTES, type Attachment, attachEvent, attachTimestamp } from '../bundle/custody/attached.ts';
import { type Action, type Receipt, signEvent, TEXT_CHARACTERS } from '../bundle/custody/event.ts';
import { Refused } from '../bundle/format/refused.ts';
import type { Opened } from '../bundle/read/open.ts';
import { examineBundle } from '../bundle/verify/verify.ts';
import { attachToBundle } from '../bundle/write/create.ts';
import { alone } from '../bundle/write/output.ts';
import { receiptsOf } from './bundle-verify.ts';
import { readNamed } from './read-named.ts';
import { eventKey, type KeyInput } from './signing-key.ts';

/** Where the bundle with more attached is written. */
export interface AttachOptions {
  /** Default: the bundle itself, which is replaced whole. */
  out?: string | undefined;
  /** Custody events that were shown to the caller: each must be in the chain. */
  receipts?: readonly (string | Receipt)[] | undefined;
}

/** An event of a bundle, and who signs it. */
export interface CustodyEventOptions extends AttachOptions {
  /** An Ed25519 key. */
  key: KeyInput;
  action: Action;
  actor?: string | undefined;
  reason?: string | undefined;
}

/** The reply of a timestamp authority. */
export interface StampBundleOptions extends AttachOptions {
  /** A file with an RFC 3161 reply that has the authority's certificates. */
  timestamp: string;
}

/** Where it was written, and the bundle's identity, which stays. */
export interface AttachedBundle {
  path: string;
  root: Digest;
}

/** An event that was signed. */
export interface CustodyEvent extends AttachedBundle {
  sequence: number;
  key_fingerprint: Digest;
  /** `NUMBER:sha256:…`: with it, a chain that was cut off behind this event shows. */
  receipt: string;
}

async function accepted(path: string, { receipts }: AttachOptions): Promise<Opened> {
  const { verification, opened } = await examineBundle(path, { receipts: receiptsOf(receipts) });
  const [first] = verification.problems;
  if (first) throw new Refused(first.code, `${path}: ${first.message}`);
  return present(opened);
}

/** Another file than the bundle itself is made anew. */
function checkOut(path: string, { out }: AttachOptions): void {
  if (out !== undefined && !(existsSync(out) && realpathSync(out) === path)) wantFree(out);
}

async function put(path: string, opened: Opened, more: Attachment, { out }: AttachOptions): Promise<string> {
  const to = out !== undefined && existsSync(out) ? realpathSync(out) : (out ?? path);
  await attachToBundle(path, opened, [more], to);
  return to;
}

/** Alone, and through links, so that the file they lead to gets what is attached. */
function held<T>(path: string, work: (real: string) => Promise<T>): Promise<T> {
  if (!existsSync(path)) return work(path);
  const real = realpathSync(path);
  return alone(real, () => work(real));
}

/** Signs an event about a bundle, which names the one before; the bundle's identity stays. */
export async function addCustodyEvent(path: string, o: CustodyEventOptions): Promise<CustodyEvent> {
  const { action, actor = '', reason = '' } = o;
  for (const [name, text] of Object.entries({ actor, reason }))
    if (text.length > TEXT_CHARACTERS)
      throw new Fault('usage', `--${name} is over ${TEXT_CHARACTERS} characters`);
  const key = await eventKey(o.key);
  return await held(path, async (real) => {
    checkOut(real, o);
    const opened = await accepted(real, o);
    const claim = { action, actor, reason, time: new Date(systemClock.now()).toISOString() };
    const event = signEvent(opened.root, opened.attested.events.at(-1), claim, key);
    const to = await put(real, opened, attachEvent(opened.rootText, event.envelope, event.key), o);
    const sequence = opened.attested.events.length + 1;
    return {
      path: to,
      root: opened.root,
      sequence,
      key_fingerprint: key.public.fingerprint,
      receipt: `${sequence}:${event.sha256}`,
    };
  });
}

/** Attaches the reply of a timestamp authority, about the root manifest or about an event's envelope. */
export async function stampBundle(path: string, o: StampBundleOptions): Promise<AttachedBundle> {
  return await held(path, async (real) => {
    checkOut(real, o);
    const opened = await accepted(real, o);
    const bytes = await readNamed(o.timestamp, ATTACHED_BYTES);
    return { path: await put(real, opened, attachTimestamp(opened.rootText, bytes), o), root: opened.root };
  });
}
