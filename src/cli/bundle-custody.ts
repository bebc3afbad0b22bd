/** reenact bundle custody: signed events of who had a bundle in hand, and timestamps, without changing its identity. */
import { existsSync, realpathSync } from 'node:fs';
import { relative } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { EXIT, Fault } from '../base/fault.ts';
import { ATTACHED_BYTES, type Attachment, attachEvent, attachTimestamp } from '../bundle/custody/attached.ts';
import { ACTIONS, type Action, signEvent, TEXT_CHARACTERS } from '../bundle/custody/event.ts';
import { BUNDLE_CODES, Refused } from '../bundle/format/refused.ts';
import type { Opened } from '../bundle/read/open.ts';
import { examineBundle, verifyBundle } from '../bundle/verify/verify.ts';
import { attachToBundle } from '../bundle/write/create.ts';
import { alone } from '../bundle/write/output.ts';
import { receiptsOf } from '../library/bundle-verify.ts';
import { readNamed } from '../library/read-named.ts';
import { eventKey } from '../library/signing-key.ts';
import { safeLine } from '../report/human.ts';
import { type Arguments, choice } from './options.ts';

async function accepted(path: string, a: Arguments): Promise<Opened> {
  const { verification, opened } = await examineBundle(path, { receipts: receiptsOf(a.list('receipt')) });
  const [first] = verification.problems;
  if (first) throw new Refused(first.code, `${path}: ${first.message}`);
  return opened!;
}

async function put(path: string, opened: Opened, more: Attachment, a: Arguments): Promise<string> {
  const given = a.text('out');
  const to = given !== undefined && existsSync(given) ? realpathSync(given) : (given ?? path);
  await attachToBundle(path, opened, [more], to);
  return to;
}

async function add(path: string, a: Arguments): Promise<number> {
  const keyPath = a.text('key');
  const action = choice(a, 'action', ACTIONS);
  if (keyPath === undefined || action === undefined)
    throw new Fault('usage', `name a key and what was done: --key K --action ${ACTIONS.join('|')}`);
  const long = ['actor', 'reason'].find((name) => (a.text(name) ?? '').length > TEXT_CHARACTERS);
  if (long) throw new Fault('usage', `--${long} is over ${TEXT_CHARACTERS} characters`);
  const key = await eventKey(keyPath);
  const opened = await accepted(path, a);
  const time = new Date(systemClock.now()).toISOString();
  const claim = {
    action: action as Action,
    actor: a.text('actor') ?? '',
    reason: a.text('reason') ?? '',
    time,
  };
  const event = signEvent(opened.root, opened.attested.events.at(-1), claim, key);
  const attachment = attachEvent(opened.rootText, event.envelope, event.key);
  const to = await put(path, opened, attachment, a);
  const sequence = opened.attested.events.length + 1;
  process.stdout.write(
    `${relative('.', to)}: event ${sequence}, ${action}, signed with key ${key.public.fingerprint}\n  identity ${opened.root}\n  receipt  ${sequence}:${event.sha256}\n`,
  );
  return EXIT.ok;
}

async function stamp(path: string, a: Arguments): Promise<number> {
  const reply = a.text('timestamp');
  if (reply === undefined)
    throw new Fault('usage', 'name the reply of a timestamp authority: --timestamp FILE');
  const opened = await accepted(path, a);
  const bytes = await readNamed(reply, ATTACHED_BYTES);
  const to = await put(path, opened, attachTimestamp(opened.rootText, bytes), a);
  process.stdout.write(`${relative('.', to)}: timestamp attached\n  identity ${opened.root}\n`);
  return EXIT.ok;
}

async function log(path: string, a: Arguments): Promise<number> {
  const result = await verifyBundle(path, { receipts: receiptsOf(a.list('receipt')) });
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(result.events, null, 2)}\n`);
  else if (result.events.length === 0 && result.root) process.stdout.write('no events\n');
  else
    for (const { sequence, action, actor, reason, time, sha256, key_fingerprint } of result.events)
      process.stdout.write(
        `${sequence}  ${action.padEnd(10)}${safeLine(time ?? 'no time')}  ${safeLine(actor)}\n   ${safeLine(reason) || 'no reason'}\n   key ${key_fingerprint}\n   receipt ${sequence}:${sha256}\n`,
      );
  for (const { code, message } of result.problems)
    process.stderr.write(`reenact: ${code}: ${safeLine(message)}\n  next: ${BUNDLE_CODES[code]}\n`);
  return result.accepted ? EXIT.ok : EXIT.rejected;
}

export function custodyCommand([verb, path, ...more]: string[], a: Arguments): Promise<number> {
  const command = { add, stamp, log }[verb ?? ''];
  if (!command || path === undefined || more.length > 0)
    throw new Fault('usage', 'bundle custody add, stamp or log, and one bundle');
  if (command === log || !existsSync(path)) return command(path, a);
  // Through links, so that the file they lead to gets the event.
  const real = realpathSync(path);
  return alone(real, () => command(real, a));
}
