/** Everything in which two recorded states differ. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { type Digest, isDigest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { type Problem, parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { type Difference, diffStates } from '../state/diff.ts';
import type { FinalState } from '../state/final-state.ts';
import { BlobStore } from '../store/blobs.ts';
import { readState } from '../verdict/explain.ts';
import { apart, tiedTo } from '../verdict/machine.ts';
import { type ReplayRecord, recordShape } from '../verdict/record.ts';
import type { Session } from './session.ts';

/** The nearest folder above a record that holds blobs. */
function storeAbove(path: string): string | undefined {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'blobs', 'sha256'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

interface Recorded {
  digest: Digest;
  environment: ReplayRecord['environment'];
}

function readRecord(path: string): Recorded {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw asFault('record_invalid', `${path} cannot be read`, error);
  }
  const parsed = parseJson(bytes, { sizeBytes: 256 << 20, depth: LIMITS.documentDepth });
  const value = parsed.ok
    ? (parsed.value as Partial<ReplayRecord> & { replay?: { final_state_sha256?: unknown } })
    : undefined;
  const digest = value?.final_state_sha256 ?? value?.replay?.final_state_sha256;
  if (typeof digest !== 'string' || !isDigest(digest))
    throw new Fault('record_invalid', `${path} names no final state`);
  const problems: Problem[] = [];
  recordShape.check(value, '$', problems);
  return { digest, environment: problems.length === 0 ? (value?.environment ?? null) : null };
}

async function find(
  argument: string,
  given: string | undefined,
): Promise<{ state: FinalState; store: BlobStore; tied: string | null }> {
  const isState = isDigest(argument);
  const { digest, environment } = isState ? { digest: argument, environment: null } : readRecord(argument);
  const folder = given ?? (isState ? '.reenact' : storeAbove(argument)) ?? '.reenact';
  const store = new BlobStore(folder);
  const state = await readState(store, digest);
  if (!state)
    throw new Fault(
      'record_invalid',
      `${folder} does not hold the state ${digest}; name its folder with --store`,
    );
  return { state, store, tied: tiedTo(environment) };
}

/** In what two states differ. */
export interface StateDifferences {
  /** Empty: they are the same. */
  differences: Difference[];
  /** In what the machines of the two records differ, so that other states were to be expected; else null. */
  kinds: string | null;
}

/** Compares two records, or states by their digests; a record's own store is found above it where none is named. */
export async function compareStates(
  { namedStore }: Session,
  first: string,
  second: string,
): Promise<StateDifferences> {
  const [left, right] = [await find(first, namedStore), await find(second, namedStore)];
  return {
    differences: await diffStates(left.store, left.state, right.state),
    kinds: apart(left.tied, right.tied),
  };
}
