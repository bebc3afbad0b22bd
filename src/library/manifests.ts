/** Replay manifests: files, folders, patterns, or manifests made in code. */
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import type { Manifest } from '../manifest/definition.ts';
import { BLANKS, manifestDraft } from '../manifest/draft.ts';
import { type LoadedManifest, loadManifests } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { manifestSubject } from '../manifest/subject.ts';
import type { Session } from './session.ts';

/** A manifest's path, a folder of them or a pattern; a manifest made in code; or one that was loaded before. */
export type ManifestSource = string | Manifest | LoadedManifest;

/** A manifest to fill in. */
export interface DraftedManifest {
  /** The fields of a manifest, those with a usual value filled in. */
  manifest: Record<string, unknown>;
  /** The fields that only its author can fill in. */
  blanks: string[];
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
  inputs: ManifestSource | readonly ManifestSource[],
): Promise<LoadedManifest[]> {
  const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly ManifestSource[];
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

/** The digests that evidence about these manifests must name. */
export async function subjects(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
): Promise<Digest[]> {
  return (await loadAll(session, inputs)).map(({ manifest }) => manifestSubject(manifest));
}

/** A manifest to fill in; no run accepts it before its blanks are filled. */
export function draft(name: string): DraftedManifest {
  return { manifest: manifestDraft(name), blanks: Object.keys(BLANKS) };
}
