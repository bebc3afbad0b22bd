/** reenact diff: everything in which two recorded states differ. */
import { EXIT, Fault } from '../../base/fault.ts';
import { safe } from '../../report/human.ts';
import type { Difference } from '../../state/diff.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';

function show(d: Difference): string {
  const where = d.kind === 'path' ? `${d.path}: ${d.attribute}` : d.kind;
  const at = d.offset === undefined ? '' : `, first at byte ${d.offset}`;
  return safe(
    `${where}${at}\n  - ${d.context?.expected ?? d.expected}\n  + ${d.context?.actual ?? d.actual}\n`,
  );
}

export async function diffCommand(a: Arguments): Promise<number> {
  const [first, second] = a.positionals;
  if (!first || !second || a.positionals.length > 2) throw new Fault('usage', 'name two records or states');
  const { differences, kinds } = await withReenact({ store: a.text('store') }, (reenact) =>
    reenact.compareStates(first, second),
  );
  if (kinds) process.stderr.write(`these are not of one kind of machine: ${kinds}\n`);
  if (a.json) a.json.list(differences);
  else
    process.stdout.write(
      differences.length === 0 ? 'the states are the same\n' : differences.map(show).join(''),
    );
  return differences.length === 0 ? EXIT.ok : EXIT.failed;
}
