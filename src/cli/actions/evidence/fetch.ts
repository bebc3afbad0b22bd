/** reenact evidence fetch: gets a log's proof into the local store, so that verifying needs no network. */
import { EXIT, Fault } from '../../../base/fault.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

export async function fetchEvidence(a: Arguments): Promise<number> {
  const entry = onePositional(a, 'log entry: rekor:… or its index');
  const [log, policy, store] = [a.text('log'), a.text('policy'), a.text('store')];
  if (log === undefined || policy === undefined)
    throw new Fault('usage', 'name the log and the policy that has its key: --log URL --policy P');
  const reference = await withReenact({}, (reenact) => reenact.fetchEvidence(entry, { log, policy, store }));
  process.stdout.write(`${reference}\n`);
  return EXIT.ok;
}
