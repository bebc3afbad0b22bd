/** Finds and reads manifest files: files, folders and globs, every problem of every file reported at once. */
import { globSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { asFault, Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { type ParsedManifest, parseManifest } from './parse.ts';

export interface LoadedManifest extends ParsedManifest {
  path: string;
  folder: string;
  name: string;
}

interface Candidate {
  path: string;
  /** By its own name, not found in a folder or by a pattern: then it must be a manifest. */
  named: boolean;
}

/** Turns arguments into file paths, in order and without repeats; one that matches nothing is a Fault. */
function findManifests(args: string[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const arg of args) {
    const stat = statSync(arg, { throwIfNoEntry: false });
    const paths = stat?.isDirectory()
      ? readdirSync(arg)
          .filter((name) => name.endsWith('.json'))
          .sort()
          .map((name) => join(arg, name))
      : stat
        ? [arg]
        : globSync(arg).sort();
    if (paths.length === 0)
      throw new Fault('usage', stat ? `${arg} holds no .json file` : `${arg}: no such file`);
    for (const path of paths)
      found.set(path, { path, named: path === arg || found.get(path)?.named === true });
  }
  return [...found.values()];
}

/** The kind of a JSON file that is certainly no manifest; undefined where it is one, or could be a damaged one. */
function foreignKind(bytes: Buffer): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'no JSON object';
  const has = (name: string): boolean => Object.hasOwn(value, name);
  if (has('record_version')) return 'a record';
  if (has('run_instructions') || has('harness_version')) return undefined;
  if (has('payloadType') || has('mediaType') || has('dsseEnvelope')) return 'evidence';
  return 'JSON of another kind';
}

type Read = { loaded: LoadedManifest } | { problems: string } | { passedOver: string };

async function readManifest({ path, named }: Candidate): Promise<Read> {
  let bytes: Buffer;
  try {
    if (statSync(path).size > LIMITS.documentBytes)
      return { problems: `${path}: is over the limit of ${LIMITS.documentBytes} bytes` };
    bytes = await readFile(path);
  } catch (error) {
    throw asFault('manifest_invalid', `${path} cannot be read`, error);
  }
  const kind = named ? undefined : foreignKind(bytes);
  if (kind) return { passedOver: `${path}: passed over, it is ${kind}` };
  const parsed = parseManifest(bytes);
  if (parsed.ok)
    return {
      loaded: {
        ...parsed.value,
        path,
        folder: dirname(path),
        name: parsed.value.manifest.name ?? basename(path, '.json'),
      },
    };
  const shown = parsed.problems.slice(0, 50).map((p) => `  ${showProblem(p)}`);
  if (parsed.problems.length > 50) shown.push(`  and ${parsed.problems.length - 50} more`);
  return { problems: `${path}:\n${shown.join('\n')}` };
}

/** All manifests, or one Fault that lists everything wrong in any of them: nothing runs before all are right.
 * `tell` hears of files in folders that are no manifests: envelopes and records lie beside the manifests they are about. */
export async function loadManifests(
  args: string[],
  tell: (text: string) => void = () => undefined,
): Promise<LoadedManifest[]> {
  const results = await Promise.all(findManifests(args).map(readManifest));
  const problems = results.flatMap((result) => ('problems' in result ? [result.problems] : []));
  if (problems.length > 0) throw new Fault('manifest_invalid', problems.join('\n'));
  const passedOver = results.flatMap((result) => ('passedOver' in result ? [result.passedOver] : []));
  const loaded = results.flatMap((result) => ('loaded' in result ? [result.loaded] : []));
  if (loaded.length === 0)
    throw new Fault('usage', `there is no manifest among what was named\n${passedOver.join('\n')}`);
  for (const text of passedOver) tell(text);
  return loaded;
}
