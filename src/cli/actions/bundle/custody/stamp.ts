/** reenact bundle custody stamp: attaches a timestamp, without changing the bundle's identity. */
import { relative } from 'node:path';

import { EXIT, Fault } from '../../../../base/fault.ts';
import { ATTACHED_BYTES, attachTimestamp } from '../../../../bundle/custody/attached.ts';
import { readNamed } from '../../../../library/read-named.ts';
import type { Arguments } from '../../../arguments.ts';
import { accepted, attach, changing } from './attach.ts';

async function stamp(path: string, a: Arguments): Promise<number> {
  const reply = a.text('timestamp');
  if (reply === undefined)
    throw new Fault('usage', 'name the reply of a timestamp authority: --timestamp FILE');
  const opened = await accepted(path, a);
  const bytes = await readNamed(reply, ATTACHED_BYTES);
  const to = await attach(path, opened, attachTimestamp(opened.rootText, bytes), a);
  process.stdout.write(`${relative('.', to)}: timestamp attached\n  identity ${opened.root}\n`);
  return EXIT.ok;
}

export function stampBundle(a: Arguments): Promise<number> {
  return changing(a, stamp);
}
