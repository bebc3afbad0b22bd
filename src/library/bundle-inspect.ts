/** What a bundle is and what is in it, at a glance; form and digests are checked, and nothing else. */
import type { Digest } from '../base/digest.ts';
import type { CaseDocument } from '../bundle/format/format.ts';
import type { Problems } from '../bundle/read/contents.ts';
import { type Opened, openBundle } from '../bundle/read/open.ts';

/** Contents of one kind. */
export interface RoleSums {
  role: string;
  items: number;
  size_bytes: number;
}

/** What a bundle says it is; whether that is so, verifyBundle tells. */
export interface BundleInspection {
  root: Digest;
  redaction_of: Digest | null;
  size_bytes: number;
  name: string;
  verdict: string;
  replays: number;
  replay_success_ratio: number;
  started_at: string;
  /** What the recording machine lacked, one sentence each. */
  degraded: string[];
  state: CaseDocument['state'];
  /** Whether the sandbox image is inside. */
  image: boolean;
  layers: number;
  contents: RoleSums[];
  withheld: number;
  events: { sequence: number; action: string; actor: string; time: string | null }[];
  timestamps: { time: string; authority: string }[];
  problems: Problems;
  /** The index of all that is inside. */
  document: CaseDocument;
}

/** Contents by what they are for, in the order of the format. */
function rolesOf({ document }: Opened): RoleSums[] {
  const roles = new Map<string, { items: number; size_bytes: number }>();
  for (const { role, size } of document.items) {
    const { items, size_bytes } = roles.get(role) ?? { items: 0, size_bytes: 0 };
    roles.set(role, { items: items + 1, size_bytes: size_bytes + size });
  }
  return [...roles].map(([role, sums]) => ({ role, ...sums }));
}

/** Opens the bundle at `path`; one that cannot be read to its end is Refused. */
export async function inspectBundle(path: string): Promise<BundleInspection> {
  const opened = await openBundle(path);
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
    document,
  };
}
