/** Bundles of a trace: made of a store, verified without it, shown to people. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import type { JoinDocument } from '../../src/join/document.ts';
import { addTraces } from '../../src/join/store/ingest.ts';
import { readObject } from '../../src/objects/object.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { traceIdOf } from '../../src/trace/model/id.ts';
import { readTrace } from '../../src/trace/read.ts';
import { rebuild, replace } from '../support/attacker.ts';
import { frameAt, incoming, traceOf } from '../support/crashes.ts';
import { makeKey } from '../support/keys.ts';
import { describeStores, openStore } from '../support/stores.ts';
import {
  APP,
  bundleTrace,
  LOADED,
  makeTraced,
  reproduced,
  type TracedCase,
  writePolicy,
} from '../support/traced.ts';
import { failedCommands, runVerifyText, unpack } from '../support/verify-text.ts';
import { reenact, tempFolder } from '../support/world.ts';

describeStores('a bundle of a trace', (place) => {
  let t: TracedCase;
  beforeAll(async () => {
    t = await makeTraced(place);
  });
  afterAll(() => t.store.database.close());

  it('is accepted, and says what its frames are joined to', async () => {
    const path = await bundleTrace(t);
    const result = await verifyBundle(path);
    expect(result.problems).toEqual([]);
    expect(result.trace).toMatchObject({
      trace_id: t.traceId,
      frames: 4,
      signers: ['builder'],
      reproduction: { verdict: 'match' },
      gates: [
        { name: 'join_completeness', value: 0.75, pass: false },
        { name: 'chain_of_custody', value: 'signed', pass: true },
        { name: 'reproduction', value: 'whole', pass: true },
      ],
    });
    const { frames, artifacts, symbols } = (await openBundle(path)).traced!.join;
    expect(frames.map(({ gap }) => gap)).toEqual([null, null, 'bundle_missing', null]);
    expect(frames[0]!.places[0]).toMatchObject({
      function: 'app::run<int>(char const*)',
      file: 'app.cpp',
      line: 42,
    });
    expect(frames[1]).toMatchObject({ artifact: LOADED, loaded_sha256: LOADED });
    const app = artifacts.find(({ name }) => name === 'app')!;
    expect(app.evidence[0]).toMatchObject({
      within: [{ path: 'usr/bin/app' }],
      verified: true,
      build: { builder: 'https://example.org/builder<b>', compiler: 'gcc 12.2', compiler_flags: '-O2' },
    });
    expect(symbols).toHaveLength(2);
  });

  it('is the same, byte for byte, when it is made again, by the command too', async () => {
    const path = await bundleTrace(t);
    expect(readFileSync(await bundleTrace(t)).equals(readFileSync(path))).toBe(true);
    const own = join(tempFolder(), 'own.tar');
    const [never] = await addTraces(t.store, [incoming(traceOf([], [frameAt(null, 0)]))]);
    await t.store.database.close();
    const env = t.place.url === undefined ? {} : { REENACT_DATABASE_URL: t.place.url };
    const args = [
      'bundle',
      'create',
      '--trace',
      t.traceId.slice(0, 20),
      '--store',
      t.place.folder,
      '--policy',
      t.policyPath,
    ];
    const done = await reenact([...args, '-o', own], { env });
    const refused = await reenact(
      ['bundle', 'create', '--trace', never!.trace_id, '--store', t.place.folder, '-o', `${own}.never`],
      { env },
    );
    t.store = await openStore(t.place);
    expect(refused.status).toBe(64);
    expect(refused.stderr).toContain('was never replayed: reproduce it first: reenact reproduce');
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toContain('FAIL  join_completeness: 75.0 % (asked: at least 95 %)');
    expect(await verifyBundle(own)).toMatchObject({ accepted: true, trace: { frames: 4 } });
    // The path of the policy is part of what it says.
    const named = { ...t, policy: await loadPolicy(t.policyPath) };
    expect(readFileSync(await bundleTrace(named)).equals(readFileSync(own))).toBe(true);
  });

  it('is judged by the reader’s own policy', async () => {
    const path = await bundleTrace(t);
    const mine = await loadPolicy(writePolicy(t.key, { chain_of_custody: 'signed', join_completeness: 0.7 }));
    const other = await loadPolicy(writePolicy(makeKey(), { chain_of_custody: 'signed' }));
    const gatesBy = async (policy: typeof mine): Promise<unknown> => {
      const { demanded } = await verifyBundle(path, { demands: { policy, nowMs: Date.parse('2040-01-01') } });
      return demanded!.gates.slice(-3).map(({ name, value, pass }) => [name, value, pass]);
    };
    expect(await gatesBy(mine)).toEqual([
      ['join_completeness', 0.75, true],
      ['chain_of_custody', 'signed', true],
      ['reproduction', 'whole', true],
    ]);
    expect(await gatesBy(other)).toEqual([
      ['join_completeness', 0, false],
      ['chain_of_custody', 'no frame is joined', false],
      ['reproduction', 'whole', true],
    ]);
  });

  it('shows the frames with badges, and nothing that anybody else wrote as markup', async () => {
    const path = await bundleTrace(t);
    const folder = unpack(path);
    expect(runVerifyText(folder)).toContain('true');
    const page = readFileSync(join(folder, 'data/report.html'), 'utf8');
    for (const text of [
      '75.0 % joined',
      '100.0 % of replays alike',
      '>joined<',
      '>bundle_missing<',
      'build: builder',
      'app.cpp:42',
    ])
      expect(page).toContain(text);
    expect(page).not.toMatch(/<script|<b>|run<int>|\u202e/);
  });

  it('is checked by VERIFY.txt: its name is its digest, and its joined frames are counted again', async () => {
    const lies: [string, (join: JoinDocument) => unknown][] = [
      ['.trace_id == $t', (join) => (join.trace_id = APP as never)],
      ['join_completeness', (join) => (join.gates[0]!.value = 1)],
    ];
    for (const [piece, lie] of lies) {
      const folder = unpack(await bundleTrace(t));
      rebuild(
        folder,
        (inside) => {
          const { sha256 } = inside.document.items.find(({ role }) => role === 'join')!;
          const join = JSON.parse(String(inside.blobs.get(sha256))) as JoinDocument;
          lie(join);
          replace(inside, sha256, canonicalJson(join));
        },
        true,
      );
      expect(failedCommands(folder)).toEqual([expect.stringContaining(piece)]);
    }
  });

  it('by the policy of the record, where that names nobody who signed, has no joined frame', async () => {
    const path = await bundleTrace({ ...t, policy: t.made.policy });
    const { problems, trace } = await verifyBundle(path);
    expect([problems, trace!.gates[0]!.value, trace!.signers]).toEqual([[], 0, []]);
  });

  it('is unpacked under readable names, and its trace is read again as the same', async () => {
    const path = await bundleTrace(t);
    const folder = join(tempFolder(), 'out');
    expect(await reenact(['bundle', 'extract', path, '--to', folder])).toMatchObject({ status: 0 });
    const bytes = readFileSync(join(folder, 'trace/trace.json'));
    expect(traceIdOf(readTrace(bytes, 'trace.json'))).toBe(t.traceId);
    expect(readObject(join(folder, 'symbols/app.sym')).images[0]!.id).toBe(`elf:${APP}`);
  });

  it('keeps the records of earlier reproductions', async () => {
    const first = (await bundleTrace(t).then(openBundle)).traced!.join;
    await reproduced(t, 'second');
    const path = await bundleTrace(t);
    expect((await verifyBundle(path)).problems).toEqual([]);
    const { join: again, trace } = (await openBundle(path)).traced!;
    expect([first.earlier.length, again.earlier.length]).toEqual([0, 1]);
    expect(trace.signal).toBe('SIGSEGV');
  });
});
