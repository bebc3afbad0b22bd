/** reenact bundle create --trace: the latest reproduction of a stored trace, with the trace and all it is joined to. */
import { Fault } from '../base/fault.ts';
import { type Collected, collect, type ImageOrigin, type StateContents } from '../bundle/collect.ts';
import { withTrace } from '../bundle/collect-trace.ts';
import { timeOf } from '../bundle/trace-checks.ts';
import { loadTrust } from '../evidence/trust.ts';
import { loadPolicy, type Policy, parsePolicy } from '../policy/policy.ts';
import type { BlobStore } from '../store/blobs.ts';
import { exportJoin, reproductionsOf } from '../trace/store/export.ts';
import { findTrace } from '../trace/store/join.ts';
import type { TraceStore } from '../trace/store/store.ts';
import { parseRecord } from '../verdict/parse.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { Arguments } from './options.ts';
import { withStore } from './store.ts';

/** The policy that a run kept: canonical, its files named by their digests. */
async function keptPolicy(blobs: BlobStore, { name, sha256 }: ReplayRecord['policy']): Promise<Policy> {
  const get = async (digest: string): Promise<Buffer> => {
    const bytes = await blobs.get(digest as typeof sha256);
    if (!bytes)
      throw new Fault('record_invalid', `${digest}, of the policy ${name}, is not in ${blobs.folder}`);
    return bytes;
  };
  return await parsePolicy((await get(sha256)).toString('utf8'), name, get);
}

async function collectFrom(
  store: TraceStore,
  a: Arguments,
  given: string,
  state: StateContents,
  origin: ImageOrigin | undefined,
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
  const named = a.text('policy');
  const policy = named === undefined ? await keptPolicy(blobs, record.policy) : await loadPolicy(named);
  const join = await exportJoin(store, trace, {
    trust: loadTrust(policy),
    nowMs: timeOf(record),
    reproductions,
  });
  return withTrace(await collect(record, blobs, blobs.folder, state, origin), blobs, join, policy);
}

/** Everything about the trace of --trace, in the store of --store. */
export async function collectTraced(
  a: Arguments,
  state: StateContents,
  origin: ImageOrigin | undefined,
): Promise<Collected> {
  if (a.positionals.length > 0)
    throw new Fault('usage', 'name a record, or a trace with --trace, and not both');
  return await withStore(a, (store) => collectFrom(store, a, a.text('trace')!, state, origin), 'read');
}
