/** Ending in order when interrupted. */
import { Fault } from '../base/fault.ts';

/** Aborts on SIGINT or SIGTERM, so that cleaning up still happens; a second signal ends at once. */
export function abortOnSignals(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write('\nreenact: stopping, and removing what was created (again to leave at once)\n');
    controller.abort(new Fault('interrupted', 'interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
