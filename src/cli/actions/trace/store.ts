/** reenact trace add, audit, gaps: traces in the store, joined to symbols, artifacts and their provenance. */
import { EXIT } from '../../../base/fault.ts';
import type { ReenactEvent } from '../../../library/events.ts';
import { safeLine } from '../../../report/human.ts';
import { auditText, gapsText } from '../../../report/joined.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';
import { programsOf } from '../../shared/programs.ts';

export async function traceAdd(a: Arguments): Promise<number> {
  const onEvent = (event: ReenactEvent): void => {
    if (event.type !== 'trace') return;
    const { path, trace_id, added, frames } = event.trace;
    if (a.json) a.json.next({ path, trace_id, added, frames });
    else
      process.stdout.write(
        `${trace_id}  ${safeLine(path)}: ${frames} ${frames === 1 ? 'frame' : 'frames'}${added ? '' : ', known already'}\n`,
      );
  };
  await withReenact({ store: a.text('store'), onEvent }, (reenact) =>
    reenact.addTrace(a.positionals, { ...programsOf(a), manifest: a.text('manifest') }),
  );
  return EXIT.ok;
}

export async function traceAudit(a: Arguments): Promise<number> {
  const id = onePositional(a, 'trace, by its id');
  return await withReenact({ store: a.text('store') }, async (reenact) => {
    const { trace, frames, gates, pass } = await reenact.audit(id, { policy: a.text('policy') });
    if (a.json) a.json.one({ audit_version: 1, trace, frames, gates });
    else {
      const names = await reenact.functionNames(frames);
      process.stdout.write(auditText({ trace, frames, gates, names }));
    }
    return pass ? EXIT.ok : EXIT.failed;
  });
}

export async function traceGaps(a: Arguments): Promise<number> {
  const id = onePositional(a, 'trace, by its id');
  const { trace, gaps, frames } = await withReenact({ store: a.text('store') }, (reenact) =>
    reenact.gaps(id, { policy: a.text('policy') }),
  );
  if (a.json) a.json.one({ gaps_version: 1, trace, gaps });
  else process.stdout.write(gapsText(trace, gaps, frames));
  return gaps.length === 0 ? EXIT.ok : EXIT.failed;
}
