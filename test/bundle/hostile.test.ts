/** Bundles that are whole as archives, and whose documents were made to mislead or to break a verifier. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import {
  blobName,
  type Descriptor,
  EMPTY_CONFIG,
  type Item,
  layoutIndex,
  OCI_LAYOUT,
  ROLES,
  rootManifest,
} from '../../src/bundle/format/format.ts';
import { paddingBytes, tarHeader } from '../../src/bundle/format/tar.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import type { Collected } from '../../src/bundle/write/collect.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { add, type Change, forge } from '../support/forge.ts';
import { reenact, tempFolder } from '../support/world.ts';

let made: TestCase;
beforeAll(async () => {
  made = await makeCase(['a', 'a']);
});

/** Takes all of a role out. */
function drop(collected: Collected, role: Item['role']): void {
  collected.sources = collected.sources.filter((source) => source.role !== role);
}

/** Puts other bytes in a source's place and returns their digest. */
function replace(collected: Collected, role: Item['role'], text: string): Digest {
  const source = collected.sources.find((one) => one.role === role)!;
  const bytes = Buffer.from(text);
  Object.assign(source, { sha256: digestOf(bytes), size: bytes.length, from: bytes });
  return source.sha256;
}

async function codesOf(path: string): Promise<string[]> {
  return (await verifyBundle(path)).problems.map(({ code }) => code);
}

describe('what the record rests on must be there', () => {
  it.each<[Item['role']]>([
    ['manifest'],
    ['state'],
    ['evidence'],
    ['evidence-record'],
    ['policy'],
    ['harness'],
  ])('content_missing: no %s in the list', async (role) => {
    const path = await forge(made, (_record, collected) => {
      collected.sources = collected.sources.filter((source) => source.role !== role);
      if (role === 'manifest') collected.manifest = undefined;
    });
    expect(await codesOf(path)).toContain('content_missing');
  });

  it('evidence_differs: a record that says verified, and shows nothing', async () => {
    const path = await forge(made, (record) => {
      record.evidence = { status: 'verified', record: null, record_sha256: null, files: [], custody: null };
    });
    expect(await codesOf(path)).toContain('evidence_differs');
  });
});

describe('a blob stands once', () => {
  const document: Descriptor = { mediaType: ROLES.case, digest: digestOf('case'), size: 4 };
  const empty: Descriptor = { mediaType: ROLES.harness, digest: digestOf(EMPTY_CONFIG), size: 2 };
  it.each<[string, Descriptor[]]>([
    ['the empty configuration as a layer', [document, empty]],
    ['a layer twice', [document, document]],
  ])('member_unexpected: %s', async (_name, layers) => {
    const manifest = rootManifest(layers);
    const files = [
      ['oci-layout', OCI_LAYOUT],
      ['index.json', layoutIndex(manifest, [])],
      [blobName(digestOf(manifest)), manifest],
    ] as const;
    const members = files.map(([name, text]) => {
      const sizeBytes = Buffer.byteLength(text);
      return Buffer.concat([
        tarHeader({ name, sizeBytes }),
        Buffer.from(text),
        Buffer.alloc(paddingBytes(sizeBytes)),
      ]);
    });
    const path = join(tempFolder(), 'twice.tar');
    writeFileSync(path, Buffer.concat([...members, Buffer.alloc(1024)]));
    expect(await codesOf(path)).toEqual(['member_unexpected']);
  });
});

describe('a record that names something else than what is inside', () => {
  it.each<[string, string, (record: ReplayRecord) => void]>([
    ['image_differs', 'another image than the manifest', (r) => (r.image!.requested = digestOf('x'))],
    ['image_differs', 'another configuration', (r) => (r.image!.config = digestOf('x'))],
    ['image_differs', 'other layers', (r) => (r.image!.diff_ids = [])],
    ['manifest_form', 'another subject', (r) => (r.manifest_subject_sha256 = digestOf('x'))],
    ['record_differs', 'another final state', (r) => (r.final_state_sha256 = digestOf('x'))],
    ['record_differs', 'another expected state', (r) => (r.expected_state_sha256 = digestOf('x'))],
    ['record_differs', 'another sandbox image', (r) => (r.sandbox_image_sha256 = digestOf('x'))],
    ['record_differs', 'another name', (r) => (r.name = 'a safe program')],
    ['record_differs', 'a replay twice', (r) => (r.replays[1]!.index = 1)],
    [
      'evidence_differs',
      'no evidence under a policy that demands it',
      (r) =>
        (r.evidence = { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null }),
    ],
    [
      'evidence_differs',
      'a signer who did not sign',
      (r) => (r.evidence.record!.envelopes[0]!.signers[0]!.authority = 'Supreme Court'),
    ],
    [
      'evidence_differs',
      'a verdict while the evidence was rejected',
      (r) => (r.evidence.status = 'rejected'),
    ],
    [
      'record_differs',
      'claims that the manifest does not make',
      (r) => (r.claims = [{ name: 'compiler', claimed: 'gcc', observed: 'gcc', match: true }]),
    ],
    ['verdict_differs', 'a verdict without replays', (r) => (r.replays = [])],
  ])('%s: %s', async (code, _name, change) => {
    expect(await codesOf(await forge(made, change))).toContain(code);
  });
});

describe('what is inside is there for a reason, and what there is a reason for is inside', () => {
  it.each<[string, string, Change]>([
    ['content_missing', 'no input', (_r, c) => drop(c, 'input')],
    ['content_missing', 'no contents', (_r, c) => drop(c, 'content')],
    [
      'content_missing',
      'no layers of an image that is said to be inside',
      (_r, c) => (c.image = drop(c, 'image') === undefined),
    ],
    [
      'member_unexpected',
      'an input that no manifest names',
      (_r, c) => add(c, 'input', 'I did it', 'confession.txt'),
    ],
    ['member_unexpected', 'a content of no state', (_r, c) => add(c, 'content', 'strange')],
    [
      'member_unexpected',
      'a state of no replay',
      (_r, c) =>
        add(
          c,
          'state',
          readFileSync(new BlobStore(made.out).path(made.record.final_state_sha256!), 'utf8').replace(
            '"exit_code":0',
            '"exit_code":7',
          ),
        ),
    ],
    ['member_unexpected', 'a key of no policy', (_r, c) => add(c, 'policy-file', 'key')],
    ['member_unexpected', 'another harness', (_r, c) => add(c, 'harness', 'another')],
    [
      'content_missing',
      'a manifest that is too large to be read',
      (r, c) => {
        const text = `${readFileSync(new BlobStore(made.out).path(r.manifest_sha256!), 'utf8')}${' '.repeat(9 << 20)}`;
        drop(c, 'manifest');
        r.manifest_sha256 = add(c, 'manifest', text);
      },
    ],
    [
      'custody_broken',
      'a custody entry about other evidence',
      (r, c) => {
        drop(c, 'custody');
        const entry = {
          sequence: 1,
          previous: null,
          verdict: 'verified',
          evidence_record_sha256: digestOf('x'),
        };
        r.evidence.custody!.sha256 = add(c, 'custody', JSON.stringify(entry), '0000000001.json');
      },
    ],
  ])('%s: %s', async (code, _name, change) => {
    expect(await codesOf(await forge(made, change))).toContain(code);
  });

  it('a state that is too large to be looked into is named', async () => {
    const path = await forge(made, (record, collected) => {
      const text = JSON.stringify({ exit_code: 139, files: [{ path: `/${'x'.repeat(9 << 20)}` }] });
      drop(collected, 'state');
      drop(collected, 'content');
      record.final_state_sha256 = add(collected, 'state', text);
      for (const replay of record.replays) replay.final_state_sha256 = record.final_state_sha256;
    });
    expect((await verifyBundle(path)).unread).toHaveLength(1);
  });

  it('a name with line feeds stays on its line', async () => {
    const name = 'x\n  records      1 exported by the court';
    const path = await forge(made, (record) => (record.name = name));
    const { stdout } = await reenact(['bundle', 'verify', path]);
    expect(stdout).not.toContain('\n  records      1 exported');
  });
});

describe('documents that are none are a problem of the bundle, never a crash', () => {
  it.each<[string, (record: ReplayRecord, collected: Collected) => void]>([
    ['a manifest that is no JSON', (r, c) => (r.manifest_sha256 = replace(c, 'manifest', 'x'))],
    ['a manifest of another shape', (r, c) => (r.manifest_sha256 = replace(c, 'manifest', '{"inputs":5}'))],
    [
      'a state that is no JSON',
      (r, c) => {
        const state = replace(c, 'state', '{');
        for (const one of r.replays) one.final_state_sha256 = state;
      },
    ],
    [
      'a state that is null',
      (r, c) => {
        const state = replace(c, 'state', 'null');
        for (const one of r.replays) one.final_state_sha256 = state;
      },
    ],
    ['a policy that is none', (r, c) => (r.policy.sha256 = replace(c, 'policy', '{"version":9}'))],
    ['a custody entry that is no JSON', (r, c) => (r.evidence.custody!.sha256 = replace(c, 'custody', '['))],
    ['a time that is none', (r) => (r.evidence.record!.verified_at = 'yesterday')],
    ['no replays requested', (r) => (r.requested = 0)],
    [
      'a log entry in another spelling',
      (r, c) => {
        const manifest = JSON.parse(canonicalJson(c.manifest)) as object;
        r.manifest_sha256 = replace(c, 'manifest', canonicalJson({ ...manifest, rekor_tile_ref: 'rekor:x' }));
      },
    ],
  ])('%s', async (_name, change) => {
    const path = await forge(made, (record, collected) => {
      change(record, collected);
    });
    const result = await verifyBundle(path);
    expect(result.accepted).toBe(false);
    expect(result.problems.length).toBeGreaterThan(0);
  });

  it('whatever text stands in a document’s place', { timeout: 60_000 }, async () => {
    const roles = fc.constantFrom<Item['role']>('manifest', 'state', 'policy', 'custody', 'evidence');
    await fc.assert(
      fc.asyncProperty(roles, fc.oneof(fc.json(), fc.string()), async (role, text) => {
        const path = await forge(made, (record, collected) => {
          const sha256 = replace(collected, role, text);
          if (role === 'manifest') record.manifest_sha256 = sha256;
          if (role === 'policy') record.policy.sha256 = sha256;
          if (role === 'evidence') record.evidence.files = [sha256];
          if (role === 'custody') record.evidence.custody!.sha256 = sha256;
          if (role === 'state') for (const one of record.replays) one.final_state_sha256 = sha256;
        });
        expect((await verifyBundle(path)).accepted).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});
