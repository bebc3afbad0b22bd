/** reenact bundle custody log: the events of a bundle, each with its receipt. */
import { EXIT } from '../../../../base/fault.ts';
import { BUNDLE_CODES } from '../../../../bundle/format/refused.ts';
import { safeLine } from '../../../../report/human.ts';
import type { Arguments } from '../../../arguments.ts';
import { withReenact } from '../../../shared/door.ts';
import { onePositional } from '../../../shared/positionals.ts';

export async function logEvents(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const result = await withReenact({}, (reenact) =>
    reenact.verifyBundle(path, { receipts: a.list('receipt') }),
  );
  if (a.json) a.json.list(result.events);
  else if (result.events.length === 0 && result.root) process.stdout.write('no events\n');
  else
    for (const { sequence, action, actor, reason, time, sha256, key_fingerprint } of result.events)
      process.stdout.write(
        `${sequence}  ${action.padEnd(10)}${safeLine(time ?? 'no time')}  ${safeLine(actor)}\n   ${safeLine(reason) || 'no reason'}\n   key ${key_fingerprint}\n   receipt ${sequence}:${sha256}\n`,
      );
  for (const { code, message } of result.problems) {
    a.json?.fault({ code, message, next: BUNDLE_CODES[code] });
    process.stderr.write(`reenact: ${code}: ${safeLine(message)}\n  next: ${BUNDLE_CODES[code]}\n`);
  }
  return result.accepted ? EXIT.ok : EXIT.rejected;
}
