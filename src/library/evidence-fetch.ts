/** Gets a log's proof into the local store, so that verifying needs no network. */
import { evidenceFolder } from '../base/cache-folder.ts';
import { systemClock } from '../base/clock.ts';
import { formatLogReference, type LogReference, parseLogReference } from '../evidence/documents/reference.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { fetchProof } from '../evidence/verify/log-fetch.ts';
import type { PolicyInput, Session } from './session.ts';

function entryOf(text: string): { index: number; named?: LogReference } {
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return { index: Number(text) };
  const named = parseLogReference(text);
  return { index: named.index, named };
}

/** Where a proof is got from, and where it is kept. */
export interface FetchEvidenceOptions {
  /** The log's address. */
  log: string;
  /** It must name the log's key. Default: the one that the library was opened with. */
  policy?: PolicyInput | undefined;
  /** A folder. Default: in the user's cache, where runs look. */
  store?: string | undefined;
}

/**
 * Gets a log's proof of one entry, by its index or as `rekor:…`, verifies and keeps it, and gives the reference that a
 * manifest's `rekor_tile_ref` can have.
 */
export async function fetchEvidence(
  session: Session,
  entry: string,
  { log, policy, store = evidenceFolder(process.env) }: FetchEvidenceOptions,
): Promise<string> {
  const { index, named } = entryOf(entry);
  const trusted = await session.judge(policy);
  const reference = await fetchProof({
    url: log,
    index,
    ...(named ? { origin: named.origin } : {}),
    logs: loadTrust(trusted).logs,
    store,
    clock: systemClock,
    ...session.waiting,
  });
  return formatLogReference(reference);
}
