/** Bundles judged by others' definitions: OCI's published schemas, and BagIt's rules as GNU's tools apply them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../../setup/packages.ts';
import { digestOf } from '../../src/base/digest.ts';
import { EMPTY_CONFIG } from '../../src/bundle/format/format.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { parsePrivateKey } from '../../src/evidence/documents/sign.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeCase } from '../support/case.ts';
import { makeKey } from '../support/keys.ts';
import { tempFolder } from '../support/world.ts';

let bundle: string;
let record: ReplayRecord;

beforeAll(async () => {
  const files = { '/work/small': Buffer.from('small'), '/work/large': Buffer.alloc((1 << 20) + 7, 'large') };
  const made = await makeCase(['a', 'b', 'a'], files);
  record = made.record;
  const path = join(tempFolder(), 'case.tar');
  const pem = Buffer.from(makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const claim = { action: 'exported' as const, actor: 'Lab', reason: '', time: null };
  await createBundle(path, await collect(record, new BlobStore(made.out), made.out, 'full'), {
    state: 'full',
    sign: { key: parsePrivateKey(pem, 'key'), claim },
  });
  bundle = tempFolder();
  execFileSync('tar', ['-xf', path, '-C', bundle]);
});

describe('OCI’s schemas', () => {
  const SCHEMAS = ['layout', 'index', 'manifest'] as const;
  type Schema = (typeof SCHEMAS)[number];

  /**
   * The files as they were published, but for `$schema` and `id`: they are draft 04, which ajv no longer speaks. Every
   * other word they use means the same in draft 07 (ajv is strict: it throws at words it does not know), and `id` only
   * names them: they refer to each other by file name, and so they are named here.
   */
  function judge(): (schema: Schema, value: unknown) => boolean {
    const ajv = new Ajv({ formats: { uri: true } });
    const parts = ['defs', 'defs-descriptor', 'content-descriptor'];
    for (const name of [...parts, ...SCHEMAS.map((schema) => `image-${schema}-schema`)]) {
      const text = readFileSync(join(dirname(TOOLS.schemas.program), `${name}.json`), 'utf8');
      const drop = (key: string, value: unknown): unknown =>
        (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value;
      ajv.addSchema(JSON.parse(text, drop), `${name}.json`);
    }
    return (schema, value) => ajv.validate(`image-${schema}-schema.json`, value) as boolean;
  }

  interface Manifest {
    schemaVersion: number;
    config: Record<string, unknown>;
    layers: Record<string, unknown>[];
  }
  interface Index {
    schemaVersion: number;
    manifests: Record<string, unknown>[];
  }
  interface Documents {
    layout: { imageLayoutVersion: string };
    index: Index;
    manifest: Manifest;
    /** What is attached: a custody event. */
    event: Manifest;
  }

  function documents(): Documents {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(bundle, name), 'utf8'));
    const index = read('index.json') as Index;
    const [manifest, event] = index.manifests.map(
      ({ digest }) => read(`blobs/${String(digest).replace(':', '/')}`) as Manifest,
    ) as [Manifest, Manifest];
    return { layout: read('oci-layout') as Documents['layout'], index, manifest, event };
  }

  it('accept oci-layout, index.json and the root manifest', () => {
    const [accepts, made] = [judge(), documents()];
    expect(made.index.manifests).toHaveLength(2);
    expect(made.manifest.layers.length).toBeGreaterThan(5);
    expect(SCHEMAS.map((schema) => accepts(schema, made[schema]))).toEqual([true, true, true]);
    expect(accepts('manifest', made.event)).toBe(true);
  });

  it.each<[Schema, string, (made: Documents) => unknown]>([
    ['layout', 'of another version', ({ layout }) => (layout.imageLayoutVersion = '2.0.0')],
    ['index', 'of another version', ({ index }) => (index.schemaVersion = 1)],
    ['index', 'that names a manifest without its size', ({ index }) => delete index.manifests[0]!.size],
    ['index', 'with a digest of another form', ({ index }) => (index.manifests[0]!.digest = 'sha256-00')],
    ['manifest', 'whose config has no mediaType', ({ manifest }) => delete manifest.config.mediaType],
    ['manifest', 'with a digest of another form', ({ manifest }) => (manifest.layers[1]!.digest = '00')],
    ['manifest', 'with a size in words', ({ manifest }) => (manifest.layers[1]!.size = '2')],
    ['manifest', 'without layers', ({ manifest }) => (manifest.layers = [])],
  ])('refuse %s %s', (schema, _name, change) => {
    const made = documents();
    change(made);
    expect(judge()(schema, made[schema])).toBe(false);
  });
});

describe('BagIt’s rules (https://www.rfc-editor.org/rfc/rfc8493), with coreutils, findutils and diffutils', () => {
  const names = (find: string, manifest: string): string =>
    `diff <(${find} | LC_ALL=C sort) <(cut -c67- ${manifest} | LC_ALL=C sort)`;
  const RULES = {
    'the declaration (2.1.1)':
      "printf 'BagIt-Version: 1.0\\nTag-File-Character-Encoding: UTF-8\\n' | cmp - bagit.txt",
    'payload digests (2.1.3)': 'sha256sum --strict --quiet -c manifest-sha256.txt',
    'tag file digests (2.2.1)': 'sha256sum --strict --quiet -c tagmanifest-sha256.txt',
    'each payload file listed once (3)': names('find data -type f', 'manifest-sha256.txt'),
    // RFC 8493 lets tag files be left out of the list; a bundle leaves out none.
    'each other file listed once': names(
      "find . -type f ! -path './data/*' ! -name tagmanifest-sha256.txt -printf '%P\\n'",
      'tagmanifest-sha256.txt',
    ),
    'Payload-Oxum (2.2.2)':
      'grep -qx "Payload-Oxum: $(find data -type f -exec cat {} + | wc -c).$(find data -type f | wc -l)" bag-info.txt',
  };

  function broken(folder: string): string[] {
    const holds = (command: string): boolean =>
      spawnSync('bash', ['-euo', 'pipefail', '-c', command], { cwd: folder }).status === 0;
    return Object.entries(RULES).flatMap(([rule, command]) => (holds(command) ? [] : [rule]));
  }

  it('hold, with a content that is the empty configuration too', () => {
    expect(record.environment!.seccomp_sha256).toBe(digestOf(EMPTY_CONFIG));
    expect(broken(bundle)).toEqual([]);
  });

  /** Changes one byte and no size. */
  function flip(path: string): void {
    const bytes = readFileSync(path);
    bytes[0]! ^= 1;
    writeFileSync(path, bytes);
  }

  /** Makes the list of tag files right again, so that only the rule in question can notice a change. */
  function relist(folder: string): void {
    const list = 'cut -c67- tagmanifest-sha256.txt | xargs sha256sum > list; mv list tagmanifest-sha256.txt';
    execFileSync('bash', ['-euo', 'pipefail', '-c', list], { cwd: folder });
  }

  it.each<[string, (folder: string) => void, (keyof typeof RULES)[]]>([
    ['a changed byte in data/', (f) => flip(join(f, 'data/report.html')), ['payload digests (2.1.3)']],
    [
      'a file more in data/',
      (f) => writeFileSync(join(f, 'data/extra'), ''),
      ['each payload file listed once (3)', 'Payload-Oxum (2.2.2)'],
    ],
    [
      'a file less in data/',
      (f) => rmSync(join(f, 'data/VERIFY.txt')),
      ['payload digests (2.1.3)', 'each payload file listed once (3)', 'Payload-Oxum (2.2.2)'],
    ],
    ['a changed tag file', (f) => flip(join(f, 'index.json')), ['tag file digests (2.2.1)']],
    [
      'a tag file more',
      (f) => writeFileSync(join(f, 'blobs/sha256/extra'), ''),
      ['each other file listed once'],
    ],
    [
      'another declaration',
      (f) => {
        flip(join(f, 'bagit.txt'));
        relist(f);
      },
      ['the declaration (2.1.1)'],
    ],
    [
      'a payload of another size',
      (f) => {
        const info = readFileSync(join(f, 'bag-info.txt'), 'utf8');
        writeFileSync(join(f, 'bag-info.txt'), info.replace(/Payload-Oxum: ./, 'Payload-Oxum: '));
        relist(f);
      },
      ['Payload-Oxum (2.2.2)'],
    ],
    [
      'a line that is none',
      (f) => appendFileSync(join(f, 'tagmanifest-sha256.txt'), 'hello\n'),
      ['tag file digests (2.2.1)', 'each other file listed once'],
    ],
  ])('notice %s', (_name, change, rules) => {
    const copy = tempFolder();
    cpSync(bundle, copy, { recursive: true });
    change(copy);
    expect(broken(copy)).toEqual(rules);
  });
});
