/** The library as a command uses it: ended by signals, its lines for people on stderr. */
import { systemClock } from '../../base/clock.ts';
import { isRunEvent, type ReenactEvent } from '../../library/events.ts';
import { openReenact } from '../../library/open.ts';
import type { Reenact } from '../../library/reenact.ts';
import type { OpenOptions } from '../../library/session.ts';
import { safeLine } from '../../report/human.ts';
import { Progress } from '../../report/progress.ts';
import { abortOnSignals } from './signals.ts';

/** Blobs that go to a registry or come from one, where a person watches. */
export function transferText(event: ReenactEvent): void {
  if (event.type === 'transfer' && process.stderr.isTTY) process.stderr.write(`${event.text}\n`);
}

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

/** The same, with progress on stderr once replays are under way; `end` ends it before something is printed. */
export async function withProgress<T>(
  options: OpenOptions,
  work: (reenact: Reenact, end: () => void) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  const end = (): void => {
    progress?.end();
    progress = undefined;
  };
  const onEvent = (event: ReenactEvent): void => {
    if (event.type === 'start') progress = new Progress('auto', event.replays, process.stderr, systemClock);
    else if (isRunEvent(event)) progress?.on(event);
  };
  return await withReenact({ ...options, onEvent }, (reenact) => work(reenact, end).finally(end));
}
