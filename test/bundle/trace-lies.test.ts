/** Bundles of a trace that are whole as archives, and whose frames say more than trace, symbols and evidence prove. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { digestOf } from '../../src/base/digest.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import type { Collected, Source } from '../../src/bundle/write/collect.ts';
import type { JoinDocument } from '../../src/join/document.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { canonicalTrace } from '../../src/trace/model/id.ts';
import { add } from '../support/forge.ts';
import { makeKey } from '../support/keys.ts';
import {
  APP,
  bundleTrace,
  CRASH,
  makeTraced,
  signed,
  symbolsOf,
  type TraceChange,
  type TracedCase,
  writePolicy,
} from '../support/traced.ts';
import { tempFolder } from '../support/world.ts';

let t: TracedCase;
beforeAll(async () => {
  t = await makeTraced(async () => ({ folder: tempFolder(), url: undefined }));
});

async function codesOf(change: TraceChange): Promise<string[]> {
  const { accepted, problems } = await verifyBundle(await bundleTrace(t, change));
  expect(accepted).toBe(problems.length === 0);
  return [...new Set(problems.map(({ code }) => code))];
}

function drop(collected: Collected, role: Source['role'], sha256?: string): void {
  collected.sources = collected.sources.filter(
    (one) => one.role !== role || (sha256 && one.sha256 !== sha256),
  );
}

const appOf = (join: JoinDocument): JoinDocument['artifacts'][number] =>
  join.artifacts.find(({ name }) => name === 'app')!;
const libraryOf = (join: JoinDocument): JoinDocument['artifacts'][number] =>
  join.artifacts.find(({ name }) => name === 'library.so')!;
const symbolsNamed = (join: JoinDocument, name: string): JoinDocument['symbols'][number] =>
  join.symbols.find((one) => one.name === name)!;

/** Puts other symbols in the place of the app's, with evidence of its own or none. */
function otherSymbols(join: JoinDocument, c: Collected, text: string, proven: boolean): void {
  const symbols = symbolsNamed(join, 'app.sym');
  const [old] = [symbols.sha256];
  drop(c, 'symbols', old);
  const sha256 = add(c, 'symbols', text, 'app.sym');
  Object.assign(symbols, { sha256, file_sha256: sha256 });
  for (const frame of join.frames) if (frame.symbols === old) frame.symbols = sha256;
  const [evidence] = symbols.evidence;
  evidence!.subject_sha256 = sha256;
  if (!proven) return;
  drop(c, 'trace-evidence', evidence!.dsse);
  const { bytes } = signed([t.key], [sha256]);
  evidence!.dsse = add(c, 'trace-evidence', bytes);
  evidence!.files = [evidence!.dsse];
}

it('is accepted as it is', async () => {
  expect(await codesOf(() => undefined)).toEqual([]);
});

describe('frames that are not the trace’s', () => {
  it.each<[string, TraceChange]>([
    [
      'two that changed places',
      ({ frames }) => {
        const [a, b] = [frames[0]!, frames[3]!];
        [a.rel_addr, b.rel_addr] = [b.rel_addr, a.rel_addr];
      },
    ],
    ['another image', ({ frames }) => (frames[2]!.image_id = `elf:${APP}`)],
    ['another address', ({ frames }) => (frames[0]!.rel_addr = '0x1011')],
    ['found in another way', ({ frames }) => (frames[3]!.trust = 'context')],
    ['called otherwise', ({ frames }) => (frames[2]!.claimed = 'malloc')],
    ['of another thread', ({ frames }) => (frames[3]!.thread = 1)],
    ['one left out', ({ frames }) => void frames.splice(2, 1)],
    ['the last left out', ({ frames }) => void frames.pop()],
    ['one more', ({ frames }) => void frames.push({ ...frames[0]!, index: 4 })],
    ['another signal', (join) => (join.signal = 'SIGABRT')],
    ['no thread that crashed', (join) => (join.crashed = false)],
    ['an end of the walk that is not said', (join) => (join.ended = null)],
    [
      'another trace inside, under its own id',
      (join, c) => {
        const trace = { format: 'replay', signal: 'SIGSEGV', images: [], threads: [] };
        const frame = {
          image: null,
          rel_addr: null,
          ip: '0x1',
          activation: true,
          trust: 'context',
          claimed: null,
        };
        drop(c, 'trace');
        const threads = [{ id: 1, crashed: true, frames: [frame] }];
        join.trace_id = add(c, 'trace', canonicalTrace({ ...trace, threads } as never), 'trace.json');
      },
    ],
    [
      'a trace that is not in its one form',
      (join, c) => {
        const source = c.sources.find(({ role }) => role === 'trace')!;
        drop(c, 'trace');
        join.trace_id = add(
          c,
          'trace',
          `${readFileSync(t.store.blobs.path(t.traceId), 'utf8')} `,
          source.name,
        );
      },
    ],
    ['another trace named', (join) => (join.trace_id = digestOf('another'))],
  ])('trace_differs: %s', async (_name, change) => {
    expect(await codesOf(change)).toContain('trace_differs');
  });
});

describe('joins that say more than is proven', () => {
  it.each<[string, TraceChange]>([
    ['a gap taken away', ({ frames }) => (frames[2]!.gap = null)],
    ['a gap of another kind', ({ frames }) => (frames[2]!.gap = 'artifact_unlinked')],
    ['gates that pass', ({ gates }) => Object.assign(gates[0]!, { value: 1, pass: true })],
    ['a gate of less', ({ gates }) => (gates[0]!.threshold = 0.5)],
    ['a signer who did not sign', (join) => (appOf(join).evidence[0]!.signers = ['Supreme Court'])],
    [
      'a time that nobody vouched for',
      (join) => (appOf(join).evidence[0]!.signed_at = '2026-01-01T00:00:00Z'),
    ],
    ['an entry of a log', (join) => (appOf(join).evidence[0]!.tile_ref = 'rekor:x/1@2?root=ab')],
    ['another builder', (join) => (appOf(join).evidence[0]!.build.builder = 'https://example.org/else')],
    ['another compiler', (join) => (libraryOf(join).evidence[0]!.build.compiler = 'rustc')],
    ['evidence about another file', (join) => (libraryOf(join).evidence[0]!.subject_sha256 = digestOf('x'))],
    ['a package that it is not said to lie in', (join) => (appOf(join).evidence[0]!.within = [])],
    [
      'another package, of the same path',
      (join) => (appOf(join).evidence[0]!.within = [{ sha256: digestOf('x'), path: 'usr/bin/app' }]),
    ],
    [
      'symbols by what they lie in',
      (join) => {
        const [proof] = symbolsNamed(join, 'app.sym').evidence;
        proof!.within = [{ sha256: proof!.subject_sha256, path: 'x' }];
      },
    ],
    ['a name without symbols', ({ frames }) => Object.assign(frames[2]!, { places: frames[0]!.places })],
    ['an answer of no symbols', ({ frames }) => (frames[2]!.status = 'no_symbol')],
    [
      'symbols that are not there',
      ({ frames }) => Object.assign(frames[2]!, { symbols: digestOf('x'), status: 'no_symbol' }),
    ],
    [
      'symbols of another image',
      ({ frames }) => {
        const { symbols, status, places, artifact } = frames[0]!;
        Object.assign(frames[2]!, { symbols, status, places, artifact, candidates: 1, gap: null });
      },
    ],
    ['a file that was not loaded', ({ frames }) => (frames[1]!.artifact = frames[0]!.artifact)],
    ['one of two files with the id', ({ frames }) => (frames[0]!.candidates = 2)],
    ['the same symbols twice', ({ symbols }) => void symbols.push(symbols[0]!)],
    [
      'other symbols under the same name, by the evidence about the first',
      (join, c) => otherSymbols(join, c, `${symbolsOf(APP, 'app')}FUNC 2000 1 0 evil\n`, false),
    ],
    [
      'symbols of another build, signed as well',
      (join, c) => otherSymbols(join, c, symbolsOf('ee'.repeat(20), 'app'), true),
    ],
    ['symbols that are none', (join, c) => otherSymbols(join, c, 'MODULE', true)],
    [
      'a replay that came to something else',
      (join) => (join.reproduction = { verdict: 'diverged', at: 0, known: 0, reason: '' }),
    ],
    ['a replay in another build', (join) => (join.reproduction.verdict = 'match_fn')],
    [
      'a match of a part, where the whole is known',
      (join) => (join.reproduction.verdict = 'match_as_far_as_known'),
    ],
    ['a replay that did not crash', (join) => (join.reproduction.verdict = 'no_crash')],
  ])('join_differs: %s', async (_name, change) => {
    expect(await codesOf(change)).toContain('join_differs');
  });

  it('other symbols of the same id, signed by one whom the policy names, are what is said', async () => {
    const codes = await codesOf((join, c) =>
      otherSymbols(join, c, `${symbolsOf(APP, 'app')}FUNC 2000 1 0 more\n`, true),
    );
    expect(codes).toEqual([]);
  });

  it.each<[string, (record: NonNullable<Collected['record']>) => void]>([
    ['that went another way', (r) => (r.replays[1]!.crash = { ...CRASH, frames: CRASH.frames.toReversed() })],
    ['of which one did not crash', (r) => void delete r.replays[1]!.crash],
    ['without determinism', (r) => (r.environment!.determinism = 'off')],
  ])('join_differs: a match of replays %s', async (_name, change) => {
    const codes = await codesOf((_join, c) => {
      const record = structuredClone(c.record);
      change(record);
      const bytes = Buffer.from(canonicalJson(record));
      drop(c, 'record');
      const sha256 = add(c, 'record', bytes, record.name);
      Object.assign(c, { record, recordSha256: sha256 });
    });
    expect(codes).toContain('join_differs');
  });
});

describe('what a trace needs is inside, and nothing else', () => {
  it.each<[string, Source['role']]>([
    ['content_missing', 'trace-evidence'],
    ['content_missing', 'symbols'],
    ['content_missing', 'trace-source'],
    ['manifest_form', 'trace'],
    ['manifest_form', 'join'],
  ])('%s: no %s', async (code, role) => {
    const codes = await codesOf((_join, c) => {
      drop(c, role);
      if (role === 'join') c.join = undefined;
    });
    expect(codes).toContain(code);
  });

  it.each<[Source['role']]>([
    ['trace-evidence'],
    ['symbols'],
    ['trace-source'],
    ['reproduction'],
    ['policy'],
  ])('member_unexpected: a %s that nothing names', async (role) => {
    expect(await codesOf((_join, c) => void add(c, role, '{}strange'))).toContain('member_unexpected');
  });

  it('manifest_form: frames that are not in canonical form', async () => {
    expect(await codesOf((join) => Buffer.from(`${canonicalJson(join)} `))).toEqual(['manifest_form']);
  });

  it('manifest_form: a second trace', async () => {
    expect(await codesOf((_join, c) => void add(c, 'trace', '{}'))).toEqual(['manifest_form']);
  });

  it('a policy that names somebody else changes what is proven, and so its frames are refused', async () => {
    const other = await loadPolicy(writePolicy(makeKey()));
    const codes = await codesOf((join, c) => {
      const [key] = other.authorities.map(({ keyFile }) => keyFile!.bytes);
      drop(c, 'policy', join.policy.sha256);
      join.policy = { name: 'p', sha256: add(c, 'policy', other.canonical, 'p') };
      add(c, 'policy-file', key!);
    });
    expect(codes).toContain('join_differs');
  });
});
