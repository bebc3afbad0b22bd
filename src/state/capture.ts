/** Captures a final state one of two ways, with what an idle container shows subtracted; both give one digest. */
import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import type { ContainerFacts, Engine, OverlayFolders } from '../sandbox/engine.ts';
import type { Ending } from '../sandbox/run.ts';
import type { Tree } from '../sandbox/tree.ts';
import type { BlobStore } from '../store/blobs.ts';
import { readArchive, readBaselineTree } from './archive.ts';
import {
  type Changes,
  type FinalState,
  type PathChange,
  pathField,
  type RawPath,
  sortedFiles,
} from './final-state.ts';
import { readOverlay, StateTooLarge } from './overlay.ts';
import { selector } from './select.ts';

export type CaptureWay = 'overlay' | 'archive';

export interface CaptureContext {
  engine: Engine;
  way: CaptureWay;
  scanner: string;
  store: BlobStore;
  /** The manifest's selection of paths. */
  state: { include?: string[]; exclude?: string[] } | undefined;
}

/** What an idle container of the same make shows: overlay changes, or its whole tree. */
export type Baseline = { way: 'overlay'; changes: Changes } | { way: 'archive'; tree: Tree };

async function overlayChanges(
  c: CaptureContext,
  overlay: OverlayFolders | undefined,
  wanted: (raw: RawPath) => boolean,
): Promise<Changes> {
  if (!overlay)
    throw new Fault('capture_incomplete', 'the engine does not say where the container’s changes lie');
  return readOverlay(c.scanner, overlay, c.store, wanted);
}

/** Reads the baseline from a container that ran PID 1 and nothing else; all of it, whatever a manifest selects. */
export async function readBaseline(c: CaptureContext, idle: ContainerFacts): Promise<Baseline> {
  if (c.way === 'archive') return { way: 'archive', tree: await readBaselineTree(c.engine, idle.id) };
  return { way: 'overlay', changes: await overlayChanges(c, idle.overlay, selector(undefined)) };
}

function sameBut(a: PathChange, b: PathChange): boolean {
  return canonicalJson({ ...a, change: '' }) === canonicalJson({ ...b, change: '' });
}

/** Removes what the idle container shows as well; a path that it has and the program removed is a deletion. */
export function subtract(changes: Changes, idle: Changes): Changes {
  const result: Changes = new Map(changes);
  for (const [raw, base] of idle) {
    const now = changes.get(raw);
    if (base.change === 'deleted') {
      if (now?.change === 'deleted') result.delete(raw);
    } else if (!now) {
      if (topmostGone(raw, changes, idle)) result.set(raw, { ...pathField(raw), change: 'deleted' });
    } else if (sameBut(now, base)) result.delete(raw);
    else if (now.change === 'added') result.set(raw, { ...now, change: 'changed' });
  }
  return result;
}

/** Below a folder that is gone as well, or no folder any more, only the folder is named. */
function topmostGone(raw: RawPath, changes: Changes, idle: Changes): boolean {
  const slash = raw.lastIndexOf('/');
  if (slash < 0) return true;
  const parent = raw.slice(0, slash);
  const now = changes.get(parent);
  if (now) return now.type === 'dir';
  return !idle.has(parent) || present(idle.get(parent)).change === 'deleted';
}

async function changesOf(
  c: CaptureContext,
  container: ContainerFacts,
  baseline: Baseline,
  hidden: number,
): Promise<Changes> {
  const wanted = selector(c.state);
  if (baseline.way === 'overlay') {
    const idle = new Map([...baseline.changes].filter(([raw]) => wanted(raw)));
    return subtract(await overlayChanges(c, container.overlay, wanted), idle);
  }
  if (hidden !== 0)
    throw new Fault(
      'capture_incomplete',
      `the program left ${hidden < 0 ? 'possibly' : hidden} sockets or extended attributes, which the archive API cannot show`,
    );
  return readArchive(c.engine, container.id, baseline.tree, c.store, wanted);
}

/** The state and its digest, kept in the store; undefined when the program wrote more than may be captured. */
export async function captureState(
  c: CaptureContext,
  container: ContainerFacts,
  ending: Ending,
  baseline: Baseline,
): Promise<{ state: FinalState; sha256: Digest } | undefined> {
  let changes: Changes;
  try {
    changes = await changesOf(c, container, baseline, ending.hidden);
  } catch (error) {
    if (error instanceof StateTooLarge) return undefined;
    throw error;
  }
  const state: FinalState = {
    exit_code: ending.exitCode,
    signal: ending.signal,
    stdout: { sha256: ending.stdout.sha256, size: ending.stdout.sizeBytes },
    stderr: { sha256: ending.stderr.sha256, size: ending.stderr.sizeBytes },
    files: sortedFiles(changes),
  };
  return { state, sha256: await c.store.put(canonicalJson(state)) };
}
