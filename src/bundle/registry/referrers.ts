/** The attachments that a registry lists for a root: from its own list, else from the tag that takes its place. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, hexOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { isObject, itemsOf, membersOf, parseJson, showProblem } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { INDEX_TYPE } from '../format/format.ts';
import { putManifest } from './manifests.ts';
import type { Remote } from './remote.ts';

/** The most pages: more would only keep a reader busy. */
const MAX_PAGES = 32;

/** An entry of a list of referrers; foreign ones are kept as they are. */
export interface Referrer {
  digest: string;
  [field: string]: unknown;
}

/** The tag that lists the referrers where a registry has no list of its own (OCI distribution specification 1.1). */
function fallbackTag(root: Digest): string {
  return `sha256-${hexOf(root)}`;
}

/** A list of what is attached; whatever else it says is kept where it is written again. */
interface ReferrerIndex {
  manifests: Referrer[];
  [field: string]: unknown;
}

const isReferrer = (one: unknown): one is Referrer => isObject(one) && typeof one.digest === 'string';

/** An index that strangers may have written: only that it lists things by digest is required of it. */
function parseIndex(bytes: Buffer, where: string): ReferrerIndex {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.imageDocumentBytes, depth: LIMITS.documentDepth });
  const index = membersOf(parsed.ok ? parsed.value : undefined);
  const manifests = itemsOf(index.manifests).filter(isReferrer);
  if (!Array.isArray(index.manifests) || manifests.length < index.manifests.length)
    throw new Fault(
      'registry_mismatch',
      `${where} is no list of what is attached${parsed.ok ? '' : `: ${parsed.problems.slice(0, 3).map(showProblem).join('; ')}`}`,
    );
  return { ...index, manifests };
}

/** The page after this one, which must be on the same registry. */
function nextPage(remote: Remote, link: string | null, from: URL): URL | undefined {
  const next = /^<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  return next === undefined ? undefined : remote.place(next, from);
}

/** The index behind the tag, if there is one. */
async function readFallback(remote: Remote, root: Digest): Promise<ReferrerIndex | undefined> {
  const tag = fallbackTag(root);
  const found = await remote.document(remote.session.url(`manifests/${tag}`), INDEX_TYPE);
  return found && parseIndex(found.bytes, `${remote.repository}:${tag}`);
}

/** Everything that the registry lists for this root, from any author. */
export async function readReferrers(remote: Remote, root: Digest): Promise<Referrer[]> {
  const found: Referrer[] = [];
  let url: URL | undefined = remote.session.url(`referrers/${root}`);
  for (let page = 0; url; page++) {
    const answer = await remote.document(url, INDEX_TYPE);
    if (!answer) return page === 0 ? ((await readFallback(remote, root))?.manifests ?? []) : found;
    if (page === MAX_PAGES)
      throw new Fault('registry_mismatch', `${remote.host} lists what is attached without end`);
    found.push(...parseIndex(answer.bytes, `${remote.host}, ${url.pathname}`).manifests);
    url = nextPage(remote, answer.headers.get('link'), url);
  }
  return found;
}

/** Adds the missing entries to the index behind the tag; entries of others are kept. */
export async function addToFallback(remote: Remote, root: Digest, more: Referrer[]): Promise<void> {
  const present = await readFallback(remote, root);
  const there = new Set(present?.manifests.map(({ digest }) => digest));
  const missing = more.filter(({ digest }) => !there.has(digest));
  if (missing.length === 0) return;
  const index = {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    ...present,
    manifests: [...(present?.manifests ?? []), ...missing],
  };
  await putManifest(remote, fallbackTag(root), canonicalJson(index), INDEX_TYPE);
}
