/** What is made ready before the first replay, piece by piece: an image, the probe of a sandbox, a manifest. */

import type { PresentImage } from '../sandbox/image.ts';
import type { Mechanism } from '../sandbox/mechanisms.ts';
import type { Observed } from '../sandbox/probe.ts';
import type { Baseline, CaptureContext, CaptureWay } from '../state/capture.ts';
import type { Plan } from './plan.ts';

/** What the probe of a sandbox found, and what an idle container of it shows. */
export interface Probed {
  baseline: Baseline;
  observed: Observed;
  degraded: string[];
  /** The mechanisms of full determinism that are in force; null where it is off. */
  mechanisms: Mechanism[] | null;
}

/** What all manifests of one image share. */
export interface PreparedImage {
  image: PresentImage;
  harnessVolume: string;
  way: CaptureWay;
  contentChecked: boolean;
  /** Probes of this image's sandboxes, by what they were made with. */
  probes: Map<string, Promise<Probed>>;
}

/** What a container of a manifest is made of, before there is a baseline. */
export interface Made {
  plan: Plan;
  preparedImage: PreparedImage;
  caseVolume: string | undefined;
}

/** A manifest that is ready to be replayed. */
export interface Prepared extends Made, Probed {
  /** The seed chooses turns at random. */
  chaos: boolean;
  /** The plan of a replay with this seed. */
  planFor: (seed: number) => Plan;
  capture: CaptureContext;
}
