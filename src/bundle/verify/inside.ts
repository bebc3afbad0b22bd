/** Everything inside must be needed, and everything that is needed must be inside, or withheld. */
import { type Digest, isDigest } from '../../base/digest.ts';
import type { Policy } from '../../policy/policy.ts';
import type { FinalState } from '../../state/final-state.ts';
import type { Item } from '../format/format.ts';
import { imageDocuments } from '../format/image-documents.ts';
import type { Problems } from '../read/contents.ts';
import type { Opened } from '../read/open.ts';
import { stateOf } from '../read/states.ts';

/** Everything that a state names, as far as the bundle claims to hold it. */
function contentsOf({ record, document }: Opened, states: Map<Digest, FinalState>): Set<Digest> {
  const named = new Set<Digest>();
  if (document.state === 'none') return named;
  for (const [sha256, { stdout, stderr, files }] of states) {
    for (const one of [stdout, stderr]) named.add(one.sha256);
    if (document.state === 'changed' && sha256 === record.final_state_sha256) continue;
    for (const file of files) if (file.sha256) named.add(file.sha256);
  }
  return named;
}

/** Compares one role's items with what is named. */
function compare(
  opened: Opened,
  role: Item['role'],
  named: Iterable<Digest | null | undefined>,
  problems: Problems,
  allow: { missing?: boolean; more?: boolean } = {},
): void {
  const { items, withheld = [] } = opened.document;
  const inside = new Set<string>(items.filter((item) => item.role === role).map(({ sha256 }) => sha256));
  const gone = new Set(withheld.map(({ commitment }) => commitment.replace('hmac-', '')));
  const wanted = new Set<string>([...named].filter((sha256) => sha256 !== null && sha256 !== undefined));
  const missing = [...wanted].find((sha256) => !inside.has(sha256) && !gone.has(sha256));
  const strange = allow.more ? undefined : [...inside].find((sha256) => !wanted.has(sha256));
  if (missing && !allow.missing)
    problems.push({ code: 'content_missing', message: `${role} ${missing}, which is named, is not inside` });
  if (strange)
    problems.push({
      code: 'member_unexpected',
      message: `${role} ${strange} is inside, and nothing names it`,
    });
}

/** Its policy stays in the bundle, although nothing names it any more. */
function traceWithheld({ document }: Opened): boolean {
  return document.withheld?.some(({ role }) => role === 'trace') ?? false;
}

/** What a trace and its frames name. */
function compareTrace(opened: Opened, problems: Problems): void {
  const join = opened.traced?.join;
  const proofs = [...(join?.symbols ?? []), ...(join?.artifacts ?? [])].flatMap(({ evidence }) => evidence);
  compare(opened, 'policy', [opened.record.policy.sha256, join?.policy.sha256], problems, {
    more: traceWithheld(opened),
  });
  compare(opened, 'trace', [join?.trace_id], problems);
  compare(opened, 'trace-source', [join?.source_sha256], problems);
  compare(
    opened,
    'symbols',
    join?.symbols.flatMap(({ sha256, file_sha256 }) => [sha256, file_sha256]) ?? [],
    problems,
  );
  compare(
    opened,
    'trace-evidence',
    proofs.flatMap(({ files }) => files),
    problems,
  );
  compare(opened, 'reproduction', join?.earlier.map(({ record_sha256 }) => record_sha256) ?? [], problems);
}

/** Checks inputs, states and contents, policy files, harness and image; returns what could not be examined. */
export async function checkInside(opened: Opened, policies: Policy[], problems: Problems): Promise<string[]> {
  const { record, manifest, document, kept } = opened;
  const listed = document.items.filter(({ role }) => role === 'state').map(({ sha256 }) => sha256);
  const states = new Map<Digest, FinalState>();
  const unread: string[] = [];
  for (const sha256 of listed) {
    const state = stateOf(opened, sha256);
    if (state) states.set(sha256, state);
    else unread.push(`the final state ${sha256}, which is too large`);
  }
  const ended = record.replays.map(({ final_state_sha256 }) => final_state_sha256);
  compare(
    opened,
    'state',
    [...ended, ...listed.filter((one) => one === record.expected_state_sha256)],
    problems,
  );
  const inputs = (manifest?.inputs ?? []).map(({ sha256 }) => sha256);
  // A run that was rejected never read its inputs.
  compare(opened, 'input', inputs, problems, { missing: !record.image });
  compare(opened, 'content', contentsOf(opened, states), problems, { more: unread.length > 0 });
  const { environment } = record;
  compare(opened, 'harness', [environment?.harness_sha256, environment?.seccomp_sha256], problems);
  const keys = policies.flatMap(({ authorities }) =>
    authorities.flatMap(({ key }) => (key ? [key.path] : [])),
  );
  const roots = policies.flatMap(({ trustRoots }) => trustRoots.map(({ file }) => file?.path));
  const files = [...keys, ...roots, record.evidence.record?.trust_root?.sha256];
  compare(
    opened,
    'policy-file',
    files.filter((one) => one !== undefined && isDigest(one)),
    problems,
    { more: traceWithheld(opened) },
  );
  compareTrace(opened, problems);
  const pinned = manifest?.sandbox_image_sha256;
  const image = pinned ? await imageDocuments(pinned, (digest) => kept.get(digest)) : undefined;
  if (document.image && !image)
    problems.push({ code: 'content_missing', message: 'the image’s documents are not inside' });
  const layers = document.image ? (image?.layers ?? []).map(({ digest }) => digest) : [];
  const documents = image ? [image.index, image.manifest, image.config] : [];
  compare(opened, 'image', [...documents, ...layers], problems);
  return unread;
}
