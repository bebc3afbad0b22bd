/** One definition for both uses: a strict check of untrusted values, and the JSON Schema shown to editors. */
import { memberPath, type Problem } from './json.ts';
import { nearest } from './nearest.ts';

/** Checks a value, adding every problem to the list, and describes itself as JSON Schema. */
export interface Shape {
  check(value: unknown, path: string, problems: Problem[]): void;
  schema(): Record<string, unknown>;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/** More are of no use to anybody, and finding near names for each of a million takes minutes. */
const MAX_PROBLEMS = 1000;

function report(problems: Problem[], path: string, message: string, hint?: string): void {
  if (problems.length >= MAX_PROBLEMS) return;
  problems.push({ path, message, ...(hint ? { hint } : {}) });
}

/** What a schema says of a field: what it is, in which unit, what holds where it is left out, and how one looks. */
export function field(
  description: string,
  shape: Shape,
  more: { default?: unknown; examples?: unknown[] } = {},
): Shape {
  return {
    check: (value, path, problems) => shape.check(value, path, problems),
    schema: () => ({ ...shape.schema(), description, ...more }),
  };
}

/** A string, optionally matching an anchored pattern; `hint` says what it should look like. */
export function string(
  o: { pattern?: RegExp; hint?: string; max?: number; description?: string } = {},
): Shape {
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
export function integer(min: number, max: number, description?: string): Shape {
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
export function number(min: number, max: number, description?: string): Shape {
  return {
    check(value, path, problems) {
      if (typeof value !== 'number') report(problems, path, `is ${kindOf(value)}, not a number`);
      else if (!(value >= min && value <= max))
        report(problems, path, `${value} is not between ${min} and ${max}`);
    },
    schema: () => ({ type: 'number', minimum: min, maximum: max, ...(description ? { description } : {}) }),
  };
}

export function boolean(description?: string): Shape {
  return {
    check(value, path, problems) {
      if (typeof value !== 'boolean') report(problems, path, `is ${kindOf(value)}, not true or false`);
    },
    schema: () => ({ type: 'boolean', ...(description ? { description } : {}) }),
  };
}

/** A number, a text or a truth value. */
export const scalar: Shape = {
  check(value, path, problems) {
    if (!['number', 'string', 'boolean'].includes(typeof value))
      report(problems, path, `is ${kindOf(value)}, not a number, text or truth value`);
  },
  schema: () => ({ type: ['number', 'string', 'boolean'] }),
};

/** One of a closed set of values. */
export function oneOf(...values: (string | number | null)[]): Shape {
  return {
    check(value, path, problems) {
      if (!values.includes(value as string))
        report(
          problems,
          path,
          `${JSON.stringify(value)?.slice(0, 80)} is not one of ${values.map((v) => JSON.stringify(v)).join(', ')}`,
        );
    },
    schema: () => ({ enum: values }),
  };
}

/** The shape, or null. */
export function nullable(shape: Shape): Shape {
  return {
    check(value, path, problems) {
      if (value !== null) shape.check(value, path, problems);
    },
    schema: () => ({ anyOf: [shape.schema(), { type: 'null' }] }),
  };
}

export function array(item: Shape, o: { min?: number; max?: number; description?: string } = {}): Shape {
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

/** An object used as a dictionary: every name must match the pattern. */
export function dictionary(names: RegExp, item: Shape, description?: string): Shape {
  return {
    check(value, path, problems) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return report(problems, path, `is ${kindOf(value)}, not an object`);
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
export function object(fields: Record<string, Shape>, required: string[], description?: string): Shape {
  return {
    check(value, path, problems) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return report(problems, path, `is ${kindOf(value)}, not an object`);
      const given = value as Record<string, unknown>;
      for (const name of required)
        if (!Object.hasOwn(given, name)) report(problems, memberPath(path, name), 'is missing');
      for (const name of Object.keys(given)) {
        const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (shape) shape.check(given[name], memberPath(path, name), problems);
        else {
          if (problems.length >= MAX_PROBLEMS) return;
          const near = nearest(name, Object.keys(fields));
          report(
            problems,
            memberPath(path, name),
            'is not a known field',
            near ? `did you mean "${near}"?` : undefined,
          );
        }
      }
    },
    schema: () => ({
      type: 'object',
      properties: Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape.schema()])),
      required,
      additionalProperties: false,
      ...(description ? { description } : {}),
    }),
  };
}
