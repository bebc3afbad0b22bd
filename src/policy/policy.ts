/** The policy: which gates a verdict must pass. One file (YAML or JSON), or a built-in name; its digest is recorded. */
import { readFile } from 'node:fs/promises';
import { isMap, isScalar, parseDocument } from 'yaml';

import { canonicalDigest } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import type { Problem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { boolean, number, object, oneOf, type Shape } from '../base/shape.ts';

/** How the image's content is known: the engine's word, or its layers hashed by us. */
export type ImageCheck = 'engine' | 'content';

export interface Gates {
  /** Least share of requested replays that must match, 0 to 1. */
  replay_ratio: number;
  /** Every state identical to a given expectation, content-checked image, nothing degraded, claims borne out. */
  forensic: boolean;
  image_check: ImageCheck;
}

export interface Policy {
  name: string;
  sha256: Digest;
  gates: Gates;
}

const BUILT_IN: Record<string, Gates> = {
  default: { replay_ratio: 0.95, forensic: false, image_check: 'engine' },
  forensic: { replay_ratio: 1, forensic: true, image_check: 'content' },
};

const policyShape: Shape = object(
  {
    version: oneOf(1),
    gates: object(
      { replay_ratio: number(0, 1), forensic: boolean(), image_check: oneOf('engine', 'content') },
      [],
    ),
  },
  ['version', 'gates'],
  'Reenact policy, version 1',
);

function seal(name: string, gates: Gates): Policy {
  return { name, gates, sha256: canonicalDigest({ version: 1, gates }) };
}

/** Reads YAML (of which JSON is a part) without aliases, tags or duplicate keys. */
function parseYaml(text: string, problems: Problem[]): unknown {
  const document = parseDocument(text, { uniqueKeys: true, schema: 'core', strict: true });
  for (const error of [...document.errors, ...document.warnings])
    problems.push({ path: '$', message: error.message.split('\n')[0] ?? 'is not YAML' });
  if (problems.length > 0) return undefined;
  if (!isMap(document.contents) && !isScalar(document.contents)) return [];
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    problems.push({ path: '$', message: (error as Error).message });
    return undefined;
  }
}

/** Checks a policy's text; `name` is what records call it. */
export function parsePolicy(text: string, name: string): Policy {
  const problems: Problem[] = [];
  if (text.length > LIMITS.documentBytes)
    throw new Fault('policy_invalid', `${name} is over ${LIMITS.documentBytes} bytes`);
  const value = parseYaml(text, problems);
  if (problems.length === 0) policyShape.check(value, '$', problems);
  if (problems.length > 0)
    throw new Fault(
      'policy_invalid',
      `${name}:\n${problems.map((p) => `  ${p.path} ${p.message}${p.hint ? ` (${p.hint})` : ''}`).join('\n')}`,
    );
  const gates = { ...BUILT_IN.default!, ...(value as { gates: Partial<Gates> }).gates };
  if (gates.forensic && gates.image_check !== 'content')
    throw new Fault(
      'policy_invalid',
      `${name}:\n  $.gates.image_check must be "content" where forensic is true`,
    );
  return seal(name, gates);
}

/** A built-in policy by its name, else the file at that path. */
export async function loadPolicy(nameOrPath: string): Promise<Policy> {
  const builtIn = Object.hasOwn(BUILT_IN, nameOrPath) ? BUILT_IN[nameOrPath] : undefined;
  if (builtIn) return seal(nameOrPath, builtIn);
  let text: string;
  try {
    text = await readFile(nameOrPath, 'utf8');
  } catch (error) {
    throw asFault('policy_invalid', `no built-in policy or readable file "${nameOrPath}"`, error);
  }
  return parsePolicy(text, nameOrPath);
}

/** The JSON Schema of a policy file. */
export function policySchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact policy',
    ...policyShape.schema(),
  };
}
