/** One definition for three uses: a strict check of untrusted values, their type, and the JSON Schema shown to editors. */
import { DIGEST_PATTERN, type Digest } from './digest.ts';
import { isObject, type JsonLimits, memberPath, type Parsed, type Problem, parseJson } from './json.ts';
import { nearest } from './nearest.ts';
import { isOneOf, keysOf, tableOf } from './table.ts';

/** Checks a value, adding every problem to the list, and describes itself as JSON Schema. */
interface Form {
  check(value: unknown, path: string, problems: Problem[]): void;
  schema(): Record<string, unknown>;
}

/**
 * A form whose values are of type T. What users read keeps an interface of its own, with its documentation, and
 * `const shape: Shape<Manifest> = object(…)` holds both equal: T is compared both ways. What one file alone reads has
 * no interface but `Infer<typeof shape>`.
 */
export interface Shape<T> extends Form {
  /** For the compiler alone; nothing is there at run time. */
  readonly type?: (value: T) => T;
}

/** The type of the values that a shape accepts. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

type Fields = Record<string, Form>;
type Flat<T> = { [K in keyof T]: T[K] };
type Members<F, Required extends keyof F> = Flat<
  { [K in Required]: Infer<F[K]> } & { [K in Exclude<keyof F, Required>]?: Infer<F[K]> }
>;

/** The value, once the shape has found no problem in it: the one way from `unknown` to a type. */
export function read<T>(shape: Shape<T>, value: unknown, path = '$'): Parsed<T> {
  const problems: Problem[] = [];
  shape.check(value, path, problems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: value as T };
}

/** Untrusted bytes of JSON to a value of the shape, or all that is wrong with them. */
export function parseAs<T>(shape: Shape<T>, bytes: Uint8Array, limits: JsonLimits): Parsed<T> {
  const parsed = parseJson(bytes, limits);
  return parsed.ok ? read(shape, parsed.value) : parsed;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/** The most problems that are listed: more are of no use, and finding near names for each of a million takes minutes. */
const MAX_PROBLEMS = 1000;

function report(problems: Problem[], path: string, message: string, hint?: string): void {
  if (problems.length >= MAX_PROBLEMS) return;
  problems.push({ path, message, ...(hint ? { hint } : {}) });
}

function nearHint(word: string, known: readonly string[]): string | undefined {
  const near = nearest(word, known);
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

/** A schema's note on a field: its meaning, its unit, its default, and an example. */
export function field<T>(
  description: string,
  shape: Shape<T>,
  more: { default?: unknown; examples?: unknown[] } = {},
): Shape<T> {
  return {
    check: (value, path, problems) => shape.check(value, path, problems),
    schema: () => ({ ...shape.schema(), description, ...more }),
  };
}

/** The fields of an object, each with what a schema says of it; one without words does not compile. */
export function described<F extends { [Name in keyof F]: Form }>(
  words: { [Name in keyof NoInfer<F>]: string },
  fields: F,
): F {
  return tableOf(keysOf<keyof F & string>(fields), (name) => field(words[name], fields[name])) as F;
}

interface TextOptions {
  /** Anchored. */
  pattern?: RegExp;
  /** What it should look like. */
  hint?: string;
  /** In characters. */
  max?: number;
  description?: string;
}

/** A text of a spelling that has a type of its own, such as a digest: T is what the pattern admits, and nothing more. */
export function spelling<T extends string>(o: TextOptions & { pattern: RegExp }): Shape<T> {
  const { check, schema } = string(o);
  return { check, schema };
}

/** A digest, "sha256:" and 64 lower-case hex digits. */
export function digestText(hint?: string): Shape<Digest> {
  return spelling<Digest>({ pattern: DIGEST_PATTERN, ...(hint ? { hint } : {}) });
}

/** A string without NUL characters, optionally matching a pattern. */
export function string(o: TextOptions = {}): Shape<string> {
  const max = o.max ?? 65536;
  return {
    check(value, path, problems) {
      if (typeof value !== 'string') report(problems, path, `is ${kindOf(value)}, not a string`, o.hint);
      else if (value.length > max) report(problems, path, `is longer than ${max} characters`);
      else if (value.includes('\0')) report(problems, path, 'holds a NUL character');
      else if (o.pattern && !o.pattern.test(value))
        report(problems, path, `${JSON.stringify(value.slice(0, 80))} is not accepted`, o.hint);
    },
    schema: () => ({
      type: 'string',
      maxLength: max,
      ...(o.pattern ? { pattern: o.pattern.source } : {}),
      ...(o.description ? { description: o.description } : {}),
    }),
  };
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number, description?: string): Shape<number> {
  return {
    check(value, path, problems) {
      if (typeof value !== 'number')
        report(problems, path, `is ${kindOf(value)}, not a number`, `a whole number from ${min} to ${max}`);
      else if (!Number.isInteger(value) || value < min || value > max)
        report(problems, path, `${value} is not a whole number from ${min} to ${max}`);
    },
    schema: () => ({ type: 'integer', minimum: min, maximum: max, ...(description ? { description } : {}) }),
  };
}

/** Any number within bounds, both included. */
export function number(min: number, max: number, description?: string): Shape<number> {
  return {
    check(value, path, problems) {
      if (typeof value !== 'number') report(problems, path, `is ${kindOf(value)}, not a number`);
      else if (!(value >= min && value <= max))
        report(problems, path, `${value} is not between ${min} and ${max}`);
    },
    schema: () => ({ type: 'number', minimum: min, maximum: max, ...(description ? { description } : {}) }),
  };
}

export function boolean(description?: string): Shape<boolean> {
  return {
    check(value, path, problems) {
      if (typeof value !== 'boolean') report(problems, path, `is ${kindOf(value)}, not true or false`);
    },
    schema: () => ({ type: 'boolean', ...(description ? { description } : {}) }),
  };
}

/** A number, a text or a truth value. */
export const scalar: Shape<number | string | boolean> = {
  check(value, path, problems) {
    if (!['number', 'string', 'boolean'].includes(typeof value))
      report(problems, path, `is ${kindOf(value)}, not a number, text or truth value`);
  },
  schema: () => ({ type: ['number', 'string', 'boolean'] }),
};

/** One of a closed set of values. */
export function oneOf<const T extends string | number | null>(...values: readonly T[]): Shape<T> {
  return {
    check(value, path, problems) {
      if (!isOneOf(values, value))
        report(
          problems,
          path,
          `${JSON.stringify(value)?.slice(0, 80)} is not one of ${values.map((v) => JSON.stringify(v)).join(', ')}`,
          typeof value === 'string'
            ? nearHint(
                value,
                values.filter((one) => typeof one === 'string'),
              )
            : undefined,
        );
    },
    schema: () => ({ enum: [...values] }),
  };
}

/** The shape, or null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    check(value, path, problems) {
      if (value !== null) shape.check(value, path, problems);
    },
    schema: () => ({ anyOf: [shape.schema(), { type: 'null' }] }),
  };
}

export function array<T>(
  item: Shape<T>,
  o: { min?: number; max?: number; description?: string } = {},
): Shape<T[]> {
  const max = o.max ?? 100_000;
  return {
    check(value, path, problems) {
      if (!Array.isArray(value)) return report(problems, path, `is ${kindOf(value)}, not an array`);
      if (value.length < (o.min ?? 0)) report(problems, path, `has fewer than ${o.min} items`);
      if (value.length > max) return report(problems, path, `has more than ${max} items`);
      for (let i = 0; i < value.length; i++) item.check(value[i], `${path}[${i}]`, problems);
    },
    schema: () => ({
      type: 'array',
      items: item.schema(),
      ...(o.min ? { minItems: o.min } : {}),
      maxItems: max,
      ...(o.description ? { description: o.description } : {}),
    }),
  };
}

/** Two items, no more and no fewer. */
export function pair<T>(item: Shape<T>): Shape<[T, T]> {
  const { check, schema } = array(item, { min: 2, max: 2 });
  return { check, schema };
}

/** An object used as a dictionary: every name must match the pattern. */
export function dictionary<T>(names: RegExp, item: Shape<T>, description?: string): Shape<Record<string, T>> {
  return {
    check(value, path, problems) {
      if (!isObject(value)) return report(problems, path, `is ${kindOf(value)}, not an object`);
      for (const [key, one] of Object.entries(value)) {
        if (!names.test(key)) report(problems, memberPath(path, key), 'is not an accepted name');
        item.check(one, memberPath(path, key), problems);
      }
    },
    schema: () => ({
      type: 'object',
      propertyNames: { pattern: names.source },
      additionalProperties: item.schema(),
      ...(description ? { description } : {}),
    }),
  };
}

/** An object with exactly these members; unknown ones are refused, with the likeliest name meant. */
export function object<F extends Fields, const Required extends keyof F & string>(
  fields: F,
  required: readonly Required[],
  description?: string,
): Shape<Members<F, Required>> {
  return {
    check(value, path, problems) {
      if (!isObject(value)) return report(problems, path, `is ${kindOf(value)}, not an object`);
      for (const name of required)
        if (!Object.hasOwn(value, name)) report(problems, memberPath(path, name), 'is missing');
      for (const name of Object.keys(value)) {
        const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (shape) shape.check(value[name], memberPath(path, name), problems);
        else {
          if (problems.length >= MAX_PROBLEMS) return;
          report(
            problems,
            memberPath(path, name),
            'is not a known field',
            nearHint(name, Object.keys(fields)),
          );
        }
      }
    },
    schema: () => ({
      type: 'object',
      properties: Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape.schema()])),
      required: [...required],
      additionalProperties: false,
      ...(description ? { description } : {}),
    }),
  };
}

/** An object with all of these members, but for the optional ones that are named. */
export function closed<F extends Fields, const Optional extends keyof F & string = never>(
  fields: F,
  optional: readonly Optional[] = [],
  description?: string,
): Shape<Members<F, Exclude<keyof F & string, Optional>>> {
  const isRequired = (name: string): name is Exclude<keyof F & string, Optional> => !isOneOf(optional, name);
  return object(fields, Object.keys(fields).filter(isRequired), description);
}
