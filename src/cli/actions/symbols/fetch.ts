/** reenact symbols fetch: debug information of builds from a debuginfod server, into a folder that symbols add reads. */
import { join } from 'node:path';

import { EXIT, Fault } from '../../../base/fault.ts';
import type { FetchedSymbols, ReenactEvent } from '../../../library/events.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';

function text({ id, path, sha256 }: FetchedSymbols, out: string): string {
  if (path === null) return `${id}\n  not there  the server has no debug information of this build\n`;
  return `${id}\n  file       ${safeLine(join(out, path))}\n  sha256     ${sha256}\n`;
}

export async function symbolsFetch(a: Arguments): Promise<number> {
  const [debuginfod, out] = [a.text('debuginfod'), a.text('out')];
  if (debuginfod === undefined) throw new Fault('usage', 'name the server that is asked: --debuginfod URL');
  if (out === undefined) throw new Fault('usage', 'name the folder to write to: --out DIR');
  const onEvent = (event: ReenactEvent): void => {
    if (event.type !== 'fetched') return;
    if (a.json) a.json.next(event.fetched);
    else process.stdout.write(text(event.fetched, out));
  };
  const all = await withReenact({ onEvent }, (reenact) =>
    reenact.fetchSymbols(a.positionals, { debuginfod, out }),
  );
  return all.every(({ path }) => path !== null) ? EXIT.ok : EXIT.failed;
}
