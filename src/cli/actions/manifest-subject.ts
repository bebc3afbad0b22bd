/** reenact manifest subject: the digest that evidence about a manifest must name. */
import { EXIT, Fault } from '../../base/fault.ts';
import { loadManifests } from '../../manifest/load.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import type { Arguments } from '../arguments.ts';

export async function printSubjects({ positionals }: Arguments): Promise<number> {
  if (positionals.length === 0) throw new Fault('usage', 'name at least one manifest');
  const loaded = await loadManifests(positionals);
  for (const { manifest, path } of loaded)
    process.stdout.write(`${manifestSubject(manifest)}${loaded.length > 1 ? `  ${path}` : ''}\n`);
  return EXIT.ok;
}
