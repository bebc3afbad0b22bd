/** reenact manifest subject: the digest that evidence about a manifest must name. */
import { EXIT, Fault } from '../base/fault.ts';
import { loadManifests } from '../manifest/load.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { parseOptions } from './options.ts';

export async function manifestCommand(args: string[]): Promise<number> {
  const [verb, ...rest] = args;
  const { positionals } = parseOptions('manifest', rest);
  if (verb !== 'subject' || positionals.length === 0)
    throw new Fault('usage', 'reenact manifest subject MANIFEST…');
  const loaded = await loadManifests(positionals);
  for (const { manifest, path } of loaded)
    process.stdout.write(`${manifestSubject(manifest)}${loaded.length > 1 ? `  ${path}` : ''}\n`);
  return EXIT.ok;
}
