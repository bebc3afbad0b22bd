/** What bundle custody add and stamp have in common: a bundle that is accepted gets one attachment more. */
import { existsSync, realpathSync } from 'node:fs';

import type { Attachment } from '../../../../bundle/custody/attached.ts';
import { Refused } from '../../../../bundle/format/refused.ts';
import type { Opened } from '../../../../bundle/read/open.ts';
import { examineBundle } from '../../../../bundle/verify/verify.ts';
import { attachToBundle } from '../../../../bundle/write/create.ts';
import { alone } from '../../../../bundle/write/output.ts';
import { receiptsOf } from '../../../../library/bundle-verify.ts';
import type { Arguments } from '../../../arguments.ts';
import { onePositional } from '../../../shared/positionals.ts';

/** The bundle, if nothing is wrong with it: what is refused gets no event that says it was in hand. */
export async function accepted(path: string, a: Arguments): Promise<Opened> {
  const { verification, opened } = await examineBundle(path, { receipts: receiptsOf(a.list('receipt')) });
  const [first] = verification.problems;
  if (first) throw new Refused(first.code, `${path}: ${first.message}`);
  return opened!;
}

/** Writes the bundle with one attachment more, in its place or to --out, and says where. */
export async function attach(path: string, opened: Opened, more: Attachment, a: Arguments): Promise<string> {
  const given = a.text('out');
  const to = given !== undefined && existsSync(given) ? realpathSync(given) : (given ?? path);
  await attachToBundle(path, opened, [more], to);
  return to;
}

/** Through links, so that the file they lead to gets the event; one command at a time changes it. */
export async function changing(
  a: Arguments,
  change: (path: string, a: Arguments) => Promise<number>,
): Promise<number> {
  const path = onePositional(a, 'bundle');
  if (!existsSync(path)) return change(path, a);
  const real = realpathSync(path);
  return alone(real, () => change(real, a));
}
