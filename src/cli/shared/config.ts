/** reenact.yaml in the current folder: settings that belong to a project rather than to one call. */
import { existsSync, readFileSync } from 'node:fs';

import { Fault } from '../../base/fault.ts';
import { type Problem, showProblem } from '../../base/json.ts';
import { array, boolean, object, string } from '../../base/shape.ts';

export interface Config {
  /** Repositories tried in order for an image whose manifest names none. */
  repositories: string[];
  /** Folders with evidence that manifests name. */
  evidence: string[];
  /** Whether a run may replay what no policy has checked. */
  require_evidence: boolean;
}

const configShape = object(
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
  const problems: Problem[] = [];
  let value: unknown;
  try {
    const { parse } = await import('yaml');
    value = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new Fault('config_invalid', `${path}: ${(error as Error).message.split('\n')[0]}`, error);
  }
  configShape.check(value, '$', problems);
  if (problems.length > 0)
    throw new Fault('config_invalid', `${path}:\n${problems.map((p) => `  ${showProblem(p)}`).join('\n')}`);
  return { ...NOTHING, ...(value as Partial<Config>) };
}
