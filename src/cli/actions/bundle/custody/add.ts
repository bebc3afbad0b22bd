/** reenact bundle custody add: a signed event of who had a bundle in hand, without changing its identity. */
import { relative } from 'node:path';

import { EXIT, Fault } from '../../../../base/fault.ts';
import { ACTIONS } from '../../../../bundle/custody/event.ts';
import { type Arguments, choice } from '../../../arguments.ts';
import { withReenact } from '../../../shared/door.ts';
import { onePositional } from '../../../shared/positionals.ts';

export async function addEvent(a: Arguments): Promise<number> {
  const bundle = onePositional(a, 'bundle');
  const key = a.text('key');
  const action = choice(a, 'action', ACTIONS);
  if (key === undefined || action === undefined)
    throw new Fault('usage', `name a key and what was done: --key K --action ${ACTIONS.join('|')}`);
  const options = {
    key,
    action,
    actor: a.text('actor'),
    reason: a.text('reason'),
    out: a.text('out'),
    receipts: a.list('receipt'),
  };
  const { path, root, sequence, key_fingerprint, receipt } = await withReenact({}, (reenact) =>
    reenact.addCustodyEvent(bundle, options),
  );
  process.stdout.write(
    `${relative('.', path)}: event ${sequence}, ${action}, signed with key ${key_fingerprint}\n  identity ${root}\n  receipt  ${receipt}\n`,
  );
  return EXIT.ok;
}
