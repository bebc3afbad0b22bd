/** reenact bundle redact: a new bundle without chosen contents, signed, which names the one it was made of. */
import { EXIT, Fault } from '../../../base/fault.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

function required(a: Arguments, name: string): string {
  const text = a.text(name);
  if (text === undefined || text === '') throw new Fault('usage', `name --${name}`);
  return text;
}

export async function redactCommand(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const options = {
    out: required(a, 'out'),
    reason: required(a, 'reason'),
    key: required(a, 'key'),
    secret: required(a, 'secret'),
    drop: a.list('drop'),
    actor: a.text('actor'),
  };
  const { root, of, withheld, names } = await withReenact({}, (reenact) =>
    reenact.redactBundle(path, options),
  );
  process.stdout.write(
    `${options.out}: ${withheld} things withheld\n${names.map((name) => `  ${safeLine(name)}\n`).join('')}  identity ${root}\n  of       ${of}\n`,
  );
  return EXIT.ok;
}
