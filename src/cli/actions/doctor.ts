/** reenact doctor: what replays can rely on here, what degrades, and what to do about it. */
import { EXIT } from '../../base/fault.ts';
import { ANYWHERE, type Examination } from '../../library/doctor.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';
import { nextCommands, placeHere } from './next-commands.ts';

/** What was found, and the commands to go on with, as a person reads it. */
export function doctorText({ usable, findings }: Examination, next: string[]): string {
  const lines = findings.map(
    ({ check, status, detail }) => `${status.padEnd(9)} ${check.padEnd(11)} ${detail}\n`,
  );
  const end = usable
    ? 'replays are possible here'
    : `replays are not possible here; what works: ${ANYWHERE.join(', ')}`;
  const commands = next.map((command) => `  ${command}\n`).join('');
  return `${lines.join('')}${end}\n${commands && `next:\n${commands}`}`;
}

export async function doctorCommand(a: Arguments): Promise<number> {
  const found = await withReenact({}, (reenact) => reenact.doctor({ without: a.list('without') }));
  const next = nextCommands(found.findings, placeHere(process.env));
  if (a.json) a.json.one({ ...found, next });
  else process.stdout.write(doctorText(found, next));
  return found.usable ? EXIT.ok : EXIT.inconclusive;
}
