/** What people read of the manifest: docs/manifest.md says the same as the schema, and its examples are accepted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { fieldsOf } from '../../src/base/schema-fields.ts';
import { manifestSchema, manifestShape } from '../../src/manifest/definition.ts';
import { parseManifest } from '../../src/manifest/parse.ts';

const ROOT = join(import.meta.dirname, '../..');
const fields = fieldsOf(manifestSchema());
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

it('gives defaults and examples that are accepted themselves', () => {
  const whole = { harness_version: '1', os: 'linux', sandbox_image_sha256: `sha256:${'0'.repeat(64)}` };
  const refused = fields
    .filter(({ path }) => !/[.[]/.test(path))
    .flatMap((field) =>
      [...(field.examples ?? []), ...('default' in field ? [field.default] : [])].map(
        (value) => [field.path, value] as const,
      ),
    )
    .filter(([path, value]) => {
      const problems: never[] = [];
      manifestShape.check({ ...whole, seed: 1, run_instructions: 'true', [path]: value }, '$', problems);
      return problems.length > 0;
    });
  expect(refused).toEqual([]);
});

it('is in docs/manifest.md as it is in the schema', () => {
  const text = read('docs/manifest.md');
  const missing = fields.filter(
    ({ path, description }) => !text.includes(`\`${path}\``) || !text.includes(`| ${description} |`),
  );
  expect(missing).toEqual([]);
  expect(text.split('\n').filter((line) => /^\| \**`/.test(line))).toHaveLength(fields.length);
});

it.each(['README.md', 'docs/manifest.md'])('the manifests that %s shows are accepted', (path) => {
  const shown = [...read(path).matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const manifests = shown.filter((text) => text.includes('"harness_version"'));
  expect(manifests.length).toBeGreaterThan(0);
  for (const text of manifests) expect(parseManifest(Buffer.from(text))).toMatchObject({ ok: true });
});
