/** Two bundles compared: what they say, what is inside, and the states that count. */
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { type Difference, diffBundles } from '../../../src/bundle/diff/diff.ts';
import { Refused } from '../../../src/bundle/format/refused.ts';
import type { PathChange } from '../../../src/state/final-state.ts';
import { makeCase, type TestCase } from '../../support/case.ts';
import { add, type Change, forge, setManifest, setState } from '../../support/forge.ts';
import { makeKey } from '../../support/keys.ts';
import { reenact, tempFolder } from '../../support/world.ts';

let made: TestCase;
let golden: string;
beforeAll(async () => {
  made = await makeCase(['a', 'a']);
  golden = await forge(made);
});

/** Where the golden bundle differs from one that was changed. */
async function record(change: Change): Promise<Difference[]> {
  return (await diffBundles(golden, await forge(made, change))).record;
}

describe('two bundles', () => {
  it('that are the same are the same', async () => {
    const done = await reenact(['bundle', 'diff', golden, await forge(made)]);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toMatch(/^the same bundle, sha256:[0-9a-f]{64}\n$/);
  });

  it('of two runs that came to the same say the same', async () => {
    const other = await forge(made, (r) => {
      r.started_at = '2027-01-01T00:00:00.000Z';
      r.duration_ms = 99;
      r.replays[0]!.duration_ms = 98;
      r.manifest_path = '/elsewhere/m.json';
    });
    const found = await diffBundles(golden, other);
    expect(found.roots[0]).not.toBe(found.roots[1]);
    const done = await reenact(['bundle', 'diff', golden, other]);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toMatch(/\nthey say the same\n$/);
    expect(await reenact(['bundle', 'diff', golden, other, '--json'])).toMatchObject({ stdout: '[]\n' });
  });

  it.each<[string, unknown, unknown, Change]>([
    ['name', 'a case <b>&', 'b', (r) => (r.name = 'b')],
    ['verdict', 'reproduced', 'diverged', (r) => (r.verdict = 'diverged')],
    ['reason', 'self_consistent', 'tie', (r) => (r.reason = 'tie')],
    ['ratio', 1, 0.5, (r) => (r.replay_success_ratio = 0.5)],
    ['outcomes', 'match × 2', 'diverged × 1, match × 1', (r) => (r.replays[1]!.outcome = 'diverged')],
    ['expected state', null, digestOf('x'), (r) => (r.expected_state_sha256 = digestOf('x'))],
    ['evidence', 'verified', 'error', (r) => (r.evidence.status = 'error')],
    [
      'signers',
      expect.stringMatching(/^k0 \(sha256:/),
      '',
      (r) => (r.evidence.record!.envelopes[0]!.signers = []),
    ],
    [
      'gate replay_ratio',
      '1, needs 0.95: passed',
      '1, needs 0.5: passed',
      (r) => (r.gates[0]!.threshold = 0.5),
    ],
    ['environment kernel', '6', '7', (r) => (r.environment!.kernel = '7')],
    ['environment cpu', 'c', 'd', (r) => (r.environment!.cpu = 'd')],
    [
      'image',
      expect.stringMatching(/^sha256:/),
      digestOf('other'),
      (r) => (r.sandbox_image_sha256 = digestOf('other')),
    ],
  ])('say that they differ in %s', async (where, a, b, change) => {
    expect(
      await record((r, c) => {
        change(r, c);
      }),
    ).toContainEqual({ where, a, b });
  });

  it('say which fields and inputs of the manifest differ', async () => {
    const found = await record((r, c) =>
      setManifest(r, c, {
        seed: 2,
        inputs: [
          { path: 'in.txt', sha256: digestOf('other'), source: 'in.txt' },
          { path: 'new', sha256: digestOf('new'), source: 'from/here' },
        ],
      }),
    );
    expect(found.map(({ where }) => where)).toEqual([
      'manifest',
      'manifest seed',
      'input in.txt',
      'input new',
    ]);
    expect(found.slice(1)).toEqual([
      { where: 'manifest seed', a: 1, b: 2 },
      { where: 'input in.txt', a: digestOf('input'), b: digestOf('other') },
      { where: 'input new', a: null, b: `${digestOf('new')} from from/here` },
    ]);
  });

  it('say what is inside only one of them', async () => {
    const other = await forge(made, (_r, c) => {
      c.sources = c.sources.filter(({ role }) => role !== 'input');
      add(c, 'input', 'other', 'in.txt');
      add(c, 'input', 'more', 'in2.txt');
      add(c, 'input', 'more of it', 'in2.txt');
      add(c, 'content', 'xyz');
    });
    const { items } = await diffBundles(golden, other);
    expect(items).toEqual([
      { where: 'item input in.txt', a: digestOf('input'), b: digestOf('other') },
      {
        where: 'item input in2.txt',
        a: null,
        b: [digestOf('more'), digestOf('more of it')].sort().join(', '),
      },
      { where: `item content ${digestOf('xyz')}`, a: null, b: '3 bytes' },
    ]);
    const back = await reenact(['bundle', 'diff', other, golden]);
    expect(back.stdout).toContain(
      '\nitems\n  input           1 changed, 1 removed\n  content         1 removed\n',
    );
  });

  it('say in what their final states differ, with the bytes where they are inside', async () => {
    const file = (path: string, text: string, mode = '0644'): PathChange => ({
      path,
      change: 'added',
      type: 'file',
      mode,
      sha256: digestOf(text),
    });
    const bundle = (text: string, ...files: PathChange[]): Promise<string> =>
      forge(made, (r, c) => {
        const stdout = { sha256: add(c, 'content', text), size: text.length };
        for (const content of ['one', 'two']) add(c, 'content', content);
        setState(r, c, { stdout, files });
      });
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('reenact-diff-'));
    const { state } = await diffBundles(
      await bundle('same so far: a', file('/a', 'one'), file('/m', 'one'), file('/gone', 'one')),
      await bundle('same so far: b', file('/a', 'two'), file('/m', 'one', '0755'), file('/absent', 'three')),
    );
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('reenact-diff-'))).toEqual(before);
    expect(state).toEqual([
      { where: 'state stdout, first at byte 13', a: 'same so far: a', b: 'same so far: b' },
      { where: 'state /a: content, first at byte 0', a: 'one', b: 'two' },
      { where: 'state /absent: change', a: 'unchanged', b: 'added file' },
      { where: 'state /gone: change', a: 'added file', b: 'unchanged' },
      { where: 'state /m: mode', a: '0644', b: '0755' },
    ]);
  });
});

describe('a redaction', () => {
  it('differs from what it was made of in what was withheld', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const path = join(folder, 'r.tar');
    const to = ['--out', path, '--key', join(folder, 'key.pem'), '--secret', join(folder, 's')];
    const drop = ['--drop', 'stdout', '--reason', 'r'];
    expect(await reenact(['bundle', 'redact', golden, ...drop, ...to])).toMatchObject({ status: 0 });
    const { roots, record, state } = await diffBundles(golden, path);
    expect(record).toContainEqual({ where: 'redaction of', a: null, b: roots[0] });
    expect(record).toContainEqual({ where: 'withheld', a: '', b: expect.stringContaining('stdout') });
    expect(state).toEqual([{ where: 'state stdout', a: '1 bytes', b: 'withheld' }]);
  });
});

describe('what is printed', () => {
  it('is one line a thing, 80 columns, and no control characters', async () => {
    const other = await forge(made, (r, c) => {
      r.name = 'x\n  verdict: \u001b[31mforged\u202e';
      r.message = `${'long '.repeat(100)}end`;
      r.environment!.kernel = '6'.repeat(500);
      const inputs = [{ path: 'p'.repeat(300), sha256: digestOf('i'), source: 's' }];
      setManifest(r, c, { run_instructions: `${'true '.repeat(60)}b`, seed: 2, inputs });
      add(c, 'input', 'i', 'in\n.txt');
      setState(r, c, {
        files: Array.from({ length: 60 }, (_, i) => ({ path: `/${i}\u001b`, change: 'deleted' as const })),
      });
    });
    const { status, stdout } = await reenact(['bundle', 'diff', golden, other]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^- .*\n {2}sha256:.*\n\+ .*\n {2}sha256:.*\nname\n {2}- a case <b>&\n {2}\+ x\\n/,
    );
    expect(stdout).toContain('\nmanifest seed\n  - 1\n  + 2\n');
    expect(stdout).toMatch(/\nand 11 more of this kind: --json has all\n$/);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    const names = new RegExp(`^[-+] (${golden}|${other})$`);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !names.test(line))).toEqual([]);
  });

  it('shows long texts where they begin to differ', async () => {
    const long = (end: string): Promise<string> =>
      forge(made, (r) => {
        r.message = `${'x'.repeat(500)}${end}${'y'.repeat(500)}`;
      });
    const { stdout } = await reenact(['bundle', 'diff', await long('ONE'), await long('TWO')]);
    expect(stdout).toMatch(/message\n {2}- …x{20}ONEy+…\n {2}\+ …x{20}TWOy+…\n$/);
  });
});

describe('a bundle that is refused', () => {
  it('is named, with status 2', async () => {
    const path = await forge(made);
    truncateSync(path, statSync(path).size - 1024);
    for (const pair of [
      [golden, path],
      [path, golden],
    ]) {
      const done = await reenact(['bundle', 'diff', ...pair]);
      expect(done).toMatchObject({ status: 2, stdout: '' });
      expect(done.stderr).toContain(`reenact: tar_truncated: ${path}: `);
    }
    expect(await reenact(['bundle', 'diff', golden])).toMatchObject({ status: 64 });
  });

  it('is one whose state is none', async () => {
    const path = await forge(made, (r, c) => setState(r, c, '[]'));
    await expect(diffBundles(golden, path)).rejects.toThrow(Refused);
  });
});
