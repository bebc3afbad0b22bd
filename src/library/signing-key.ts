/** Private keys from files that a person names. */
import { Fault } from '../base/fault.ts';
import type { Algorithm } from '../evidence/common/keys.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import { parsePrivateKey, type SigningKey } from '../evidence/documents/sign.ts';
import { readNamed } from './read-named.ts';

/** A key as a call names it: the path of a PEM, DER or JWK file, or one that was parsed before. */
export type KeyInput = string | SigningKey;

/** A private key; one that is encrypted is opened with REENACT_KEY_PASSPHRASE. What is no key is Fault `usage`. */
export async function signingKey(key: KeyInput, algorithm?: Algorithm): Promise<SigningKey> {
  if (typeof key !== 'string') return key;
  try {
    return parsePrivateKey(await readNamed(key, 65_536), key, algorithm, process.env.REENACT_KEY_PASSPHRASE);
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('usage', error.message, error, error.next);
    throw error;
  }
}

/** A key for events of bundles: Ed25519 only, whose signatures do not depend on chance. */
export async function eventKey(given: KeyInput): Promise<SigningKey> {
  const key = await signingKey(given);
  if (key.public.algorithm !== 'ed25519')
    throw new Fault(
      'usage',
      `${typeof given === 'string' ? given : key.public.fingerprint} is an ${key.public.algorithm} key: events are signed with Ed25519 keys`,
    );
  return key;
}
