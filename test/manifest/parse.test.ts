import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifestSchema } from '../../src/manifest/definition.ts';
import { quoteWord, splitInstructions } from '../../src/manifest/instructions.ts';
import { parseManifest } from '../../src/manifest/parse.ts';

const D = `sha256:${'a'.repeat(64)}`;
const MINIMAL = {
  harness_version: '1',
  os: 'linux',
  sandbox_image_sha256: D,
  seed: 1,
  run_instructions: 'true',
};
/** What other tools write, field for field. */
const OTHERS = {
  harness_version: '1',
  os: 'linux',
  kernel_version: '5.x',
  libc_version: 'glibc 2.36',
  compiler: 'gcc 12.2',
  compiler_flags: '-g -O2 -fno-omit-frame-pointer',
  build_id: '<id>',
  symbol_bundle_sha256: D,
  dsse_envelope: 'dsse:x',
  rekor_tile_ref: 'rekor:x',
  sandbox_image_sha256: D,
  seed: 123456,
  run_instructions: 'deterministic-run.sh --seed $seed',
  verifier_version: 'v1.2.3',
};

function parse(value: unknown) {
  return parseManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
}

function problems(value: unknown): string[] {
  const parsed = parse(value);
  return parsed.ok ? [] : parsed.problems.map((p) => `${p.path} ${p.message}${p.hint ? ` (${p.hint})` : ''}`);
}

describe('a manifest', () => {
  it('is accepted as other tools write it', () => {
    const parsed = parse(OTHERS);
    expect(parsed.ok && parsed.value.argv).toEqual(['deterministic-run.sh', '--seed', '123456']);
  });

  it('has the same digest whatever the order of its fields', () => {
    const [a, b] = [parse(OTHERS), parse(Object.fromEntries(Object.entries(OTHERS).reverse()))];
    expect(a.ok && b.ok && a.value.sha256 === b.value.sha256).toBe(true);
  });

  const bad: [string, unknown, string][] = [
    [
      'an unknown field',
      { ...MINIMAL, sandbox_imag: 'x' },
      '$.sandbox_imag is not a known field (did you mean "sandbox_image"?)',
    ],
    ['a duplicate key', `{"seed":1,${JSON.stringify(MINIMAL).slice(1)}`, '$.seed is given twice'],
    [
      'a key named __proto__',
      `{"__proto__":1,${JSON.stringify(MINIMAL).slice(1)}`,
      '$.__proto__ is not a known field',
    ],
    ['a tag', { ...MINIMAL, sandbox_image_sha256: 'debian:12' }, '"debian:12" is not accepted'],
    ['a tag in the repository', { ...MINIMAL, sandbox_image: 'a.example/b:latest' }, '$.sandbox_image'],
    ['an upper-case digest', { ...MINIMAL, sandbox_image_sha256: D.toUpperCase() }, '$.sandbox_image_sha256'],
    ['a wrong type', { ...MINIMAL, seed: '1' }, '$.seed is a string, not a number'],
    ['a negative seed', { ...MINIMAL, seed: -1 }, '$.seed -1 is not a whole number'],
    ['a seed of 2^53', { ...MINIMAL, seed: 2 ** 53 }, '$.seed'],
    ['a broken seed', { ...MINIMAL, seed: 1.5 }, '$.seed'],
    ['a missing field', { ...MINIMAL, seed: undefined }, '$.seed is missing'],
    [
      'an absolute source',
      { ...MINIMAL, inputs: [{ path: 'a', sha256: D, source: '/etc/passwd' }] },
      '$.inputs[0].source',
    ],
    [
      'an escaping source',
      { ...MINIMAL, inputs: [{ path: 'a', sha256: D, source: 'a/../../b' }] },
      '$.inputs[0].source',
    ],
    [
      'a source that escapes behind a line break',
      { ...MINIMAL, inputs: [{ path: 'a', sha256: D, source: 'x\n/../../../b' }] },
      '$.inputs[0].source',
    ],
    [
      'an escaping path',
      { ...MINIMAL, inputs: [{ path: '..', sha256: D, source: 'a' }] },
      '$.inputs[0].path',
    ],
    [
      'one path twice',
      { ...MINIMAL, inputs: [1, 2].map(() => ({ path: 'a', sha256: D, source: 'a' })) },
      '$.inputs[1].path is given twice',
    ],
    [
      'an input inside another',
      { ...MINIMAL, inputs: ['a/b', 'a/b/c/d'].map((path) => ({ path, sha256: D, source: 'a' })) },
      '$.inputs[1].path lies inside another input',
    ],
    ['a shell operator', { ...MINIMAL, run_instructions: 'a | b' }, 'would need a shell'],
    ['another variable', { ...MINIMAL, run_instructions: 'echo $HOME' }, 'only $seed is substituted'],
    ['an open quote', { ...MINIMAL, run_instructions: "echo 'x" }, 'a single quote is not closed'],
    ['two endings', { ...MINIMAL, expect: { exit_code: 1, signal: 'SIGSEGV' } }, 'both exit_code and signal'],
    ['SEED in env', { ...MINIMAL, env: { SEED: '2' } }, '$.env.SEED is set by the harness'],
    ['a user name', { ...MINIMAL, user: 'root' }, '$.user'],
    ['a byte-order mark', `\ufeff${JSON.stringify(MINIMAL)}`, 'byte-order mark'],
    ['data after the end', `${JSON.stringify(MINIMAL)} {}`, 'data after the end'],
    ['deep nesting', `${'['.repeat(100)}${']'.repeat(100)}`, 'nested deeper than 64'],
    [
      'a lone surrogate',
      JSON.stringify({ ...MINIMAL, name: 'x' }).replace('"x"', '"\\ud800"'),
      '$.name has a lone surrogate',
    ],
    ['no JSON', 'nope', 'not JSON at line 1'],
    ['nothing', '', 'ends too early'],
    ['an array', '[]', 'is an array, not an object'],
    ['another os', { ...MINIMAL, os: 'plan9' }, '$.os'],
    ['a NUL in env', { ...MINIMAL, env: { A: 'x\0y' } }, '$.env.A holds a NUL'],
  ];
  it.each(bad)('with %s is refused', (_name, value, message) => {
    expect(problems(value).join('\n')).toContain(message);
  });

  it('that is not UTF-8 or too large is refused', () => {
    expect(parseManifest(Buffer.from([0x7b, 0xff, 0x7d])).ok).toBe(false);
    const big = parseManifest(Buffer.alloc(100 << 20, 0x20));
    expect(!big.ok && big.problems[0]!.message).toContain('over the limit');
  });

  it('reports all problems at once', () => {
    expect(
      problems({ ...MINIMAL, seed: -1, os: 1, nonsense: 1, limits: { cpus: 'x', pids: 1 } }),
    ).toHaveLength(5);
  });

  it('and its JSON Schema accept and refuse the same', () => {
    const validate = new Ajv2020({ strict: false }).compile(manifestSchema());
    const structural = bad
      .filter(([, value]) => typeof value === 'object')
      .filter(
        ([name]) =>
          ![
            'one path twice',
            'an input inside another',
            'a shell operator',
            'another variable',
            'an open quote',
            'two endings',
            'SEED in env',
            'a NUL in env',
          ].includes(name),
      );
    expect(validate(OTHERS)).toBe(true);
    for (const [name, value] of structural)
      expect(validate(JSON.parse(JSON.stringify(value))), name).toBe(false);
    expect(structural.length).toBeGreaterThan(12);
  });
});

it('as many and as deep inputs as there may be keep nobody waiting', () => {
  const inputs = Array.from({ length: 10_000 }, (_, i) => ({
    path: `${'d/'.repeat(340)}${i}`,
    sha256: D,
    source: 'a',
  }));
  const before = performance.now();
  expect(problems({ ...MINIMAL, inputs })).toEqual([]);
  expect(performance.now() - before).toBeLessThan(60_000);
});

describe('run_instructions', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's braces, not JavaScript's
    ['x$seed "${seed}y" \'$seed\' \\$seed', ['x7', '7y', '$seed', '$seed']],
    [`'' ""`, ['', '']],
    [`a"b"'c'`, ['abc']],
    ['"a\\"b" "c\\d"', ['a"b', 'c\\d']],
  ])('%s', (text, argv) => {
    expect(splitInstructions(text, 7)).toEqual({ argv, problems: [] });
  });

  it('a quoted word comes back unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().map((s) => s.replaceAll('\0', '')),
          { minLength: 1 },
        ),
        (words) => {
          expect(splitInstructions(words.map(quoteWord).join(' '), 7)).toEqual({ argv: words, problems: [] });
        },
      ),
    );
  });
});
