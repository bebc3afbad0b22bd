/** A JSON Schema as a list of its fields at every depth, for people to read and for tests to hold. */
import { isObject, itemsOf, membersOf } from './json.ts';

/** One property; `path` is as in `inputs[].sha256`, and `env.*` where any name may stand. */
export interface SchemaField {
  path: string;
  description: string | undefined;
  required: boolean;
  default?: unknown;
  examples?: unknown[];
}

/** Alternatives have the same place in the document. */
const ALTERNATIVES = ['anyOf', 'oneOf', 'allOf'] as const;

/** Every field of a schema that one of our shapes made, parents before their members. */
export function fieldsOf(schema: unknown, at = ''): SchemaField[] {
  if (!isObject(schema)) return [];
  const required = itemsOf(schema.required);
  const own = Object.entries(membersOf(schema.properties)).flatMap(([name, one]) => {
    const path = at === '' ? name : `${at}.${name}`;
    const { description, default: usual, examples } = membersOf(one);
    const field: SchemaField = {
      path,
      description: typeof description === 'string' ? description : undefined,
      required: required.includes(name),
      ...(usual === undefined ? {} : { default: usual }),
      ...(examples === undefined ? {} : { examples: itemsOf(examples) }),
    };
    return [field, ...fieldsOf(one, path)];
  });
  const items = fieldsOf(schema.items, `${at}[]`);
  const members = fieldsOf(schema.additionalProperties, at === '' ? '*' : `${at}.*`);
  const others = ALTERNATIVES.flatMap((name) => itemsOf(schema[name]).flatMap((one) => fieldsOf(one, at)));
  return [...own, ...items, ...members, ...others];
}
