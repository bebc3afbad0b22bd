/** The differences of two bundles: first what their records say, then their contents, then the states that count. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, isDigest } from '../../base/digest.ts';
import { temporaryFolder } from '../../base/temporary.ts';
import { diffStates, type Difference as StateDifference } from '../../state/diff.ts';
import type { FinalState } from '../../state/final-state.ts';
import { BlobStore } from '../../store/blobs.ts';
import { extractBundle, openWhole } from '../extract/extract.ts';
import type { Item } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import type { Opened } from '../read/open.ts';
import { stateOf } from '../read/states.ts';
import { comparableFields } from './comparable-fields.ts';

/** One difference; null for the side that does not have the thing. */
export interface Difference {
  where: string;
  a: unknown;
  b: unknown;
}

export interface BundleDifferences {
  /** The identities. */
  roots: Digest[];
  record: Difference[];
  items: Difference[];
  state: Difference[];
}

/** How many differences of states are shown with the bytes around them. */
const WITH_CONTEXT = 20;

interface Side {
  path: string;
  opened: Opened;
  state: FinalState | undefined;
}

async function readSide(path: string): Promise<Side> {
  try {
    const opened = await openWhole(path);
    return { path, opened, state: stateOf(opened, opened.record.final_state_sha256) };
  } catch (error) {
    if (error instanceof Refused) throw new Refused(error.code, `${path}: ${error.message}`);
    throw error;
  }
}

function compare(a: Map<string, unknown>, b: Map<string, unknown>): Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((where) => {
    const [left, right] = [a.get(where) ?? null, b.get(where) ?? null];
    return canonicalJson(left) === canonicalJson(right) ? [] : [{ where, a: left, b: right }];
  });
}

/** The name of an item, and what tells it apart from another of the same name. */
function itemOf({ role, name, sha256, size }: Item): [string, string] {
  // These contain times: all else that they say is in the record, and is compared there.
  if (['record', 'report', 'evidence-record', 'custody'].includes(role)) return [`item ${role}`, 'inside'];
  if (['input', 'harness', 'symbols', 'trace', 'join'].includes(role))
    return [`item ${role} ${name}`, sha256];
  return [`item ${role} ${sha256}`, `${size} bytes`];
}

function itemsOf({ document }: Opened): Map<string, string> {
  const items = new Map<string, string>();
  for (const [where, value] of document.items.map(itemOf)) {
    const other = items.get(where);
    items.set(where, other === undefined ? value : `${other}, ${value}`);
  }
  return items;
}

/** The contents to which the first differences belong. */
function contentsOf(differences: StateDifference[], states: FinalState[]): Digest[] {
  return differences.slice(0, WITH_CONTEXT).flatMap(({ kind, attribute, expected, actual }) => {
    if (kind === 'stdout' || kind === 'stderr') return states.map((state) => state[kind].sha256);
    return attribute === 'sha256' ? [expected, actual].filter(isDigest) : [];
  });
}

/** The size of a withheld content is null. */
function told(text: string): string {
  return text === 'null bytes' ? 'withheld' : text;
}

function stateDifference(d: StateDifference): Difference {
  const what =
    d.kind === 'path' ? `${d.path}: ${d.attribute === 'sha256' ? 'content' : d.attribute}` : d.kind;
  return {
    where: `state ${what}${d.offset === undefined ? '' : `, first at byte ${d.offset}`}`,
    a: told(d.context?.expected ?? d.expected),
    b: told(d.context?.actual ?? d.actual),
  };
}

/** Compares the states that count. Only the contents of their first differences are taken out of the bundles, in a second pass. */
async function compareStates(sides: [Side, Side]): Promise<Difference[]> {
  const [a, b] = sides.map(({ state }) => state);
  if (!a || !b) return [];
  const folder = temporaryFolder('diff');
  try {
    const store = new BlobStore(join(folder, 'store'));
    const all = await diffStates(store, a, b);
    const wanted = contentsOf(all, [a, b]);
    for (const { path } of wanted.length > 0 ? sides : [])
      await extractBundle(path, store, new Set(wanted.filter((sha256) => !store.has(sha256))));
    const first = await diffStates(store, a, b, WITH_CONTEXT);
    return [...first, ...all.slice(first.length)].map(stateDifference);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compares two bundles that are both whole; throws Refused, with the file's name, for one that is not. */
export async function diffBundles(a: string, b: string): Promise<BundleDifferences> {
  const sides: [Side, Side] = [await readSide(a), await readSide(b)];
  const [left, right] = [sides[0].opened, sides[1].opened];
  return {
    roots: [left.root, right.root],
    record: compare(comparableFields(left), comparableFields(right)),
    items: compare(itemsOf(left), itemsOf(right)),
    state: await compareStates(sides),
  };
}
