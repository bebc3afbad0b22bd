/** reenact bundle inspect: what a bundle is and what is in it, at a glance; it checks form and digests only. */
import { EXIT } from '../../../base/fault.ts';
import { type Opened, openBundle } from '../../../bundle/read/open.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { onePositional } from '../../shared/positionals.ts';

/** Contents by what they are for, in the order of the format. */
function rolesOf({ document }: Opened): { role: string; items: number; size_bytes: number }[] {
  const roles = new Map<string, { items: number; size_bytes: number }>();
  for (const { role, size } of document.items) {
    const { items, size_bytes } = roles.get(role) ?? { items: 0, size_bytes: 0 };
    roles.set(role, { items: items + 1, size_bytes: size_bytes + size });
  }
  return [...roles].map(([role, sums]) => ({ role, ...sums }));
}

function summaryOf(opened: Opened): Record<string, unknown> {
  const { root, subject, document, record, attested, layers, sizeBytes } = opened;
  return {
    root,
    redaction_of: subject?.digest ?? null,
    size_bytes: sizeBytes,
    name: record.name,
    verdict: record.verdict,
    replays: record.requested,
    replay_success_ratio: record.replay_success_ratio,
    started_at: record.started_at,
    degraded: record.degraded,
    state: document.state,
    image: document.image,
    layers: layers.length,
    contents: rolesOf(opened),
    withheld: document.withheld?.length ?? 0,
    events: attested.events.map(({ sequence, action, actor, time }) => ({ sequence, action, actor, time })),
    timestamps: attested.stamps.map(({ time, authority }) => ({ time, authority })),
    problems: opened.problems,
  };
}

function textOf(path: string, opened: Opened): string {
  const { root, subject, document, record, attested } = opened;
  const lines: [string, string][] = [
    ['identity', root],
    ...(subject ? [['redaction', `of ${subject.digest}`] as [string, string]] : []),
    ['record', `${record.verdict}, of ${record.name}`],
    ['replays', `${record.requested}, ratio ${record.replay_success_ratio.toFixed(3)}, ${record.started_at}`],
    ...record.degraded.map((one, i): [string, string] => [i === 0 ? 'degraded' : '', one]),
    ['states', `contents: ${document.state}; sandbox image: ${document.image ? 'inside' : 'not inside'}`],
    ['blobs', `${opened.layers.length}, ${opened.sizeBytes} bytes in all`],
    ...rolesOf(opened).map(({ role, items, size_bytes }, i): [string, string] => [
      i === 0 ? 'contents' : '',
      `${role.padEnd(16)}${String(items).padStart(8)}${String(size_bytes).padStart(16)} bytes`,
    ]),
    ...(document.withheld ?? []).map(({ role, name }, i): [string, string] => [
      i === 0 ? 'withheld' : '',
      `${role} ${name ?? ''}`,
    ]),
    ...attested.events.map(({ sequence, action, actor, time }): [string, string] => [
      sequence === 1 ? 'events' : '',
      `${sequence} ${action}${actor ? ` by ${actor}` : ''}${time ? `, ${time}` : ''}`,
    ]),
    ...attested.stamps.map(({ time, authority }): [string, string] => ['timestamp', `${time}, ${authority}`]),
    ...opened.problems.map(({ code, message }): [string, string] => ['problem', `${code}: ${message}`]),
  ];
  return `${path}\n${lines.map(([label, text]) => `  ${label.padEnd(11)}${safeLine(text)}\n`).join('')}  form and digests only: reenact bundle verify checks what it claims\n`;
}

export async function inspectBundle(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const opened = await openBundle(path);
  if (a.json) a.json.one(summaryOf(opened));
  else process.stdout.write(textOf(path, opened));
  return opened.problems.length === 0 ? EXIT.ok : EXIT.rejected;
}
