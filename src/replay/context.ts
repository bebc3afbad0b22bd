/** What all replays of one run share: the engine, the harness, the stores, and what is created on the engine. */
import type { Clock } from '../base/clock.ts';
import type { Engine, EngineFacts } from '../sandbox/engine.ts';
import type { Harness } from '../sandbox/harness.ts';
import type { ImageSources } from '../sandbox/image.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import type { RunScope } from '../sandbox/scope.ts';
import type { CaptureWay } from '../state/capture.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { PreparedImage } from './prepared-image.ts';

export interface RunContext {
  engine: Engine;
  facts: EngineFacts;
  harness: Harness;
  /** States, outputs and inputs. */
  store: BlobStore;
  /** Manifests and configurations of images, kept between runs. */
  imageStore: BlobStore;
  repositories: ImageSources['repositories'];
  /** The only ones that are asked, whatever a manifest names: a bundle brings its own. */
  onlyRepositories?: ImageSources['repositories'];
  imageArchive?: ImageSources['archive'];
  registries: ImageSources['registries'];
  scope: RunScope;
  clock: Clock;
  signal: AbortSignal;
  /** Forces a way of reading states; found out when left out. */
  capture?: CaptureWay;
  determinism: DeterminismChoice;
  /** By the policy: whether anything of full determinism may be missing. */
  mechanismsWanted: 'all' | 'any';
  /** Keep a core of every crash; only where determinism is full. */
  core?: boolean;
  /** Changes what is around each replay (vary.ts). */
  vary?: boolean;
  /** What was prepared for each image, by configuration digest. */
  preparedImages: Map<string, Promise<PreparedImage>>;
}
