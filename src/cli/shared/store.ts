/** The store of --store, for commands that are not yet built on the library's door. */
import type { TraceStore } from '../../join/store/store.ts';
import { type ReenactEvent, Session } from '../../library/session.ts';
import { withStore as withSessionStore } from '../../library/store.ts';
import type { Arguments } from '../arguments.ts';
import { tellWaiting } from './waiting.ts';

/** Does `work` with the store of --store (default: .reenact), and closes it, however that ends; only `make` creates one. */
export function withStore<T>(
  a: Arguments,
  work: (store: TraceStore) => Promise<T>,
  make: 'make' | 'read' = 'make',
): Promise<T> {
  const onEvent = (event: ReenactEvent): void => {
    if (event.type === 'notice') tellWaiting(event.text);
  };
  return withSessionStore(new Session({ store: a.text('store'), onEvent }), work, make);
}
