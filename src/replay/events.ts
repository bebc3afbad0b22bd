/** What happens during a run, for progress and event files. */
import type { CaptureWay } from '../state/capture.ts';
import type { RawReplay } from '../verdict/decide.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { Outcome } from '../verdict/replay-result.ts';

export type RunEvent =
  | { type: 'swept'; count: number }
  | { type: 'prepared'; manifest: string; image: string; capture: CaptureWay }
  | { type: 'replay'; manifest: string; replay: RawReplay; resumed: boolean; outcome: Outcome }
  | { type: 'record'; manifest: string; record: ReplayRecord; path: string };
