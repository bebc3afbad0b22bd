/** How places in registries are named. */
import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { parseReference } from '../../../src/bundle/registry/registry-reference.ts';

describe('names', () => {
  const digest = digestOf('x');
  it.each([
    ['localhost/a', 'localhost/a', undefined, undefined],
    ['registry:5000/a/b:t', 'registry:5000/a/b', 't', undefined],
    [`r.example.org/a_b/c-d@${digest}`, 'r.example.org/a_b/c-d', undefined, digest],
    ['127.0.0.1:5000/a:V1.0-x', '127.0.0.1:5000/a', 'V1.0-x', undefined],
  ])('%s', (text, repository, tag, sha256) => {
    expect(parseReference(text)).toEqual({ repository, tag, digest: sha256 });
  });

  it.each([
    'a',
    'cases/one',
    'localhost',
    'r.example.org/A',
    'r.example.org/../a',
    'r.example.org//a',
    'me:secret@r.example.org/a',
    'https://r.example.org/a',
    'r.example.org/a@sha256:12',
    'r.example.org:99999/a',
    `r.example.org/a:t@${digest}`,
  ])('%s is refused', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
