/** A shape checks, describes and types one form: the compiler refuses an interface that says something else. */
import { expect, expectTypeOf, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import {
  array,
  closed,
  dictionary,
  digestText,
  type Infer,
  integer,
  nullable,
  object,
  oneOf,
  pair,
  parseAs,
  read,
  type Shape,
  string,
} from '../../src/base/shape.ts';

const person = object(
  {
    name: string(),
    age: integer(0, 150),
    role: oneOf('reader', 'writer', null),
    file: nullable(digestText()),
  },
  ['name', 'role'],
);

it('infers the type of each builder', () => {
  expectTypeOf<Infer<typeof person>>().toEqualTypeOf<{
    name: string;
    role: 'reader' | 'writer' | null;
    age?: number;
    file?: Digest | null;
  }>();
  const all = closed({ pairs: array(pair(integer(0, 9))), names: dictionary(/^a$/, string()) }, ['names']);
  expectTypeOf<Infer<typeof all>>().toEqualTypeOf<{
    pairs: [number, number][];
    names?: Record<string, string>;
  }>();
  expect(all.schema().required).toEqual(['pairs']);
  expect(object({ a: string() }, []).schema().required).toEqual([]);
});

it('holds an interface and its shape equal both ways', () => {
  // @ts-expect-error the shape leaves out what the interface requires
  const optional: Shape<{ a: string }> = object({ a: string() }, []);
  // @ts-expect-error the interface admits more than the shape
  const wider: Shape<{ a: string | null }> = closed({ a: string() });
  // @ts-expect-error the shape admits more than the interface
  const narrower: Shape<'a'> = oneOf('a', 'b');
  // @ts-expect-error one of two literals
  const fewer: Shape<'a' | 'b'> = oneOf('a');
  // @ts-expect-error a text becomes no digest without its pattern
  const branded: Shape<Digest> = string();
  expect([optional, wider, narrower, fewer, branded]).toHaveLength(5);
});

it('gives a value of the type, or every problem with its path, and never both', () => {
  expect(read(person, { name: 'A', role: null })).toEqual({ ok: true, value: { name: 'A', role: null } });
  expect(read(person, { name: 1, nme: '', role: 'x' }, '$.who')).toMatchObject({
    ok: false,
    problems: [
      { path: '$.who.name', message: 'is a number, not a string' },
      { path: '$.who.nme', hint: 'did you mean "name"?' },
      { path: '$.who.role' },
    ],
  });
  const limits = { sizeBytes: 100, depth: 3 };
  expect(parseAs(person, Buffer.from('{"name":"A","role":"reader"}'), limits).ok).toBe(true);
  expect(parseAs(person, Buffer.from('{"name":'), limits).ok).toBe(false);
});
