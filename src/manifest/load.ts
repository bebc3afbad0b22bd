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

/** Turns arguments into file paths, in order and without repeats; one that matches nothing is a Fault. */
function findManifests(args: string[]): string[] {
  const found = new Set<string>();
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
    for (const path of paths) found.add(path);
  }
  return [...found];
}

async function readManifest(path: string): Promise<{ loaded: LoadedManifest } | { problems: string }> {
  let bytes: Buffer;
  try {
    if (statSync(path).size > LIMITS.documentBytes)
      return { problems: `${path}: is over the limit of ${LIMITS.documentBytes} bytes` };
    bytes = await readFile(path);
  } catch (error) {
    throw asFault('manifest_invalid', `${path} cannot be read`, error);
  }
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

/** All manifests, or one Fault that lists everything wrong in any of them: nothing runs before all are right. */
export async function loadManifests(args: string[]): Promise<LoadedManifest[]> {
  const results = await Promise.all(findManifests(args).map(readManifest));
  const problems = results.flatMap((result) => ('problems' in result ? [result.problems] : []));
  if (problems.length > 0) throw new Fault('manifest_invalid', problems.join('\n'));
  return results.flatMap((result) => ('loaded' in result ? [result.loaded] : []));
}
