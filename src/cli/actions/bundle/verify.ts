/** reenact bundle verify: what a bundle proves, and what the reader's own policy makes of it. */
import { EXIT } from '../../../base/fault.ts';
import { BUNDLE_CODES } from '../../../bundle/format/refused.ts';
import type { SignedBy } from '../../../bundle/verify/reader-policy.ts';
import type { BundleVerification } from '../../../bundle/verify/verify.ts';
import type { Signer } from '../../../evidence/documents/record.ts';
import { crashText, signatureText } from '../../../report/crash.ts';
import { safeLine } from '../../../report/human.ts';
import { gateText } from '../../../report/joined.ts';
import { narrowRow, rowText } from '../../../report/lines.ts';
import type { WalkEnd } from '../../../trace/model/trace.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';
import { wantsColour } from '../../shared/terminal.ts';

function who({ authority, identity, key_fingerprint }: Signer): string {
  return `${authority} (${identity ?? key_fingerprint})`;
}

const SUBJECTS: Record<string, string> = {
  manifest: 'the manifest',
  sandbox_image_sha256: 'the sandbox image',
  symbol_bundle_sha256: 'the symbol bundle',
};

/** Who signed what: each thing with those who signed it. */
function whoWhat(signers: SignedBy[]): string {
  const things = new Map<string, string[]>();
  for (const signer of signers)
    for (const field of signer.subjects) things.set(field, [...(things.get(field) ?? []), who(signer)]);
  return [...things]
    .map(([field, names]) => `${SUBJECTS[field] ?? field}, by ${names.join(', ')}`)
    .join('; ');
}

type Row = [string, string];

function recordRows(v: BundleVerification): Row[] {
  const rows: Row[] = [];
  if (v.root) rows.push(['identity', v.root]);
  if (v.redaction_of) rows.push(['redaction', `of ${v.redaction_of}: not everything is inside`]);
  if (v.verdict) rows.push(['verdict', `${v.verdict}, of ${v.name}`]);
  if (v.holds_only.length > 0) rows.push(['holds only', v.holds_only.join('; ')]);
  for (const { crash, replays } of v.crashes) {
    const times = v.crashes.length === 1 ? '' : `, in ${replays} replays`;
    rows.push(['crash', `${crashText(crash)}${times}`], ['crash', signatureText(crash)]);
  }
  for (const [i, one] of v.degraded.entries()) rows.push([i === 0 ? 'degraded' : '', one]);
  if (v.verdict_follows !== null)
    rows.push([
      'follows',
      v.verdict_follows
        ? 'the verdict follows from the recorded replays'
        : 'NO: the verdict does not follow from the recorded replays',
    ]);
  if (v.evidence !== null)
    rows.push([
      'signed',
      v.signers.length > 0
        ? `${whoWhat(v.signers)}, by the policy inside`
        : v.evidence === 'withheld'
          ? 'NOT checked: the evidence was withheld'
          : v.evidence === 'not_checked'
            ? 'NOT: the policy inside names no authority'
            : `NOT: the evidence was ${v.evidence}`,
    ]);
  return rows;
}

function cutText(ended: WalkEnd | null): string {
  return ended && !ended.outermost ? `, cut (${ended.reason}): the frames behind them are not known` : '';
}

/** The trace, as verified again; what only the bundle's maker states comes last. */
function traceRows({ trace }: BundleVerification): Row[] {
  if (!trace) return [];
  const { trace_id, signal, frames, ended, gates, reproduction, signers, stated, policy } = trace;
  return [
    ['trace', `${trace_id}, ${signal ?? 'no signal'}, ${frames} frames${cutText(ended)}`],
    ['', `${reproduction.verdict}: ${reproduction.reason}`],
    ...gates.map((gate): Row => ['', `${gateText(gate).trim()}, by ${policy}`]),
    ['', signers.length > 0 ? `its builds are signed by ${signers.join(', ')}` : 'its builds are NOT signed'],
    ...stated.map((one, n): Row => [n === 0 ? 'not proven' : '', one]),
  ];
}

function attestedRows(v: BundleVerification): Row[] {
  if (v.root === null) return [];
  const rows: Row[] = v.events.map(({ sequence, action, actor, time, key_fingerprint }) => [
    sequence === 1 ? 'records' : '',
    `${sequence} ${action}${actor ? ` by ${actor}` : ''}${time ? `, ${time}` : ''}, signed with key ${key_fingerprint}`,
  ]);
  if (v.events.length === 0) rows.push(['records', 'NOT signed: their origin is unknown']);
  for (const { of, time, authority, vouched } of v.timestamps)
    rows.push([
      'there since',
      `${time} (${of}), by ${authority}, ${vouched ? 'whom the trust root names' : 'whom nothing here vouches for'}`,
    ]);
  return rows;
}

function demandRows({ demanded }: BundleVerification): Row[] {
  if (!demanded) return [];
  const { policy, signers, records_signed_by: records, gates } = demanded;
  const failed = gates.filter(({ pass }) => !pass);
  return [
    ['your policy', policy],
    [
      '',
      signers.length > 0 ? `signed: ${whoWhat(signers)}` : 'the manifest is NOT signed by a signer it names',
    ],
    [
      '',
      records.length > 0
        ? `the records are signed by ${records.map(({ sequence, signer }) => `${who(signer)} in event ${sequence}`).join(', ')}`
        : 'the records are NOT signed by a signer it names',
    ],
    ...(gates.length === 0
      ? []
      : [
          [
            '',
            failed.length === 0
              ? 'all its gates pass'
              : `failed ${failed.map(({ name, value, threshold }) => `${name} (${value}, needs ${threshold})`).join(', ')}`,
          ] as Row,
        ]),
  ];
}

/** Fields of one object in one row: `replays[].varied` stands among those of `replays[]`. */
function saidRows({ said_by_recorder: paths }: BundleVerification): Row[] {
  const groups = Map.groupBy(paths, (path) => path.split('.').slice(0, -1).join('.'));
  const rows = [...groups].map(([group, members]): Row => {
    const names = members.map((path) => path.split('.').at(-1));
    return ['', `${group === '' ? '' : `${group}: `}${names.join(', ')}`];
  });
  return rows.length === 0
    ? []
    : [['said', 'by the recorder alone; nothing else here decides these fields:'], ...rows];
}

/** Where texts stand beside their labels. */
const COLUMN = 15;

/** The result as people read it. */
export function verificationText(path: string, v: BundleVerification): string {
  const paint = (text: string): string =>
    wantsColour() ? `\u001b[1;${v.accepted ? 32 : 31}m${text}\u001b[0m` : text;
  const rows = [...recordRows(v), ...traceRows(v), ...attestedRows(v), ...demandRows(v)];
  rows.push(...saidRows(v));
  for (const what of v.unread) rows.push(['not read', what]);
  if (v.root && v.texts_compared === null)
    rows.push([
      'texts',
      'NOT compared: another release made report.html, custody.txt or VERIFY.txt; do not rely on them',
    ]);
  for (const { code, message } of v.problems)
    rows.push(['problem', `${code}: ${message}`], ['', BUNDLE_CODES[code]]);
  return `${paint(v.accepted ? 'accepted' : 'refused')}  ${path}\n${rows
    .map(([label, content]) => (label === 'crash' ? narrowRow : rowText)(label, safeLine(content), COLUMN))
    .join('')}`;
}

export async function verifyBundleCommand(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const certificate = a.text('certificate');
  const options = {
    policy: a.text('policy'),
    trustRoot: a.text('trust-root'),
    receipts: a.list('receipt'),
    certificate,
  };
  const result = await withReenact({}, (reenact) => reenact.verifyBundle(path, options));
  if (a.json) a.json.one(result);
  else process.stdout.write(verificationText(path, result));
  if (!result.accepted) return EXIT.rejected;
  if (certificate !== undefined)
    process.stderr.write(
      `${certificate}: certification.txt is a draft, for counsel and a qualified person; case.jsonld is for other tools\n`,
    );
  return result.demanded?.gates.some(({ pass }) => !pass) ? EXIT.failed : EXIT.ok;
}
