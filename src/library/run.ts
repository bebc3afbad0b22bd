/** Replays manifests: files, folders, patterns, or manifests made in code. */
import { Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import type { Manifest } from '../manifest/definition.ts';
import { type LoadedManifest, loadManifests } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { runManifests } from '../reenact.ts';
import type { RunOptions } from '../replay/options.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { PolicyInput, Session } from './session.ts';

/** A manifest's path, a folder of them or a pattern; a manifest made in code; or one that was loaded before. */
export type ManifestInput = string | Manifest | LoadedManifest;

/** How manifests are replayed; every field may be left out. */
export interface ReplayOptions
  extends Omit<RunOptions, 'manifests' | 'policy' | 'out' | 'signal' | 'clock' | 'onEvent'> {
  policy?: PolicyInput;
}

/** A manifest made in code names its inputs from the current folder. */
function made(manifest: Manifest): LoadedManifest {
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest)));
  if (!parsed.ok)
    throw new Fault('manifest_invalid', parsed.problems.map((problem) => showProblem(problem)).join('\n'));
  return { ...parsed.value, path: '(code)', folder: process.cwd(), name: manifest.name ?? 'manifest' };
}

/** Every manifest that is meant, or one Fault with everything that is wrong in any of them. */
export async function loadAll(
  session: Session,
  inputs: ManifestInput | readonly ManifestInput[],
): Promise<LoadedManifest[]> {
  const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly ManifestInput[];
  if (list.length === 0) throw new Fault('usage', 'name at least one manifest');
  const tell = (text: string): void => session.tell({ type: 'notice', text });
  // Together, so that what is wrong in any of them is said at once.
  const paths = list.filter((input) => typeof input === 'string');
  if (paths.length === list.length) return await loadManifests(paths, tell);
  const all: LoadedManifest[] = [];
  for (const input of list)
    if (typeof input === 'string') all.push(...(await loadManifests([input], tell)));
    else all.push('manifest' in input ? input : made(input));
  return all;
}

/** Replays them in the session's store; the records come in the manifests' order. */
export async function run(
  session: Session,
  inputs: ManifestInput | readonly ManifestInput[],
  { policy, ...options }: ReplayOptions = {},
): Promise<ReplayRecord[]> {
  const manifests = await loadAll(session, inputs);
  return await runManifests(await session.engine(), {
    ...options,
    manifests,
    policy: await session.judge(policy),
    out: session.store,
    signal: session.signal,
    onEvent: session.tell,
  });
}
