/** The library as a command uses it: ended by signals, its lines for people on stderr. */
import { openReenact, type Reenact } from '../library/open.ts';
import type { OpenOptions } from '../library/session.ts';
import { safeLine } from '../report/human.ts';
import { abortOnSignals } from './signals.ts';

/** Does `work` with an opened library; `last` is done where cleaning up after a signal does not end. */
export async function withReenact<T>(
  options: OpenOptions,
  work: (reenact: Reenact) => Promise<T>,
  last?: () => Promise<void>,
): Promise<T> {
  const { signal, release } = abortOnSignals(last);
  const reenact = openReenact({
    signal,
    ...options,
    onEvent: (event) => {
      if (event.type === 'notice') process.stderr.write(`${safeLine(event.text)}\n`);
      else options.onEvent?.(event);
    },
  });
  try {
    return await work(reenact);
  } finally {
    release();
  }
}
