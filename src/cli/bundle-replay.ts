/** reenact bundle replay: replays a record from its bundle alone, without its registry, and compares the states. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { type Digest, hexOf } from '../base/digest.ts';
import { asFault, EXIT, Fault } from '../base/fault.ts';
import { extractBundle } from '../bundle/extract/extract.ts';
import { serveImage } from '../bundle/format/loopback.ts';
import { Refused } from '../bundle/format/refused.ts';
import type { Opened } from '../bundle/read/open.ts';
import { policyOf } from '../bundle/verify/checks.ts';
import { verifyBundle } from '../bundle/verify/verify.ts';
import { imageArchive } from '../bundle/write/image-archive.ts';
import { TLOG_PROOF_HEADER } from '../evidence/log/tlog-proof.ts';
import { connectEngine } from '../library/engine.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { runManifests } from '../reenact.ts';
import { humanReport } from '../report/human.ts';
import { Progress } from '../report/progress.ts';
import { type Kit, kitOf, loadKit } from '../sandbox/kit.ts';
import { BlobStore } from '../store/blobs.ts';
import { apart, tiedTo } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReplayResult } from '../verdict/replay-result.ts';
import type { Arguments } from './options.ts';
import { layInputs } from './replay-case.ts';
import { abortOnSignals } from './signals.ts';
import { wantsColour } from './terminal.ts';
import { withoutFrom } from './without.ts';

/** A bundle is a stranger's: its PID 1 and its walls run only if they are this release's, or named by digest. */
async function harnessOf(opened: Opened, store: BlobStore, trusted: string[]): Promise<Kit> {
  const own = loadKit();
  const { environment } = opened.record;
  if (!environment)
    throw new Fault('record_invalid', 'the record has no environment: nothing was ever replayed');
  const { harness_sha256, seccomp_sha256 } = environment;
  const strange = ([harness_sha256, seccomp_sha256] as Digest[]).filter(
    (digest) => ![own.initSha256, own.seccompSha256].includes(digest) && !trusted.includes(digest),
  );
  if (strange.length > 0)
    throw new Fault(
      'usage',
      `the bundle’s harness is not this release’s: ${strange.join(', ')}; use the release that has it, or name each with --trust-harness`,
    );
  if (harness_sha256 === own.initSha256 && seccomp_sha256 === own.seccompSha256) return own;
  const [init, seccomp] = await Promise.all([store.get(harness_sha256), store.get(seccomp_sha256)]);
  if (!init || !seccomp) throw new Fault('record_invalid', 'the bundle does not hold its harness');
  return kitOf(init, seccomp.toString('utf8'), own.scanner);
}

/** Proofs are found by the ending of their names. */
function endingOf(bytes: Buffer | undefined): string {
  return bytes?.subarray(0, TLOG_PROOF_HEADER.length).equals(Buffer.from(TLOG_PROOF_HEADER))
    ? '.tlog-proof'
    : '.json';
}

/** The manifest as it was signed, with its inputs where it expects them. */
function manifestOf(opened: Opened, store: BlobStore, folder: string): LoadedManifest {
  const { record, kept, document } = opened;
  const bytes = record.manifest_sha256 ? kept.get(record.manifest_sha256) : undefined;
  const parsed = bytes && parseManifest(bytes);
  if (!parsed?.ok) throw new Fault('record_invalid', 'the bundle holds no valid manifest');
  layInputs(parsed.value.manifest, folder, store, ({ source }, error) =>
    asFault('record_invalid', `the manifest’s input ${source} cannot be laid out`, error),
  );
  mkdirSync(join(folder, 'evidence'), { recursive: true });
  for (const { role, sha256 } of document.items)
    if (role === 'evidence')
      copyFileSync(store.path(sha256), join(folder, 'evidence', hexOf(sha256) + endingOf(kept.get(sha256))));
  return { ...parsed.value, path: join(folder, 'manifest.json'), folder, name: record.name };
}

/** How the new states compare with the recorded ones. */
function compare(
  recorded: ReplayRecord,
  now: ReplayRecord,
): { same: boolean; kinds: string | null; text: string } {
  const crashesOf = ({ crash_signatures }: ReplayResult): string =>
    (crash_signatures ?? []).map(({ process, id }) => `${process ?? ''} ${id}`).join();
  // Records from before signatures, and replays by a harness from before them, say none.
  const both = [recorded, now].every(({ replays }) =>
    replays.some(({ crash_signatures }) => crash_signatures),
  );
  const endingOf = (replay: ReplayResult): string =>
    `${replay.final_state_sha256} ${both ? crashesOf(replay) : ''}`;
  const endings = new Set(recorded.replays.filter((one) => one.final_state_sha256).map(endingOf));
  const again = now.replays.filter((replay) => endings.has(endingOf(replay)));
  const same =
    now.verdict === recorded.verdict && again.length === now.replays.length && now.replays.length > 0;
  const kinds = apart(tiedTo(recorded.environment), tiedTo(now.environment));
  return {
    same,
    kinds,
    text: `${again.length} of ${now.replays.length} new replays ended in a recorded state${both ? ' and crash' : ''}; the verdict was ${recorded.verdict} and is ${now.verdict}${kinds ? `; of the record and this replay, ${kinds}` : ''}`,
  };
}

/** The recorded replays’ seeds, from the first again when there are more replays than that. */
function seedsOf({ replays }: ReplayRecord, count: number): number[] {
  return Array.from({ length: count }, (_, i) => replays[i % replays.length]!.seed);
}

/** Replays the bundle at `path`; nothing of it is left when this returns. */
export async function replayBundle(path: string, a: Arguments): Promise<number> {
  const checked = await verifyBundle(path);
  if (!checked.accepted)
    throw new Refused(checked.problems[0]!.code, `${path}: ${checked.problems[0]!.message}`);
  const folder = mkdtempSync(join(tmpdir(), 'reenact-bundle-'));
  const { signal, release } = abortOnSignals();
  let close: (() => Promise<void>) | undefined;
  try {
    const store = new BlobStore(join(folder, 'store'));
    const opened = await extractBundle(path, store);
    if (opened.subject)
      throw new Fault(
        'usage',
        `${path} is a redaction of ${opened.subject.digest}: what was withheld cannot be replayed; ask for that bundle`,
      );
    if (!opened.document.image)
      process.stderr.write('the sandbox image is not inside: it must be on the engine or in a registry\n');
    const served = opened.document.image ? await serveImage(store) : undefined;
    close = served?.close;
    const replays = a.number('replays', 1, 100_000, opened.record.requested);
    const { environment } = opened.record;
    const progress = new Progress('auto', replays, process.stderr, systemClock);
    const [record] = await runManifests(await connectEngine(), {
      manifests: [manifestOf(opened, store, join(folder, 'case'))],
      policy: await policyOf(opened),
      out: join(folder, 'out'),
      imageCache: join(folder, 'images'),
      repositories: [],
      ...(served
        ? {
            onlyRepositories: [served.repository],
            imageArchive: (chain) => imageArchive(store, chain),
          }
        : {}),
      evidenceStores: [store.folder],
      // Records from before there was a choice were made without it, by a PID 1 that knows nothing of it.
      determinism: {
        mode: environment?.determinism ?? 'off',
        without: withoutFrom(a),
        ...(environment?.schedule === 'chaos' ? { seeds: seedsOf(opened.record, replays) } : {}),
      },
      kit: await harnessOf(opened, store, a.list('trust-harness')),
      jobs: a.number('jobs', 1, 256, 4),
      replays,
      signal,
      onEvent: (event) => progress.on(event),
    });
    progress.end();
    const { same, kinds, text } = compare(opened.record, record!);
    if (a.flag('json'))
      process.stdout.write(
        `${JSON.stringify({ same, kinds, recorded: opened.record.verdict, record }, null, 2)}\n`,
      );
    else process.stdout.write(`${humanReport(record!, { colour: wantsColour() })}  compared   ${text}\n`);
    // Of another kind of machine another state was to be expected: nothing follows from it.
    if (record!.verdict === 'inconclusive' || (kinds && !same)) return EXIT.inconclusive;
    return same ? EXIT.ok : record!.verdict === 'rejected' ? EXIT.rejected : EXIT.failed;
  } finally {
    await close?.();
    release();
    rmSync(folder, { recursive: true, force: true });
  }
}
