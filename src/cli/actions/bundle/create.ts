/** reenact bundle create: packs a record with all it rests on. */
import { EXIT, Fault } from '../../../base/fault.ts';
import type { JoinDocument } from '../../../join/document.ts';
import type { BundleSource, CreateBundleOptions } from '../../../library/bundle-create.ts';
import { gateText } from '../../../report/joined.ts';
import { type Arguments, choice } from '../../arguments.ts';
import { loadConfig } from '../../shared/config.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

/** What is said of a trace's frames when they are packed. */
function joinedText({ frames, gates, reproduction, trace_id }: JoinDocument): string {
  return `  trace    ${trace_id}, ${frames.length} frames, ${reproduction.verdict}\n${gates.map(gateText).join('')}`;
}

/** The record of the one argument, or the trace of --trace. */
function sourceOf(a: Arguments): BundleSource {
  const trace = a.text('trace');
  if (trace === undefined) return onePositional(a, 'record.json, or the folder it is in');
  if (a.positionals.length > 0)
    throw new Fault('usage', 'name a record, or a trace with --trace, and not both');
  return { trace };
}

export async function createCommand(a: Arguments): Promise<number> {
  const target = a.text('out');
  if (target === undefined) throw new Fault('usage', 'name the bundle to write: --out FILE');
  const key = a.text('sign');
  const options: CreateBundleOptions = {
    state: choice(a, 'state', ['full', 'changed', 'none'] as const),
    policy: a.text('policy'),
    timestamp: a.text('timestamp'),
    ...(key === undefined ? {} : { sign: { key, actor: a.text('actor'), reason: a.text('reason') } }),
    ...(a.flag('with-image')
      ? {
          withImage: true,
          repositories: [...a.list('repository'), ...(await loadConfig()).repositories],
        }
      : {}),
  };
  const { items, sizeBytes, root, join } = await withReenact({ store: a.text('store') }, (reenact) =>
    reenact.createBundle(target, sourceOf(a), options),
  );
  process.stdout.write(
    `${target}: ${items} items, ${sizeBytes} bytes\n  identity ${root}\n${join ? joinedText(join) : ''}`,
  );
  return EXIT.ok;
}
