/** reenact.yaml in the current folder: settings that belong to a project rather than to one call. */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

import { Fault } from '../base/fault.ts';
import type { Problem } from '../base/json.ts';
import { array, object, string } from '../base/shape.ts';

export interface Config {
  /** Repositories tried in order for an image whose manifest names none. */
  repositories: string[];
}

const configShape = object({ repositories: array(string({ max: 255 })) }, [], 'reenact.yaml');

export function loadConfig(path = 'reenact.yaml'): Config {
  if (!existsSync(path)) return { repositories: [] };
  const problems: Problem[] = [];
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new Fault('config_invalid', `${path}: ${(error as Error).message.split('\n')[0]}`, error);
  }
  configShape.check(value, '$', problems);
  if (problems.length > 0)
    throw new Fault(
      'config_invalid',
      `${path}:\n${problems.map((p) => `  ${p.path} ${p.message}`).join('\n')}`,
    );
  return { repositories: [], ...(value as Partial<Config>) };
}
