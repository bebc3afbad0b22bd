/** The one door: openReenact gives an object that does all that the command does, and what the command is built on. */
import type { BundleVerification } from '../bundle/verify/verify.ts';
import type { JoinedFrame } from '../join/gap.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { BundleSource, CreateBundleOptions, CreatedBundle } from './bundle-create.ts';
import type { ReplayBundleOptions, ReplayedBundle } from './bundle-replay.ts';
import type { VerifyBundleOptions } from './bundle-verify.ts';
import type { Captured, CaptureOptions } from './capture.ts';
import type { Reproduced, ReproduceOptions } from './reproduce.ts';
import type { ManifestInput, ReplayOptions } from './run.ts';
import { type OpenOptions, Session } from './session.ts';

/** Everything that can be done. Every method throws a ReenactError for what can be expected to go wrong. */
export interface Reenact {
  /**
   * Reads replay manifests: files, folders, patterns, or manifests made in code.
   * @throws Fault `manifest_invalid` with everything that is wrong in any of them
   */
  loadManifests(inputs: ManifestInput | readonly ManifestInput[]): Promise<LoadedManifest[]>;
  /**
   * Replays manifests in their pinned sandboxes; the records come in the manifests' order. What is wrong with one
   * manifest, its image or its evidence is in its record.
   * @throws Fault where nothing could start (`engine_unreachable`), and `interrupted`
   */
  run(inputs: ManifestInput | readonly ManifestInput[], options?: ReplayOptions): Promise<ReplayRecord[]>;
  /**
   * Runs a command once in an image that is pinned by digest; what comes of it is a manifest that expects the same
   * final state, ending and crash.
   */
  capture(options: CaptureOptions): Promise<Captured>;
  /**
   * Replays a stored trace with full determinism and compares the stacks of the thread that crashed.
   * @throws Fault `store_unknown` where there is no such trace
   */
  reproduce(traceId: string, options?: ReproduceOptions): Promise<Reproduced>;
  /**
   * Replays a bundle's record from the bundle alone and compares the states; nothing of it is left afterwards.
   * @throws Refused where the bundle is not accepted
   */
  replayBundle(path: string, options?: ReplayBundleOptions): Promise<ReplayedBundle>;
  /** The functions of joined frames as people wrote them, by their names in the symbols. */
  functionNames(frames: readonly JoinedFrame[]): Promise<Map<string, string>>;
  /**
   * Packs a record (its path, the folder it is in, or itself), or the latest reproduction of a stored trace, into a
   * bundle at `path`, where nothing may be yet.
   * @throws Fault `record_invalid` where the store lacks something of it, `out_failed`
   */
  createBundle(path: string, source: BundleSource, options?: CreateBundleOptions): Promise<CreatedBundle>;
  /** Verifies a bundle offline. What is wrong with it is in the result (`accepted`, `problems`), never thrown. */
  verifyBundle(path: string, options?: VerifyBundleOptions): Promise<BundleVerification>;
}

/** Opens the library. Nothing is read, written or connected to before a method needs it; there is nothing to close. */
export function openReenact(options: OpenOptions = {}): Reenact {
  const session = new Session(options);
  // Modules are loaded by the first call that needs them: a verifier must not wait for an engine's library.
  return {
    loadManifests: async (inputs) => (await import('./run.ts')).loadAll(session, inputs),
    run: async (inputs, o) => (await import('./run.ts')).run(session, inputs, o),
    capture: async (o) => (await import('./capture.ts')).capture(session, o),
    reproduce: async (traceId, o) => (await import('./reproduce.ts')).reproduce(session, traceId, o),
    replayBundle: async (path, o) => (await import('./bundle-replay.ts')).replayBundle(session, path, o),
    functionNames: async (frames) => (await import('./joined.ts')).functionNames(frames),
    createBundle: async (path, source, o) =>
      (await import('./bundle-create.ts')).createBundle(session, path, source, o),
    verifyBundle: async (path, o) => (await import('./bundle-verify.ts')).verifyBundle(session, path, o),
  };
}
