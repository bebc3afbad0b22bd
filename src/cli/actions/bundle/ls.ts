/** reenact bundle ls: what is inside a bundle. */
import { EXIT } from '../../../base/fault.ts';
import { Refused } from '../../../bundle/format/refused.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

export async function listBundle(a: Arguments): Promise<number> {
  const bundle = onePositional(a, 'bundle');
  const { document, problems } = await withReenact({}, (reenact) => reenact.inspectBundle(bundle));
  const [problem] = problems;
  if (problem) throw new Refused(problem.code, problem.message);
  if (a.json) a.json.one(document);
  else
    for (const { role, sha256, size, name } of document.items)
      process.stdout.write(
        `${role.padEnd(16)}${String(size).padStart(12)} ${sha256}${name ? `  ${safeLine(name)}` : ''}\n`,
      );
  return EXIT.ok;
}
