/** Bundles made, verified, checked by other tools, and attacked. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { tarHeader } from '../../src/bundle/format/tar.ts';
import { type BundleVerification, verifyBundle } from '../../src/bundle/verify/verify.ts';
import { collect, type StateContents } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { runVerifyText, unpack } from '../support/verify-text.ts';
import { reenact, tempFolder } from '../support/world.ts';

let made: TestCase;
let golden: string;

async function bundleOf(
  one: TestCase,
  o: { record?: ReplayRecord; state?: StateContents; out?: string } = {},
): Promise<string> {
  const path = join(tempFolder(), 'case.tar');
  const out = o.out ?? one.out;
  const state = o.state ?? 'full';
  await createBundle(path, await collect(o.record ?? one.record, new BlobStore(out), out, state), { state });
  return path;
}

async function codesOf(path: string): Promise<string[]> {
  const { accepted, problems } = await verifyBundle(path);
  expect(accepted).toBe(problems.length === 0);
  return problems.map(({ code }) => code);
}

beforeAll(async () => {
  const files = { '/work/small': Buffer.from('small'), '/work/large': Buffer.alloc((1 << 20) + 7, 'large') };
  made = await makeCase(['a', 'a', 'a'], files);
  golden = await bundleOf(await makeCase(['a', 'a']));
});

describe('a bundle', () => {
  it('is accepted, and says two things apart: what follows, and who signed', async () => {
    const result = await verifyBundle(await bundleOf(made));
    expect(result).toMatchObject<Partial<BundleVerification>>({
      accepted: true,
      verdict: 'reproduced',
      verdict_follows: true,
      evidence: 'verified',
      signers: [expect.objectContaining({ authority: 'k0' })],
    });
  });

  it('is the same, byte for byte, from another folder, time zone, locale and umask', async () => {
    const elsewhere = join(tempFolder(), 'other place');
    cpSync(made.out, elsewhere, { recursive: true });
    const target = tempFolder();
    const env = { TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' };
    const before = process.umask(0o077);
    const args = ['bundle', 'create', join(elsewhere, 'runs/a'), '-o', join(target, 'b.tar')];
    const done = await reenact(args, { env }).finally(() => process.umask(before));
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(target, 'b.tar')).equals(readFileSync(await bundleOf(made)))).toBe(true);
  });

  it('is the same, byte for byte, in whatever order its contents were found', async () => {
    const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
    const path = join(tempFolder(), 'reversed.tar');
    await createBundle(path, { ...collected, sources: collected.sources.toReversed() }, { state: 'full' });
    expect(readFileSync(path).equals(readFileSync(await bundleOf(made)))).toBe(true);
  });

  it('has each content once', async () => {
    const size = statSync(await bundleOf(made)).size;
    const more = await makeCase(['a', 'a', 'a'], {
      '/work/small': Buffer.from('small'),
      '/work/large': Buffer.alloc((1 << 20) + 7, 'large'),
      '/work/again': Buffer.alloc((1 << 20) + 7, 'large'),
    });
    expect(statSync(await bundleOf(more)).size - size).toBeLessThan(2048);
  });

  it.each<[StateContents, boolean]>([
    ['full', true],
    ['none', false],
  ])('with --state %s', async (state, large) => {
    const path = await bundleOf(made, { state });
    expect((await verifyBundle(path)).accepted).toBe(true);
    expect(statSync(path).size > 1 << 20).toBe(large);
  });

  it('is never written over another file, and leaves nothing when it fails', async () => {
    const path = await bundleOf(made);
    const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
    await expect(createBundle(path, collected, { state: 'full' })).rejects.toThrow(/EEXIST/);
    expect(readdirSync(join(path, '..'))).toEqual(['case.tar']);
  });

  it('names what is missing in the store', async () => {
    const out = tempFolder();
    await expect(collect(made.record, new BlobStore(out), out, 'full')).rejects.toThrow(/is not in/);
  });
});

describe('other people’s tools', () => {
  it('VERIFY.txt’s commands end with status 0 as they stand, and not on changed contents', async () => {
    const folder = unpack(await bundleOf(made));
    expect(runVerifyText(folder)).toContain('true');
    writeFileSync(join(folder, 'index.json'), `${readFileSync(join(folder, 'index.json'), 'utf8')} `);
    expect(() => runVerifyText(folder)).toThrow();
  });

  it('GNU tar and Python list exactly our members', async () => {
    const path = await bundleOf(made);
    const names = String(execFileSync('tar', ['-tf', path]))
      .trim()
      .split('\n');
    const script = `import tarfile; print('\\n'.join(tarfile.open('${path}').getnames()))`;
    expect(
      String(execFileSync('python3', ['-c', script]))
        .trim()
        .split('\n'),
    ).toEqual(names);
    expect(names[0]).toBe('oci-layout');
    expect(names.at(-1)).toBe('data/report.html');
  });
});

describe('a bundle that lies', () => {
  it.each<[string, string, (record: ReplayRecord) => unknown]>([
    ['verdict_differs', 'a verdict that does not follow', (r) => (r.verdict = 'diverged')],
    ['verdict_differs', 'a ratio that does not follow', (r) => (r.replay_success_ratio = 0.5)],
    ['verdict_differs', 'a replay of another ending than its state', (r) => (r.replays[1]!.exit_code = 1)],
    ['verdict_differs', 'a gate that passed', (r) => (r.gates[0]!.threshold = 0.1)],
    ['evidence_differs', 'evidence that was not verified', (r) => (r.evidence.record!.verdict = 'rejected')],
  ])('%s: %s', async (code, _name, change) => {
    const record = structuredClone(made.record);
    change(record);
    expect(await codesOf(await bundleOf(made, { record }))).toContain(code);
  });

  it('evidence_differs: a signature that was changed after the run', async () => {
    const out = join(tempFolder(), 'copy');
    cpSync(made.out, out, { recursive: true });
    const [file] = made.record.evidence.files;
    const store = new BlobStore(out);
    const envelope = JSON.parse(readFileSync(store.path(file!), 'utf8')) as { signatures: { sig: string }[] };
    envelope.signatures[0]!.sig = Buffer.alloc(64).toString('base64');
    const forged = await store.put(JSON.stringify(envelope));
    const record = structuredClone(made.record);
    record.evidence.files = [forged];
    expect(await codesOf(await bundleOf(made, { record, out }))).toEqual(['evidence_differs']);
  });

  it('manifest_form: a word that VERIFY.txt would put into a command', async () => {
    const record = structuredClone(made.record);
    const [signer] = record.evidence.record!.envelopes[0]!.signers;
    signer!.algorithm = 'rsa-pkcs1-sha256; touch /tmp/owned;' as never;
    expect(await codesOf(await bundleOf(made, { record }))).toEqual(['manifest_form']);
  });

  it('custody_broken: entries in another order', async () => {
    const one = await makeCase(['a']);
    const out = join(tempFolder(), 'copy');
    cpSync(one.out, out, { recursive: true });
    mkdirSync(join(out, 'custody'), { recursive: true });
    const first = join(out, 'custody/0000000001.json');
    copyFileSync(first, join(out, 'custody/0000000002.json'));
    const record = structuredClone(one.record);
    record.evidence.custody!.sequence = 2;
    expect(await codesOf(await bundleOf(one, { record, out }))).toContain('custody_broken');
  });
});

describe('a damaged file', () => {
  it('is refused when cut at every 512 bytes', async () => {
    const path = join(tempFolder(), 'cut.tar');
    const { length } = readFileSync(golden);
    for (let at = 0; at < length; at += 512) {
      copyFileSync(golden, path);
      truncateSync(path, at);
      const codes = await codesOf(path);
      expect(['tar_truncated', 'member_missing'], `cut at ${at}`).toContain(codes.at(-1));
    }
  });

  const bytesOf = (): Buffer => readFileSync(golden);
  it.each<[string, string, () => Buffer]>([
    ['tar_trailing', 'bytes after its end', () => Buffer.concat([bytesOf(), Buffer.from('x')])],
    ['tar_trailing', 'another archive after its end', () => Buffer.concat([bytesOf(), bytesOf()])],
    [
      'member_unexpected',
      'a member that nothing names',
      () =>
        Buffer.concat([
          bytesOf().subarray(0, -1024),
          tarHeader({ name: 'data/extra', sizeBytes: 0 }),
          Buffer.alloc(1024),
        ]),
    ],
    ['not_a_bundle', 'no archive at all', () => Buffer.from('hello'.repeat(1000))],
    ['tar_name', 'a damaged beginning', () => Buffer.concat([Buffer.alloc(100, 1), bytesOf().subarray(100)])],
    ['tar_truncated', 'nothing', () => Buffer.alloc(0)],
    ['member_missing', 'an archive of nothing', () => Buffer.alloc(1024)],
  ])('%s: %s', async (code, _name, content) => {
    const path = join(tempFolder(), 'x.tar');
    writeFileSync(path, content());
    expect(await codesOf(path)).toContain(code);
  });

  it('manifest_form: an index that names two roots', async () => {
    const bytes = bytesOf();
    const at = bytes.indexOf('{"manifests"');
    const end = bytes.indexOf(0, at);
    const index = JSON.parse(bytes.toString('utf8', at, end)) as { manifests: unknown[] };
    index.manifests.push(index.manifests[0]);
    const text = Buffer.from(canonicalJson(index));
    const padded = Buffer.concat([text, Buffer.alloc((512 - (text.length % 512)) % 512)]);
    const rest = bytes.subarray(at + Math.ceil((end - at) / 512) * 512);
    const path = join(tempFolder(), 'two.tar');
    writeFileSync(
      path,
      Buffer.concat([
        bytes.subarray(0, at - 512),
        tarHeader({ name: 'index.json', sizeBytes: text.length }),
        padded,
        rest,
      ]),
    );
    expect(await codesOf(path)).toEqual(['manifest_form']);
  });

  it.each([
    [
      'a replay manifest (JSON)',
      '{"harness_version":"1","run_instructions":"x"}',
      'reenact run FILE --bundle',
    ],
    ['a replay record (JSON)', '{"record_version":1}', 'reenact bundle create FILE --out'],
    ['a DSSE envelope (JSON)', '{"payloadType":"a","payload":"","signatures":[]}', 'reenact evidence verify'],
    ['JSON of another kind', '[1, 2]', ''],
    ['a minidump', 'MDMP\u0000\u0000', 'reenact trace show'],
    ['a PEM file', '-----BEGIN PUBLIC KEY-----', ''],
    ['compressed with gzip', gzipSync('bundle'), 'gzip -dc FILE > case.tar'],
    ['a program or a core (ELF)', readFileSync('/proc/self/exe').subarray(0, 4096), 'reenact trace show'],
    ['text', 'a log\nof lines\n', ''],
  ])('not_a_bundle: says that it is %s', async (is, content, next) => {
    const path = join(tempFolder(), 'x');
    writeFileSync(path, content);
    const { status, stdout } = await reenact(['bundle', 'verify', path, '--json']);
    const [{ problems }] = JSON.parse(stdout);
    expect([status, problems]).toEqual([
      2,
      [{ code: 'not_a_bundle', message: expect.stringContaining(`${path} is ${is}, not a bundle`) }],
    ]);
    expect(problems[0].message).toContain(next.replace('FILE', path));
    expect((await reenact(['bundle', 'inspect', path])).stderr).toContain(`is ${is}, not a bundle`);
  });

  it('is shown in 80 columns, but for digests and paths, with its crash and what the recorder says', async () => {
    const { stdout } = await reenact(['bundle', 'verify', golden]);
    const wide = stdout.split('\n').filter((line) => line.length > 80 && !/^ +\S+$|identity/.test(line));
    expect(wide.filter((line) => !line.startsWith('accepted'))).toEqual([]);
    expect(stdout).toMatch(/\n {2}said {9}by the recorder alone; .*:\n {15}nonce, name, /);
    expect(stdout).toMatch(/\n {15}replays\[\]: varied, duration_ms, /);
  });

  it('is refused as a text, on the screen too', async () => {
    const path = join(tempFolder(), 'x.tar');
    writeFileSync(path, Buffer.concat([bytesOf(), Buffer.from('x')]));
    const { status, stdout } = await reenact(['bundle', 'verify', path]);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^refused .*\n.*problem +tar_trailing/s);
    expect(existsSync(path)).toBe(true);
  });
});
