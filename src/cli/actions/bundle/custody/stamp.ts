/** reenact bundle custody stamp: attaches a timestamp, without changing the bundle's identity. */
import { relative } from 'node:path';

import { EXIT, Fault } from '../../../../base/fault.ts';
import type { Arguments } from '../../../arguments.ts';
import { withReenact } from '../../../shared/door.ts';
import { onePositional } from '../../../shared/positionals.ts';

export async function stampBundle(a: Arguments): Promise<number> {
  const bundle = onePositional(a, 'bundle');
  const timestamp = a.text('timestamp');
  if (timestamp === undefined)
    throw new Fault('usage', 'name the reply of a timestamp authority: --timestamp FILE');
  const options = { timestamp, out: a.text('out'), receipts: a.list('receipt') };
  const { path, root } = await withReenact({}, (reenact) => reenact.stampBundle(bundle, options));
  process.stdout.write(`${relative('.', path)}: timestamp attached\n  identity ${root}\n`);
  return EXIT.ok;
}
