/** reenact bundle extract: unpacks what is inside under names that people can read. */
import { EXIT, Fault } from '../../../base/fault.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Unpacks a bundle and says what was written. */
export async function extractToFolder(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const to = a.text('to');
  if (to === undefined) throw new Fault('usage', 'name the folder to unpack into: --to DIR');
  const { root, files, sizeBytes, links, renamed, absent, stateShown } = await withReenact({}, (reenact) =>
    reenact.extractBundle(path, to, { only: a.list('only'), force: a.flag('force') }),
  );
  let text = `${to}: ${counted(files, 'file', 'files')}, ${counted(sizeBytes, 'byte', 'bytes')}\n`;
  text += `  identity ${root}\n`;
  if (links > 0) text += `  ${counted(links, 'link is a line', 'links are lines')} of links.txt\n`;
  if (renamed > 0) text += `  ${counted(renamed, 'name was', 'names were')} changed to be safe: names.txt\n`;
  if (absent > 0) text += `  ${counted(absent, 'content', 'contents')} of the final state not inside\n`;
  if (!stateShown) text += '  the final state is not inside, or is over 8 MB: neither are its files\n';
  text += '  Form and digests were checked, not the verdict: reenact bundle verify\n';
  process.stdout.write(text);
  return EXIT.ok;
}
