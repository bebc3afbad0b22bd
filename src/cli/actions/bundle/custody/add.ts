/** reenact bundle custody add: a signed event of who had a bundle in hand, without changing its identity. */
import { relative } from 'node:path';

import { systemClock } from '../../../../base/clock.ts';
import { EXIT, Fault } from '../../../../base/fault.ts';
import { attachEvent } from '../../../../bundle/custody/attached.ts';
import { ACTIONS, signEvent, TEXT_CHARACTERS } from '../../../../bundle/custody/event.ts';
import { eventKey } from '../../../../library/signing-key.ts';
import { type Arguments, choice } from '../../../arguments.ts';
import { accepted, attach, changing } from './attach.ts';

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
    action,
    actor: a.text('actor') ?? '',
    reason: a.text('reason') ?? '',
    time,
  };
  const event = signEvent(opened.root, opened.attested.events.at(-1), claim, key);
  const attachment = attachEvent(opened.rootText, event.envelope, event.key);
  const to = await attach(path, opened, attachment, a);
  const sequence = opened.attested.events.length + 1;
  process.stdout.write(
    `${relative('.', to)}: event ${sequence}, ${action}, signed with key ${key.public.fingerprint}\n  identity ${opened.root}\n  receipt  ${sequence}:${event.sha256}\n`,
  );
  return EXIT.ok;
}

export function addEvent(a: Arguments): Promise<number> {
  return changing(a, add);
}
