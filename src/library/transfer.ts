/** How registries are talked to: with the caller's credentials, until the caller's signal. */
import type { Transfer } from '../bundle/registry/remote.ts';
import type { Session } from './session.ts';

/** Credentials come from the environment: other users can read a command line. */
export function transferOf({ waiting, tell }: Session): Transfer {
  const { REENACT_REGISTRY_USER: user, REENACT_REGISTRY_PASSWORD: password } = process.env;
  return {
    ...waiting,
    onBlob: (text) => tell({ type: 'transfer', text }),
    ...(user && password ? { credentials: { user, password } } : {}),
  };
}
