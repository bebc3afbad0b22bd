/** Replays a record from its bundle alone, without its registry, and compares the states. */

import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { itemAt, present } from '../base/list.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { extractBundle } from '../bundle/extract/extract.ts';
import { serveImage } from '../bundle/format/loopback.ts';
import { Refused } from '../bundle/format/refused.ts';
import type { Opened } from '../bundle/read/open.ts';
import { policyOf } from '../bundle/verify/checks.ts';
import { verifyBundle } from '../bundle/verify/verify.ts';
import { imageArchive } from '../bundle/write/image-archive.ts';
import { TLOG_PROOF_HEADER } from '../evidence/log/tlog-proof.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { runManifests } from '../reenact.ts';
import { type Harness, harnessOf, loadHarness } from '../sandbox/harness.ts';
import { BlobStore } from '../store/blobs.ts';
import { apart, tiedTo } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReplayResult } from '../verdict/replay-result.ts';
import { layInputs } from './replay-case.ts';
import type { ReplayOptions } from './run.ts';
import { startOf } from './run.ts';
import type { Session } from './session.ts';
import { withoutNamed } from './without.ts';

/** A bundle is a stranger's: its PID 1 and its walls run only if they are this release's, or named by digest. */
async function harnessInside(opened: Opened, store: BlobStore, trusted: readonly string[]): Promise<Harness> {
  const own = loadHarness();
  const { environment } = opened.record;
  if (!environment)
    throw new Fault('record_invalid', 'the record has no environment: nothing was ever replayed');
  const { harness_sha256, seccomp_sha256 } = environment;
  const strange = [harness_sha256, seccomp_sha256].filter(
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
  return harnessOf(init, seccomp.toString('utf8'), own.scanner);
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
function compare(recorded: ReplayRecord, now: ReplayRecord): Omit<ReplayedBundle, 'recorded' | 'record'> {
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
  return { same, kinds, again: again.length, crashes: both };
}

/** The recorded replays’ seeds, from the first again when there are more replays than that. */
function seedsOf({ replays }: ReplayRecord, count: number): number[] {
  return Array.from({ length: count }, (_, i) => itemAt(replays, i % replays.length).seed);
}

/** How a bundle is replayed; every field may be left out. */
export interface ReplayBundleOptions extends Pick<ReplayOptions, 'without'> {
  /** Default: as many as the record has. */
  replays?: number | undefined;
  /** Replays at once. Default: 4. */
  jobs?: number | undefined;
  /** Digests of PID 1 and seccomp profiles of other releases that may run. */
  trustHarness?: readonly string[] | undefined;
}

/** What came of it. */
export interface ReplayedBundle {
  /** The same verdict, and every replay ended in a recorded state, and crash. */
  same: boolean;
  /** What the recorded and the new machine differ in, where another state is to be expected; else null. */
  kinds: string | null;
  /** New replays that ended in a recorded state. */
  again: number;
  /** Whether crashes were compared, too: records from before crash signatures have none. */
  crashes: boolean;
  recorded: ReplayRecord['verdict'];
  record: ReplayRecord;
}

/** Replays what was extracted from a bundle into `folder`. */
async function replayOpened(
  session: Session,
  opened: Opened,
  store: BlobStore,
  folder: string,
  o: ReplayBundleOptions,
): Promise<ReplayRecord> {
  const { image } = opened.document;
  if (!image)
    session.tell({
      type: 'notice',
      text: 'the sandbox image is not inside: it must be on the engine or in a registry',
    });
  const served = image ? await serveImage(store) : undefined;
  try {
    const replays = o.replays ?? opened.record.requested;
    const { environment } = opened.record;
    const manifests = [manifestOf(opened, store, join(folder, 'case'))];
    const policy = await policyOf(opened);
    session.tell(startOf(manifests, { policy, replays }));
    const [record] = await runManifests(await session.engine(), {
      manifests,
      policy,
      out: join(folder, 'out'),
      imageCache: join(folder, 'images'),
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
        without: withoutNamed(o.without),
        ...(environment?.schedule === 'chaos' ? { seeds: seedsOf(opened.record, replays) } : {}),
      },
      harness: await harnessInside(opened, store, o.trustHarness ?? []),
      jobs: o.jobs ?? 4,
      replays,
      ...session.waiting,
      onEvent: session.tell,
    });
    return present(record);
  } finally {
    await served?.close();
  }
}

/** Replays the bundle at `path`; nothing of it is left when this returns. */
export async function replayBundle(
  session: Session,
  path: string,
  o: ReplayBundleOptions = {},
): Promise<ReplayedBundle> {
  const checked = await verifyBundle(path);
  if (!checked.accepted)
    throw new Refused(itemAt(checked.problems, 0).code, `${path}: ${itemAt(checked.problems, 0).message}`);
  const folder = temporaryFolder('bundle');
  try {
    const store = new BlobStore(join(folder, 'store'));
    const opened = await extractBundle(path, store);
    if (opened.subject)
      throw new Fault(
        'usage',
        `${path} is a redaction of ${opened.subject.digest}: what was withheld cannot be replayed; ask for that bundle`,
      );
    const record = await replayOpened(session, opened, store, folder, o);
    return { ...compare(opened.record, record), recorded: opened.record.verdict, record };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
