/** reenact manifest subject: the digest that evidence about a manifest must name. */
import { EXIT, Fault } from '../../base/fault.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';

export async function printSubjects({ positionals }: Arguments): Promise<number> {
  if (positionals.length === 0) throw new Fault('usage', 'name at least one manifest');
  await withReenact({}, async (reenact) => {
    const loaded = await reenact.loadManifests(positionals);
    for (const [n, subject] of (await reenact.manifestSubjects(loaded)).entries())
      process.stdout.write(`${subject}${loaded.length > 1 ? `  ${loaded[n]!.path}` : ''}\n`);
  });
  return EXIT.ok;
}
