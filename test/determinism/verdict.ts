/** What a row of the table counts for: pure, and hard to please. */
import type { Row } from './judge.ts';

export interface Judgement {
  word: 'identical' | 'inconclusive' | 'no supervisor' | 'FAILED' | 'CONTROL BROKEN';
  ok: boolean;
  /** Its control did not differ: that replays are identical shows nothing here. */
  apart: boolean;
  /** Why not, for the person who fixes it. */
  detail: string;
}

/** Verdicts that say of a program that nothing can be said: never of ours, such as a time-out or the engine's. */
const HONEST = /spin|unsupported|degraded|refused|setuid|ptrace|rdrand/;
const SPIN = /spin/;

/** Judges one row. Ending otherwise than natively is a failure, however identically it is done. */
export function judgeRow(row: Row): Judgement {
  const { control, replays } = row;
  const { expected } = row.case;
  const apart = !control.differs;
  const result = (word: Judgement['word'], ok: boolean, detail = ''): Judgement => ({
    word,
    ok,
    apart,
    detail,
  });
  if (control.broken) return result('CONTROL BROKEN', false, control.broken);
  if (!replays) return result('no supervisor', false);
  const identical = replays.of > 0 && replays.identical === replays.of && replays.ending === control.ending;
  if (identical && expected === 'refused' && /=given/.test(replays.stdout))
    return result('FAILED', false, 'what must be refused was given');
  if (identical && expected !== 'inconclusive') return result('identical', true);
  const inconclusive = replays.verdict === 'inconclusive';
  if (expected === 'inconclusive' && inconclusive && SPIN.test(replays.reason))
    return result('inconclusive', true);
  if (expected === 'either' && inconclusive && HONEST.test(replays.reason))
    return result('inconclusive', true, replays.reason);
  return result('FAILED', false, `${replays.ending}; ${replays.reason}: ${replays.detail}`);
}
