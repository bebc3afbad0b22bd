/** reenact reproduce: replays a stored trace in its pinned sandbox, and says whether the same crash came of it. */
import { evidenceFolder } from '../../base/cache-folder.ts';
import { EXIT } from '../../base/fault.ts';
import { reproductionText } from '../../report/reproduction.ts';
import type { Arguments } from '../arguments.ts';
import { loadConfig } from '../shared/config.ts';
import { withProgress } from '../shared/door.ts';
import { onePositional } from '../shared/positionals.ts';

const EXITS = {
  match: EXIT.ok,
  match_fn: EXIT.ok,
  match_as_far_as_known: EXIT.ok,
  diverged: EXIT.failed,
  no_crash: EXIT.failed,
  unreplayable: EXIT.inconclusive,
};

export async function reproduceCommand(a: Arguments): Promise<number> {
  const trace = onePositional(a, 'trace, by its id');
  const config = await loadConfig();
  const options = {
    manifest: a.text('manifest'),
    policy: a.text('policy'),
    replays: a.text('replays') === undefined ? undefined : a.number('replays', 1, 100_000, 1),
    jobs: a.number('jobs', 1, 256, 2),
    repositories: [...a.list('repository'), ...config.repositories],
    evidenceStores: [...a.list('evidence'), ...config.evidence, evidenceFolder(process.env)],
    without: a.list('without'),
  };
  return await withProgress({ store: a.text('store') }, async (reenact, end) => {
    const { replayed, ...view } = await reenact.reproduce(trace, options);
    end();
    const { pairs, verdict } = view.reproduction;
    const shown = pairs.flatMap(({ original, replayed: again }) => [original ?? [], again ?? []].flat());
    if (a.json) a.json.one({ reproduction_version: 1, ...view });
    else process.stdout.write(reproductionText({ ...view, names: await reenact.functionNames(shown) }));
    const status = replayed?.verdict === 'rejected' ? EXIT.rejected : EXITS[verdict];
    return status === EXIT.ok && view.gates.some(({ pass }) => !pass) ? EXIT.failed : status;
  });
}
