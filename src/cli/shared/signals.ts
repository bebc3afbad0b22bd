/** Ending in order when interrupted. */
import { sleep } from '../../base/clock.ts';
import { EXIT, Fault } from '../../base/fault.ts';

/** What cleaning up has before the process ends all the same, and then the last report: 5 s in all. The next run removes what is left. */
const CLEAN_UP_MS = 4_000;
const LAST_MS = 750;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Aborts on a signal, so that cleaning up still happens; ends at once on a second one, or when that takes too long.
 * `last` is done in that case: an engine that no longer answers must not cost the report of what is finished. */
export function abortOnSignals(last: () => Promise<void> = async () => undefined): {
  signal: AbortSignal;
  release: () => void;
} {
  const controller = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const leave = (): never => process.exit(EXIT.interrupted);
  const stop = (): void => {
    if (controller.signal.aborted) leave();
    process.stderr.write('\nreenact: stopping, and removing what was created (again to leave at once)\n');
    late = setTimeout(() => {
      process.stderr.write(
        'reenact: cleaning up does not end, so it is left to the next run, which removes what is there\n',
      );
      const late = sleep(LAST_MS);
      Promise.race([last(), late]).finally(leave);
    }, CLEAN_UP_MS);
    late.unref();
    controller.abort(new Fault('interrupted', 'interrupted'));
  };
  for (const name of SIGNALS) process.on(name, stop);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(late);
      for (const name of SIGNALS) process.off(name, stop);
    },
  };
}
