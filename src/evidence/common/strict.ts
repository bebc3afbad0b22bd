/** How evidence of every format is read: strict JSON, one definition for each format, problems named by their path. */
import { decodeBase64 } from '../../base/base64.ts';
import { isObject, type JsonLimits, type Problem, parseJson, showProblem } from '../../base/json.ts';
import { lastItem, present } from '../../base/list.ts';
import { object, read, type Shape } from '../../base/shape.ts';
import { Refusal, type RefusalCode } from './refusal.ts';

const SHOWN_PROBLEMS = 8;

/** Problems as the lines of a message. */
function listProblems(problems: Problem[]): string {
  const lines = problems.slice(0, SHOWN_PROBLEMS).map(showProblem);
  if (problems.length > SHOWN_PROBLEMS) lines.push(`and ${problems.length - SHOWN_PROBLEMS} more`);
  return lines.join('; ');
}

/** Bytes to a JSON value with null-prototype objects; `name` is what the message calls the document. */
export function readJson(bytes: Uint8Array, name: string, limits: JsonLimits, code: RefusalCode): unknown {
  const parsed = parseJson(bytes, limits);
  if (!parsed.ok) throw new Refusal(code, `${name}: ${listProblems(parsed.problems)}`);
  return parsed.value;
}

/** The value as what the shape says; one that is not of it is refused, naming every wrong path. */
export function checkedAs<T>(shape: Shape<T>, value: unknown, name: string, code: RefusalCode): T {
  const parsed = read(shape, value);
  if (!parsed.ok) throw new Refusal(code, `${name}: ${listProblems(parsed.problems)}`);
  return parsed.value;
}

/** An object with at least these members, for formats that say to ignore others: their readers use only the known ones. */
export const openObject: typeof object = (fields, required) => {
  const closed = object(fields, required);
  return {
    check(value, path, problems) {
      if (!isObject(value)) return closed.check(value, path, problems);
      const known = Object.entries(value).filter(([name]) => Object.hasOwn(fields, name));
      closed.check(Object.fromEntries(known), path, problems);
    },
    schema: () => ({ ...closed.schema(), additionalProperties: true }),
  };
};

/** Bytes written as strict base64 or base64url, optionally of an exact length. */
export function base64(
  o: { length?: number; max?: number; empty?: boolean; wrapped?: boolean } = {},
): Shape<string> {
  return {
    check(value, path, problems) {
      if (typeof value !== 'string') return void problems.push({ path, message: 'is not a base64 text' });
      const bytes = decodeBase64(o.wrapped ? unwrap(value) : value);
      if (!bytes) problems.push({ path, message: 'is not strict base64' });
      else if (bytes.length === 0 && !o.empty) problems.push({ path, message: 'is empty' });
      else if (o.length !== undefined && bytes.length !== o.length)
        problems.push({ path, message: `holds ${bytes.length} bytes, not ${o.length}` });
      else if (o.max !== undefined && bytes.length > o.max)
        problems.push({ path, message: `holds ${bytes.length} bytes, over the limit of ${o.max}` });
    },
    schema: () => ({ type: 'string', contentEncoding: 'base64' }),
  };
}

/** Joins lines of 64 or 76 characters, as PEM and MIME break them; any other line break stays, and is refused. */
function unwrap(text: string): string {
  const lines = text.split('\n');
  const width = lines[0]?.length;
  const even = lines.slice(0, -1).every((line) => line.length === width);
  return (width === 64 || width === 76) && even && lastItem(lines).length <= width ? lines.join('') : text;
}

/** The bytes of a text that `base64()` has accepted. */
export function bytesOf(text: string): Buffer {
  return present(decodeBase64(unwrap(text)));
}

/** A protobuf int64 in JSON that is not negative: a canonical decimal text or a number, at most 2^53-1. */
export function count(): Shape<string | number> {
  return {
    check(value, path, problems) {
      const ok =
        typeof value === 'string' ? /^(?:0|[1-9][0-9]{0,15})$/.test(value) : typeof value === 'number';
      if (!ok || !Number.isSafeInteger(Number(value)) || Number(value) < 0 || Object.is(value, -0))
        problems.push({ path, message: 'is not a whole number from 0 to 2^53-1 in decimal digits' });
    },
    schema: () => ({ type: ['string', 'integer'] }),
  };
}

/** In protobuf's JSON a null member is an absent one, and some writers make use of it. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}
