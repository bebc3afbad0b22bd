/** reenact diff: everything in which two recorded states differ. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { type Digest, isDigest } from '../../base/digest.ts';
import { asFault, EXIT, Fault } from '../../base/fault.ts';
import { type Problem, parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { safe } from '../../report/human.ts';
import { type Difference, diffStates } from '../../state/diff.ts';
import type { FinalState } from '../../state/final-state.ts';
import { BlobStore } from '../../store/blobs.ts';
import { readState } from '../../verdict/explain.ts';
import { apart, tiedTo } from '../../verdict/machine.ts';
import { type ReplayRecord, recordShape } from '../../verdict/record.ts';
import type { Arguments } from '../arguments.ts';

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

function show(d: Difference): string {
  const where = d.kind === 'path' ? `${d.path}: ${d.attribute}` : d.kind;
  const at = d.offset === undefined ? '' : `, first at byte ${d.offset}`;
  return safe(
    `${where}${at}\n  - ${d.context?.expected ?? d.expected}\n  + ${d.context?.actual ?? d.actual}\n`,
  );
}

export async function diffCommand(a: Arguments): Promise<number> {
  const [first, second] = a.positionals;
  if (!first || !second || a.positionals.length > 2) throw new Fault('usage', 'name two records or states');
  const [left, right] = [await find(first, a.text('store')), await find(second, a.text('store'))];
  const differences = await diffStates(left.store, left.state, right.state);
  const why = apart(left.tied, right.tied);
  if (why) process.stderr.write(`these are not of one kind of machine: ${why}\n`);
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(differences, null, 2)}\n`);
  else
    process.stdout.write(
      differences.length === 0 ? 'the states are the same\n' : differences.map(show).join(''),
    );
  return differences.length === 0 ? EXIT.ok : EXIT.failed;
}
