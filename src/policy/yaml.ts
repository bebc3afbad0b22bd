/** YAML (of which JSON is a part) as policies may use it: no aliases, tags, merges or duplicate keys. */
import { isMap, isScalar, parseDocument } from 'yaml';

import type { Problem } from '../base/json.ts';
import { messageOf } from '../base/thrown.ts';

/** The value a text stands for; problems are added to the list, and the value is then undefined. */
export function parseYaml(text: string, problems: Problem[]): unknown {
  const document = parseDocument(text, { uniqueKeys: true, schema: 'core', strict: true });
  for (const error of [...document.errors, ...document.warnings])
    problems.push({ path: '$', message: error.message.split('\n')[0] ?? 'is not YAML' });
  if (problems.length > 0) return undefined;
  if (!isMap(document.contents) && !isScalar(document.contents)) return [];
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    problems.push({ path: '$', message: messageOf(error) });
    return undefined;
  }
}
