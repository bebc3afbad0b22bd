/** What every command that talks to a registry has: credentials, an end by signal, and progress on a terminal. */
import type { Transfer } from '../../bundle/registry/remote.ts';
import { abortOnSignals } from './signals.ts';
import { tellWaiting } from './waiting.ts';

/** Credentials come from the environment: other users can read a command line. */
export async function withTransfer<T>(work: (o: Transfer) => Promise<T>): Promise<T> {
  const { REENACT_REGISTRY_USER: user, REENACT_REGISTRY_PASSWORD: password } = process.env;
  const { signal, release } = abortOnSignals();
  const onBlob = (text: string): void => void process.stderr.write(`${text}\n`);
  const transfer = {
    signal,
    tell: tellWaiting,
    ...(user && password ? { credentials: { user, password } } : {}),
    ...(process.stderr.isTTY ? { onBlob } : {}),
  };
  return work(transfer).finally(release);
}
