/** reenact bundle replay: replays a record from its bundle alone, without its registry, and compares the states. */
import { EXIT } from '../../../base/fault.ts';
import type { ReplayedBundle } from '../../../library/bundle-replay.ts';
import { humanReport } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withProgress } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';
import { wantsColour } from '../../shared/terminal.ts';

function comparedText({ again, crashes, kinds, record, recorded }: ReplayedBundle): string {
  return `${again} of ${record.replays.length} new replays ended in a recorded state${crashes ? ' and crash' : ''}; the verdict was ${recorded} and is ${record.verdict}${kinds ? `; of the record and this replay, ${kinds}` : ''}`;
}

/** Replays a bundle; nothing of it is left when this returns. */
export async function replayBundle(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const options = {
    replays: a.text('replays') === undefined ? undefined : a.number('replays', 1, 100_000, 1),
    jobs: a.number('jobs', 1, 256, 4),
    trustHarness: a.list('trust-harness'),
    without: a.list('without'),
  };
  const replayed = await withProgress({}, (reenact) => reenact.replayBundle(path, options));
  const { same, kinds, recorded, record } = replayed;
  if (a.json) a.json.one({ same, kinds, recorded, record });
  else
    process.stdout.write(
      `${humanReport(record, { colour: wantsColour() })}  compared   ${comparedText(replayed)}\n`,
    );
  // Of another kind of machine another state was to be expected: nothing follows from it.
  if (record.verdict === 'inconclusive' || (kinds && !same)) return EXIT.inconclusive;
  return same ? EXIT.ok : record.verdict === 'rejected' ? EXIT.rejected : EXIT.failed;
}
