/** Gates over a trace's frames: how many are joined to a proven build, and whether each join says who, when and where it is logged. */
import type { Vouching } from '../evidence/custody/vouched.ts';
import type { Custody, Gates } from '../policy/shape.ts';
import type { GateResult } from './record.ts';

/** Of the thread that crashed, the innermost so many frames are judged. */
export const GATED_FRAMES = 50;
/** How many known frames of a cut stack are enough to tell its crash from others, where the policy does not say. */
export const LEAST_KNOWN_FRAMES = 8;
/** Where the policy does not say. */
const JOIN_DEFAULTS: { join_completeness: number; chain_of_custody: Custody } = {
  join_completeness: 0.95,
  chain_of_custody: 'logged',
};

/** A physical frame; inlined calls in it count once. */
export interface JudgedFrame {
  index: number;
  /** Why it is not joined, or null: it resolves to a symbol bundle, a linked artifact and verified provenance. */
  gap: string | null;
  /** Of a joined frame: who signed for its symbols, and for its artifact. */
  vouched: Vouching[];
}

/** What is missing from a join's chain of custody, or null where it is whole. */
function missing({ signers, signed_at, tile_ref }: Vouching, wanted: Custody): string | null {
  if (signers.length === 0) return 'no signer';
  if (wanted === 'signed') return null;
  if (tile_ref === null) return 'no log entry';
  return signed_at === null ? 'no time that anybody vouches for' : null;
}

/** The number of frames that a share is taken of: frames that a cut walk lacks count too, at least one, and as many as a known stack needs. */
export function countedFrames(frames: number, missing: number | null): number {
  const all = missing === null ? Math.max(frames + 1, LEAST_KNOWN_FRAMES) : frames + missing;
  return Math.min(all, GATED_FRAMES);
}

/** The gates of one trace: `frames` are the first of the crashing thread, joined or not; `lacking`: how many frames a cut walk lacks, null where that is unknown. A trace without frames fails: absence is no success. */
export function judgeJoins(
  frames: JudgedFrame[],
  gates: Partial<Gates>,
  lacking: number | null = 0,
): GateResult[] {
  const { join_completeness: threshold, chain_of_custody: wanted } = { ...JOIN_DEFAULTS, ...gates };
  const judged = frames.slice(0, GATED_FRAMES);
  const joined = judged.filter(({ gap }) => gap === null);
  const ratio = judged.length === 0 ? 0 : joined.length / countedFrames(judged.length, lacking);
  const broken = joined.flatMap(({ index, vouched }) =>
    vouched.flatMap((one) => {
      const what = missing(one, wanted);
      return what === null ? [] : [`frame ${index}: ${what}`];
    }),
  );
  const whole = joined.length > 0 && broken.length === 0;
  return [
    { name: 'join_completeness', threshold, value: ratio, pass: judged.length > 0 && ratio >= threshold },
    {
      name: 'chain_of_custody',
      threshold: wanted,
      value: whole ? wanted : (broken[0] ?? 'no frame is joined'),
      pass: whole,
    },
  ];
}
