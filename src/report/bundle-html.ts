/** data/report.html: one page without scripts, for readers who must rely on a verdict that others made. */

import type { Digest } from '../base/digest.ts';
import type { JoinDocument } from '../join/document.ts';
import type { Manifest } from '../manifest/definition.ts';
import { processorText } from '../sandbox/processor.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { BundleItem } from './bundle-item.ts';
import { crashText } from './crash.ts';
import { columns, digest, esc, gatesTable, rows } from './html.ts';
import { REASONS } from './human.ts';
import { STYLE } from './page-style.ts';
import { custodySection } from './run-custody.ts';
import { stackSection } from './stack-html.ts';

/** What the bundle holds beside the report itself. */
interface Contents {
  state: string;
  image: boolean;
  items: BundleItem[];
  withheld?: { role: string; name?: string; commitment: string }[];
  /** The bundle that this is a redaction of. */
  subject?: Digest;
}

const TONE = { reproduced: 'good', diverged: 'bad', rejected: 'bad', inconclusive: 'open' } as const;

const VERDICTS = {
  reproduced:
    'In the sandbox image named below, the recorded command ended the same way often enough to pass the policy.',
  diverged: 'The recorded command did not end the same way often enough.',
  rejected: 'Something was not what the manifest claims, or was not proven. Nothing was replayed.',
  inconclusive: 'The replays could not be completed. This says nothing about the program.',
} as const;

/** Why, as a sentence; the code stands behind it for readers who look it up. */
function sentence({ reason, message }: ReplayRecord): string {
  const text = REASONS[reason] ?? message;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)} (${reason}).${REASONS[reason] && message ? ` ${message}` : ''}`;
}

/** One square a replay: dark where it matches, outlined where it does not; at most 400 are drawn. */
function picture(record: ReplayRecord): string {
  const shown = record.replays.slice(0, 400);
  const across = 40;
  const cells = shown.map(({ outcome }, i) => {
    const [x, y] = [(i % across) * 14, Math.floor(i / across) * 14];
    const paint = outcome === 'match' || outcome === 'diverged' ? outcome : 'lost';
    return `<rect x="${x + 1}" y="${y + 1}" width="11" height="11" class="${paint}"/>`;
  });
  const [width, height] = [Math.min(shown.length, across) * 14, Math.ceil(shown.length / across) * 14];
  const matching = record.replays.filter(({ outcome }) => outcome === 'match').length;
  return `<figure><svg role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-label="${matching} of ${record.requested} replays match">${cells.join('')}</svg><figcaption>One square a replay: green matches, red ended in another state, outlined did not complete. ${matching} of ${record.requested} match: ratio ${esc(record.replay_success_ratio.toFixed(3))}.</figcaption></figure>`;
}

function states(record: ReplayRecord): string {
  const counts = new Map<string, number[]>();
  for (const { index, outcome, exit_code, signal, final_state_sha256, error, crash } of record.replays) {
    const ended = error
      ? `failed: ${error.code}`
      : signal
        ? `signal ${crash ? crashText(crash) : signal}`
        : exit_code === null
          ? 'did not end'
          : `exit ${exit_code}`;
    const key = JSON.stringify([outcome, ended, final_state_sha256]);
    const indices = counts.get(key);
    if (indices) indices.push(index);
    else counts.set(key, [index]);
  }
  const lines = [...counts].map(([key, indices]) => {
    const [outcome, ended, state] = JSON.parse(key) as [string, string, string | null];
    const which = indices.length > 12 ? `${indices.slice(0, 12).join(', ')} …` : indices.join(', ');
    return [String(indices.length), esc(outcome), esc(ended), digest(state), esc(which)];
  });
  return `<div class="wide">${columns(['Replays', 'Outcome', 'How they ended', 'Final state', 'Which'], lines)}</div>`;
}

const CHECKS: Record<string, string> = {
  form: 'The file has exactly the form its format prescribes',
  signature: 'A signature over exactly these bytes was verified',
  statement: 'What is signed is an in-toto statement',
  subject: 'The statement names the digest of the thing at hand',
  predicate: 'It says what the policy demands',
  log: 'The signature’s entry is in a transparency log',
  time: 'It was made while key or certificate were valid',
  identity: 'The signer is one the policy names',
};

function evidence(record: ReplayRecord): string {
  const { status, record: found } = record.evidence;
  if (!found && status !== 'not_checked')
    return `<p>The evidence was withheld, because it would give away what was taken out. The record says that it was <strong>${esc(status)}</strong>; that cannot be checked from here.</p>`;
  if (!found)
    return '<p><strong>Nothing was checked:</strong> the policy of this run names nobody who may sign. Who wrote the manifest is not proven.</p>';
  const blocks = found.envelopes.map((envelope) => {
    const lines = envelope.checks.map(({ name, status: s, code, detail }) => [
      esc(CHECKS[name]),
      esc(s.replace('_', ' ')),
      `${esc(code ? `${code}: ` : '')}${esc(detail)}`,
    ]);
    const signers = envelope.signers.map(
      ({ authority, identity, issuer, key_fingerprint }) =>
        `<li>${esc(authority)}: ${identity ? `${esc(identity)}, vouched for by ${esc(issuer)}` : `the holder of key ${digest(key_fingerprint)}`}</li>`,
    );
    const times = envelope.timestamps.map(({ source, time }) => `<li>${esc(time)}, by ${esc(source)}</li>`);
    return `<p>Evidence ${digest(envelope.sha256)}: <strong>${esc(envelope.verdict)}</strong></p>${columns(['Check', 'Result', 'Detail'], lines, 'checks')}${signers.length > 0 ? `<p>Signed by</p><ul>${signers.join('')}</ul>` : ''}<p>When</p><ul>${times.join('') || '<li>no time is proven</li>'}</ul>`;
  });
  return `<p>The evidence was <strong>${esc(status)}</strong>${found.code ? ` (${esc(found.code)}: ${esc(found.message)})` : ''} at ${esc(found.verified_at)} under the policy ${digest(found.policy.sha256)}${found.trust_root ? ` and the trust root ${digest(found.trust_root.sha256)}` : ''}.</p>${blocks.join('')}`;
}

/** One row of a table, or none. */
function row(label: string, html: string | null): [string, string][] {
  return html === null ? [] : [[label, html]];
}

function divergence({ divergence: d }: ReplayRecord): string {
  if (!d) return '';
  return `<h2>The first difference</h2>${rows([
    ['Where', esc(d.kind === 'path' ? `${d.path ?? ''} ${d.attribute ?? ''}` : d.kind)],
    ...row('At byte', d.offset === undefined ? null : esc(d.offset)),
    ['Expected', `<code>${esc(d.context?.expected ?? d.expected)}</code>`],
    ['Found', `<code>${esc(d.context?.actual ?? d.actual)}</code>`],
    ['In replay', esc(d.replay)],
  ])}`;
}

/** For a redaction: what is not inside, so that the rest is not mistaken for the whole. */
function withheld({ withheld: list = [], subject }: Contents): string {
  if (!subject) return '';
  const lines = list.map(({ role, name, commitment }) => [esc(role), esc(name), digest(commitment)]);
  return `<h2>What was withheld</h2><p>This bundle is a redaction of ${digest(subject)}: what is listed here was taken out of it. In the place of each digest stands a commitment: whoever holds the original and the case secret can show that it was exactly this; nobody else can guess it. Evidence that would give a withheld digest away was taken out as well.</p><div class="wide">${columns(['What', 'Name', 'Commitment'], lines)}</div>`;
}

const GLOSSARY: [string, string][] = [
  [
    'digest',
    'A number computed from a content. Any change of the content changes it; nobody can make another content with the same digest.',
  ],
  ['manifest', 'What is to be replayed: image, command, inputs, seed, limits, and the state to expect.'],
  ['sandbox image', 'The file system the program runs in, named by digest.'],
  ['replay', 'One run of the command in a fresh container without network.'],
  ['final state', 'How the program ended, what it printed, and every file it changed; its digest names it.'],
  [
    'evidence',
    'Signed statements about digests. A signature says who claims something, not that it is true.',
  ],
  [
    'custody',
    'Entries that each name the one before, so that none can be changed or taken out unnoticed. A missing end does not show, unless somebody kept a receipt.',
  ],
  [
    'timestamp',
    'A statement by a timestamping authority that something was there at that time. It is worth as much as that authority is.',
  ],
];

/** The steps of a reader's verification, each in a sentence. */
const VERIFICATION = [
  'The archive has exactly the one form that bundles have, and nothing stands behind its end.',
  'Every content has the digest it is listed under; nothing listed is missing, and nothing else is there.',
  'The two lists of the BagIt bag, this page, custody.txt and VERIFY.txt are byte for byte what is made of the contents.',
  'The verdict is decided again from the replays as they are recorded, and is the recorded one.',
  'Each recorded ending is the one in the final state that it names.',
  'The evidence is verified again, as of the time of the run, and comes to the recorded result.',
  'The sandbox image is the one that its own documents describe, from the pinned digest down.',
  'The run’s custody entries and the signed events each name the one before, and each signature fits its key.',
  'Each timestamp is of this bundle or of one of its events.',
];

/** The things the program saw that only its seed decided. */
function decidedBy(
  env: NonNullable<ReplayRecord['environment']>,
  schedule: Manifest['schedule'] | undefined,
): string {
  if (env.determinism !== 'full')
    return 'nothing but the number given to the program: clock, random numbers and order of threads were real';
  const chance = schedule === 'chaos' ? ', turns by chance' : ', a seed of its own for each replay';
  const turns = env.schedule === 'chaos' ? chance : '';
  return `clock, random numbers, order of threads, addresses${turns} (mechanisms: ${(env.mechanisms ?? []).join(', ')})`;
}

function claimedRows(record: ReplayRecord, manifest: Manifest | undefined): [string, string][] {
  const claims = record.claims.map(({ name, claimed, observed, match }): [string, string] => [
    name,
    `claimed ${esc(claimed)}, observed ${esc(observed ?? 'unknown')}${match === false ? ' <strong>(differs)</strong>' : ''}`,
  ]);
  const inputs = manifest?.inputs ?? [];
  const asked: [string, string][] = manifest
    ? [
        ['Command', `<code>${esc(manifest.run_instructions)}</code>`],
        ['Seed', esc(manifest.seed)],
        ['Inputs', inputs.map(({ path, sha256 }) => `${esc(path)} ${digest(sha256)}`).join('<br>') || 'none'],
      ]
    : [];
  return [
    ...asked,
    ['Manifest', digest(record.manifest_sha256)],
    ['As evidence names it', digest(record.manifest_subject_sha256)],
    ['Sandbox image', digest(record.sandbox_image_sha256)],
    ['Expected state', digest(record.expected_state_sha256)],
    ...claims,
  ];
}

/** Where it ran; nothing where nothing did. */
function hostRows(env: ReplayRecord['environment'], manifest: Manifest | undefined): [string, string][] {
  if (!env) return [];
  const { processor } = env;
  const kind = processor ? `<br>${esc(processorText(processor))} stepping ${esc(processor.stepping)}` : '';
  return [
    ['Engine', esc(env.engine)],
    ['Kernel', esc(env.kernel)],
    ['Processor', esc(env.cpu) + kind],
    ['Harness', digest(env.harness_sha256)],
    ['Seccomp profile', digest(env.seccomp_sha256)],
    ['Decided by the seed', esc(decidedBy(env, manifest?.schedule))],
    ['Trusted, not proven', esc(env.trusted.join(', '))],
  ];
}

/** The page; the same contents give the same bytes. It lies in the bundle, and so cannot name the bundle's identity. */
export function bundleReport(
  record: ReplayRecord,
  contents: Contents,
  manifest: Manifest | undefined,
  join?: JoinDocument,
): string {
  const custody = contents.items.filter(({ role }) => role === 'custody');
  const { environment: env, image } = record;
  const only = holdsOnly(env);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${esc(record.name)}: ${esc(record.verdict)}</title><style>${STYLE}</style></head><body>
<h1>${esc(record.name)}</h1><p>The report of an audit bundle, whose identity is in VERIFY.txt beside this page</p>
<div class="verdict ${TONE[record.verdict]}"><strong>${esc(record.verdict)}</strong><br>${esc(VERDICTS[record.verdict])}<br>${esc(sentence(record))}${only.length > 0 ? `<br>It holds only ${esc(only.join('; '))}.` : ''}</div>
${join ? stackSection(join, record) : ''}<h2>What was claimed</h2>${rows(claimedRows(record, manifest))}
<h2>What was verified, and how</h2>${evidence(record)}
<h2>The replays</h2>${record.replays.length > 0 ? picture(record) + states(record) : '<p>There were none.</p>'}
${record.gates.length > 0 ? `<p>Conditions of the policy ${esc(record.policy.name)}:</p>${gatesTable(record.gates, String)}` : ''}
${divergence(record)}
${custodySection(
  custody.map(({ sha256 }) => sha256),
  contents.withheld?.some(({ role }) => role === 'custody') ?? false,
)}
${withheld(contents)}
<h2>Environment</h2>${rows([
    ['Started', esc(record.started_at)],
    ['Took', `${esc((record.duration_ms / 1000).toFixed(1))} s`],
    ...hostRows(env, manifest),
    ...row('Image configuration', image && digest(image.config)),
    ...row('Image checked by', image && esc(image.image_check)),
    ...row('Holds only', only.length > 0 ? esc(only.join('; ')) : null),
    ['Not captured', esc(record.uncaptured.join(', '))],
    ['Degraded', esc(record.degraded.join('; ') || 'nothing')],
    [
      'In this bundle',
      `${contents.items.length} items; contents of states: ${esc(contents.state)}; sandbox image: ${contents.image ? 'inside' : 'not inside'}`,
    ],
  ])}
<h2>Words</h2><dl>${GLOSSARY.map(([word, meaning]) => `<dt>${esc(word)}</dt><dd>${esc(meaning)}</dd>`).join('')}</dl>
<h2>What a verification checks</h2><p><code>reenact bundle verify</code> needs this file alone, and no network. It says apart what follows from the records, who signed what was to be replayed, and who signed the records.</p><ol>${VERIFICATION.map((text) => `<li>${esc(text)}</li>`).join('')}</ol>
<h2>Checking this without us</h2><p>The file VERIFY.txt beside this page has the commands: they need sha256sum, jq and openssl, and no network. This page proves nothing by itself: its digest stands below the bundle’s identity, which those commands check, and <code>reenact bundle verify</code> makes it again from what is inside and compares.</p>
</body></html>
`;
}
