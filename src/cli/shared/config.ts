/** reenact.yaml in the current folder: settings that belong to a project rather than to one call. */
import { existsSync, readFileSync } from 'node:fs';

import { Fault } from '../../base/fault.ts';
import { showProblem } from '../../base/json.ts';
import { array, boolean, object, read, type Shape, string } from '../../base/shape.ts';
import { messageOf } from '../../base/thrown.ts';

export interface Config {
  /** Repositories tried in order for an image whose manifest names none. */
  repositories: string[];
  /** Folders with evidence that manifests name. */
  evidence: string[];
  /** Whether a run may replay what no policy has checked. */
  require_evidence: boolean;
}

const configShape: Shape<Partial<Config>> = object(
  {
    repositories: array(string({ max: 255 })),
    evidence: array(string({ max: 4096 })),
    require_evidence: boolean(),
  },
  [],
  'reenact.yaml',
);
const NOTHING: Config = { repositories: [], evidence: [], require_evidence: false };

export async function loadConfig(path = 'reenact.yaml'): Promise<Config> {
  if (!existsSync(path)) return NOTHING;
  let value: unknown;
  try {
    const { parse } = await import('yaml');
    value = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new Fault('config_invalid', `${path}: ${messageOf(error).split('\n')[0]}`, error);
  }
  const parsed = read(configShape, value);
  if (parsed.ok) return { ...NOTHING, ...parsed.value };
  const lines = parsed.problems.map((problem) => `  ${showProblem(problem)}`);
  throw new Fault('config_invalid', `${path}:\n${lines.join('\n')}`);
}
