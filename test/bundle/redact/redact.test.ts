/** Redaction: what was dropped is in no byte of the new bundle, nor is anything that lets it be guessed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { digestOf, hexOf } from '../../../src/base/digest.ts';
import { openBundle } from '../../../src/bundle/read/open.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { collect } from '../../../src/bundle/write/collect.ts';
import { createBundle } from '../../../src/bundle/write/create.ts';
import { loadPolicy } from '../../../src/policy/policy.ts';
import type { FinalState } from '../../../src/state/final-state.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import type { ReplayRecord } from '../../../src/verdict/record.ts';
import { makeCase, type TestCase } from '../../support/case.ts';
import { makeKey } from '../../support/keys.ts';
import { runVerifyText, unpack } from '../../support/verify-text.ts';
import { reenact, tempFolder } from '../../support/world.ts';

const SECRET = 'pin 4711';
let made: TestCase;
let folder: string;
let original: Buffer;

async function redact(...args: string[]): Promise<{ status: number | null; stderr: string; stdout: string }> {
  const fixed = ['--reason', 'privacy', '--key', 'key.pem', '--secret', 'case.secret'];
  return reenact(['bundle', 'redact', 'case.tar', ...fixed, ...args], { cwd: folder });
}

/** Every byte of it as hex digits, base64 undone where evidence holds some. */
function bytesOf(name: string): string {
  const place = unpack(join(folder, name));
  const all = execFileSync('cat', [
    ...String(execFileSync('find', [place, '-type', 'f']))
      .trim()
      .split('\n'),
  ]);
  const text = all.toString('latin1');
  const payloads = [...text.matchAll(/"payload": ?"([^"]+)"/g)].map(([, one]) => Buffer.from(one!, 'base64'));
  return text + Buffer.concat(payloads).toString('latin1');
}

beforeAll(async () => {
  folder = tempFolder();
  made = await makeCase(['a', 'a', 'b'], {
    '/home/me/pin': Buffer.from(SECRET),
    '/work/kept': Buffer.from('kept'),
  });
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(join(folder, 'case.tar'), collected, { state: 'full' });
  original = readFileSync(join(folder, 'case.tar'));
  writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

describe('a redaction of what a program wrote', () => {
  beforeAll(async () => {
    const done = await redact('--drop', 'files/home/**', '--out', 'wrote.tar', '--actor', 'Lab');
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('files/home/me/pin') });
    expect(done.stderr).toContain('a new case secret');
  });

  it('is accepted, says what it is made of, and its verdict still follows', async () => {
    const result = await verifyBundle(join(folder, 'wrote.tar'));
    expect(result).toMatchObject({
      accepted: true,
      verdict_follows: true,
      redaction_of: (await verifyBundle(join(folder, 'case.tar'))).root,
      evidence: 'verified',
      signers: [{ authority: 'k0' }],
      events: [{ action: 'redacted', actor: 'Lab', reason: 'privacy' }],
    });
    expect(readFileSync(join(folder, 'case.tar')).equals(original)).toBe(true);
  });

  it('holds neither the content, nor its digest, nor one of a state that is made of it', async () => {
    const opened = await openBundle(join(folder, 'case.tar'));
    const states = new Set(opened.record.replays.map((one) => one.final_state_sha256!));
    const bytes = bytesOf('wrote.tar');
    for (const gone of [SECRET, ...[digestOf(SECRET), ...states, opened.record.nonce].map(hexOf)])
      expect(bytes).not.toContain(gone);
    const now = await openBundle(join(folder, 'wrote.tar'));
    // Replays that ended alike still do, and those that did not, do not.
    const [a, b, c] = now.record.replays.map((one) => one.final_state_sha256);
    expect([a === b, b === c]).toEqual([true, false]);
    const state = JSON.parse(now.kept.get(a!)!.toString()) as FinalState;
    const pin = state.files.find(({ path }) => path === '/home/me/pin')!;
    expect([pin.size, String(pin.sha256).slice(0, 12)]).toEqual([null, 'hmac-sha256:']);
    expect(state.files.find(({ path }) => path === '/work/kept')!.sha256).toBe(digestOf('kept'));
  });

  it('lets whoever has content and secret show that it was this one, with openssl alone', async () => {
    const secret = readFileSync(join(folder, 'case.secret'), 'utf8').trim();
    const { document } = await openBundle(join(folder, 'wrote.tar'));
    const thing = canonicalJson({ sha256: digestOf(SECRET), size: SECRET.length });
    const hmac = execFileSync('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${secret}`], {
      input: thing,
    });
    const [, hex] = /= ([0-9a-f]{64})/.exec(String(hmac))!;
    expect(document.withheld).toEqual([
      { role: 'content', name: 'files/home/me/pin', commitment: `hmac-sha256:${hex}` },
    ]);
    expect(statSync(join(folder, 'case.secret')).mode & 0o777).toBe(0o600);
  });

  it('is the same bundle again with the same secret, and another with another', async () => {
    await redact('--drop', 'files/home/**', '--out', 'again.tar');
    const other = ['--drop', 'files/home/**', '--out', 'other.tar', '--secret', 'other.secret'];
    await redact(...other);
    const roots = await Promise.all(
      ['wrote.tar', 'again.tar', 'other.tar'].map(
        async (name) => (await verifyBundle(join(folder, name))).root,
      ),
    );
    expect(roots[0]).toBe(roots[1]);
    expect(roots[2]).not.toBe(roots[0]);
  });

  it('cannot be replayed, and says which can', async () => {
    const done = await reenact(['bundle', 'replay', 'wrote.tar'], { cwd: folder });
    expect(done).toMatchObject({ status: 64, stderr: expect.stringContaining('ask for that bundle') });
  });

  it('can be redacted again', async () => {
    const args = ['--drop', 'stdout', '--reason', 'r', '--key', 'key.pem', '--secret', 'case.secret'];
    const done = await reenact(['bundle', 'redact', 'wrote.tar', ...args, '--out', 'twice.tar'], {
      cwd: folder,
    });
    expect(done).toMatchObject({ status: 0 });
    expect(await verifyBundle(join(folder, 'twice.tar'))).toMatchObject({ accepted: true });
    const { document } = await openBundle(join(folder, 'twice.tar'));
    expect(document.withheld!.map(({ name }) => name)).toContain('files/home/me/pin');
  });

  it('VERIFY.txt’s commands hold', () => {
    runVerifyText(unpack(join(folder, 'wrote.tar')));
  });
});

describe('a redaction of an input', () => {
  it('takes the evidence out as well, which would let it be guessed, and says so', async () => {
    expect(await redact('--drop', 'input/*', '--out', 'input.tar')).toMatchObject({ status: 0 });
    const opened = await openBundle(join(folder, 'case.tar'));
    const bytes = bytesOf('input.tar');
    const { manifest_sha256, manifest_subject_sha256 } = opened.record;
    for (const gone of [
      digestOf('input'),
      manifest_sha256!,
      manifest_subject_sha256!,
      ...opened.record.evidence.files,
    ])
      expect(bytes).not.toContain(hexOf(gone));
    const result = await verifyBundle(join(folder, 'input.tar'));
    expect(result).toMatchObject({
      accepted: true,
      evidence: 'withheld',
      signers: [],
      verdict_follows: true,
    });
    const shown = await reenact(['bundle', 'verify', 'input.tar'], { cwd: folder });
    expect(shown.stdout).toContain('NOT checked: the evidence was withheld');
    const held = await reenact(['bundle', 'verify', 'input.tar', '--policy', 'default'], { cwd: folder });
    expect(held.status).toBe(1);
  });
});

it('a manifest without evidence, whose digest is also the one that evidence would name', async () => {
  const store = new BlobStore(made.out);
  const manifest = JSON.parse(String(await store.get(made.record.manifest_sha256!))) as Record<
    string,
    unknown
  >;
  delete manifest.dsse_envelope;
  const sha256 = await store.put(canonicalJson(manifest));
  const policy = await loadPolicy('default');
  await store.put(policy.canonical);
  const record: ReplayRecord = {
    ...made.record,
    policy: { name: policy.name, sha256: policy.sha256 },
    manifest_sha256: sha256,
    manifest_subject_sha256: sha256,
    evidence: { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null },
  };
  await createBundle(join(folder, 'bare.tar'), await collect(record, store, made.out, 'full'), {
    state: 'full',
  });
  const args = ['--drop', 'input/*', '--reason', 'r', '--key', 'key.pem', '--secret', 'bare.secret'];
  const done = await reenact(['bundle', 'redact', 'bare.tar', ...args, '--out', 'b.tar'], { cwd: folder });
  expect(done).toMatchObject({ status: 0 });
  expect(await verifyBundle(join(folder, 'b.tar'))).toMatchObject({
    accepted: true,
    evidence: 'not_checked',
  });
  expect(bytesOf('b.tar')).not.toContain(hexOf(sha256));
});

describe('what cannot be redacted is said, and nothing is written', () => {
  it.each<[string, string[], number, string]>([
    ['a pattern that fits nothing', ['--drop', 'files/nowhere'], 64, 'fits nothing'],
    ['no pattern', [], 64, '--drop'],
    ['a secret that is none', ['--drop', 'stdout', '--secret', 'key.pem'], 64, 'is no case secret'],
    ['a key that is not Ed25519', ['--drop', 'stdout', '--key', 'case.tar'], 64, 'case.tar'],
  ])('%s', async (_name, args, status, message) => {
    const done = await redact(...args, '--out', 'none.tar');
    expect(done).toMatchObject({ status, stderr: expect.stringContaining(message) });
    expect(existsSync(join(folder, 'none.tar'))).toBe(false);
  });

  it('a bundle that withholds something without saying of what it is a redaction is refused, and the other way', async () => {
    const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
    const commitment = `hmac-sha256:${'0'.repeat(64)}`;
    const path = join(tempFolder(), 'x.tar');
    const subject = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf('x'),
      size: 1,
    };
    await createBundle(path, collected, { state: 'full', redaction: { subject, withheld: [] } });
    expect((await verifyBundle(path)).problems.map(({ code }) => code)).toContain('manifest_form');
    const record = { ...made.record, nonce: commitment as never };
    const bytes = Buffer.from(canonicalJson(record));
    const sources = collected.sources.filter(({ role }) => role !== 'record');
    sources.push({ role: 'record', sha256: digestOf(bytes), size: bytes.length, from: bytes });
    const veiled = join(tempFolder(), 'y.tar');
    await createBundle(
      veiled,
      { ...collected, record, recordSha256: digestOf(bytes), sources },
      { state: 'full' },
    );
    expect((await verifyBundle(veiled)).problems.map(({ code }) => code)).toEqual(['manifest_form']);
  });
});
