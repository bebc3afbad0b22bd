/** reenact bundle show: what a bundle is and what is in it, at a glance; it checks form and digests only. */
import { EXIT } from '../../../base/fault.ts';
import type { BundleInspection } from '../../../library/bundle-inspect.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

function textOf(path: string, bundle: BundleInspection): string {
  const { root, document, events, timestamps } = bundle;
  const lines: [string, string][] = [
    ['identity', root],
    ...(bundle.redaction_of ? [['redaction', `of ${bundle.redaction_of}`] as [string, string]] : []),
    ['record', `${bundle.verdict}, of ${bundle.name}`],
    ['replays', `${bundle.replays}, ratio ${bundle.replay_success_ratio.toFixed(3)}, ${bundle.started_at}`],
    ...bundle.degraded.map((one, i): [string, string] => [i === 0 ? 'degraded' : '', one]),
    ['states', `contents: ${bundle.state}; sandbox image: ${bundle.image ? 'inside' : 'not inside'}`],
    ['blobs', `${bundle.layers}, ${bundle.size_bytes} bytes in all`],
    ...bundle.contents.map(({ role, items, size_bytes }, i): [string, string] => [
      i === 0 ? 'contents' : '',
      `${role.padEnd(16)}${String(items).padStart(8)}${String(size_bytes).padStart(16)} bytes`,
    ]),
    ...(document.withheld ?? []).map(({ role, name }, i): [string, string] => [
      i === 0 ? 'withheld' : '',
      `${role} ${name ?? ''}`,
    ]),
    ...events.map(({ sequence, action, actor, time }): [string, string] => [
      sequence === 1 ? 'events' : '',
      `${sequence} ${action}${actor ? ` by ${actor}` : ''}${time ? `, ${time}` : ''}`,
    ]),
    ...timestamps.map(({ time, authority }): [string, string] => ['timestamp', `${time}, ${authority}`]),
    ...bundle.problems.map(({ code, message }): [string, string] => ['problem', `${code}: ${message}`]),
  ];
  return `${path}\n${lines.map(([label, text]) => `  ${label.padEnd(11)}${safeLine(text)}\n`).join('')}  form and digests only: reenact bundle verify checks what it claims\n`;
}

export async function showBundle(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const bundle = await withReenact({}, (reenact) => reenact.inspectBundle(path));
  const { document: _index, ...summary } = bundle;
  if (a.json) a.json.one(summary);
  else process.stdout.write(textOf(path, bundle));
  return bundle.problems.length === 0 ? EXIT.ok : EXIT.rejected;
}
