/** What a bundle of a trace holds: the latest reproduction of a stored trace, with the trace and all it is joined to. */
import { isDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { timeOf } from '../bundle/verify/trace-checks.ts';
import { type Collected, collect, type ImageOrigin, type StateContents } from '../bundle/write/collect.ts';
import { withTrace } from '../bundle/write/collect-trace.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { exportJoin, reproductionsOf } from '../join/store/export.ts';
import { findTrace } from '../join/store/join.ts';
import type { TraceStore } from '../join/store/store.ts';
import { type Policy, parsePolicy } from '../policy/policy.ts';
import type { BlobStore } from '../store/blobs.ts';
import { parseRecord } from '../verdict/parse.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { PolicyInput, Session } from './session.ts';
import { withStore } from './store.ts';

/** The policy that a run kept: canonical, its files named by their digests. */
async function keptPolicy(blobs: BlobStore, { name, sha256 }: ReplayRecord['policy']): Promise<Policy> {
  const get = async (digest: string): Promise<Buffer> => {
    const bytes = isDigest(digest) ? await blobs.get(digest) : undefined;
    if (!bytes)
      throw new Fault('record_invalid', `${digest}, of the policy ${name}, is not in ${blobs.folder}`);
    return bytes;
  };
  return await parsePolicy((await get(sha256)).toString('utf8'), name, get);
}

interface Wanted {
  state: StateContents;
  origin: ImageOrigin | undefined;
  policy: PolicyInput | undefined;
}

async function collectFrom(
  store: TraceStore,
  session: Session,
  given: string,
  { state, origin, policy: named }: Wanted,
): Promise<Collected> {
  const { database, blobs } = store;
  const trace = await findTrace(database, given);
  const reproductions = await reproductionsOf(database, trace.trace_id);
  const latest = reproductions.at(-1)?.record_sha256;
  if (latest === undefined)
    throw new Fault(
      'usage',
      `${trace.trace_id} was never replayed: reproduce it first: reenact reproduce ${given}`,
    );
  const bytes = await blobs.get(latest);
  if (!bytes)
    throw new Fault(
      'record_invalid',
      `the record ${latest} of its latest reproduction is not in ${blobs.folder}`,
    );
  const record = parseRecord(bytes, latest);
  const policy = (await session.policy(named)) ?? (await keptPolicy(blobs, record.policy));
  const join = await exportJoin(store, trace, {
    trust: loadTrust(policy),
    nowMs: timeOf(record),
    reproductions,
  });
  return withTrace(await collect(record, blobs, blobs.folder, state, origin), blobs, join, policy);
}

/** Everything about a trace that is stored, by its id. */
export async function collectTraced(session: Session, trace: string, wanted: Wanted): Promise<Collected> {
  return await withStore(session, (store) => collectFrom(store, session, trace, wanted), 'read');
}
