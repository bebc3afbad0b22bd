/** A JSON Schema as a list of its fields at every depth, for people to read and for tests to hold. */

/** One property; `path` is as in `inputs[].sha256`, and `env.*` where any name may stand. */
export interface SchemaField {
  path: string;
  description: string | undefined;
  required: boolean;
  default?: unknown;
  examples?: unknown[];
}

type Schema = Record<string, unknown>;

/** Alternatives have the same place in the document. */
const ALTERNATIVES = ['anyOf', 'oneOf', 'allOf'] as const;

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** Every field of a schema that one of our shapes made, parents before their members. */
export function fieldsOf(schema: Schema, at = ''): SchemaField[] {
  const required = (schema.required ?? []) as string[];
  const own = Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([name, one]) => {
    const path = at === '' ? name : `${at}.${name}`;
    const { description, default: usual, examples } = one;
    const field: SchemaField = {
      path,
      description: description as string | undefined,
      required: required.includes(name),
      ...(usual === undefined ? {} : { default: usual }),
      ...(examples === undefined ? {} : { examples: examples as unknown[] }),
    };
    return [field, ...fieldsOf(one, path)];
  });
  const items = isSchema(schema.items) ? fieldsOf(schema.items, `${at}[]`) : [];
  const members = isSchema(schema.additionalProperties)
    ? fieldsOf(schema.additionalProperties, at === '' ? '*' : `${at}.*`)
    : [];
  const others = ALTERNATIVES.flatMap((name) =>
    ((schema[name] ?? []) as Schema[]).flatMap((one) => fieldsOf(one, at)),
  );
  return [...own, ...items, ...members, ...others];
}
