/** A policy once its files are read: keys, identities, logs and the root, loaded once for all evidence. */

import type { X509Certificate } from 'node:crypto';
import { Fault } from '../../base/fault.ts';
import { notOneOf } from '../../base/nearest.ts';
import { isOneOf } from '../../base/table.ts';
import type { Policy, PolicyRoot } from '../../policy/policy.ts';
import type { Authority, LogTrust, Transparency } from '../../policy/shape.ts';
import { ALGORITHMS, type PublicKey, parsePublicKey } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import { logId, type NoteKey, parseVerifierKey } from '../log/note.ts';
import type { SigstoreLibrary } from './sigstore.ts';
import { embeddedRoot, issuersOf, parseTrustedRoots, type TrustedRoot, type Window } from './trusted-root.ts';

export interface TrustedAuthority {
  id: string;
  keyless: Authority['keyless'] | null;
  key: PublicKey | null;
  window: Window;
  revokedMs: number | null;
  transparency: Transparency;
  /** How many times from trusted sources there must be. */
  minTimes: number;
}

/** A log that may prove inclusion, from the root or from the policy. */
export interface TrustedLog {
  key: NoteKey;
  window: Window;
  /** The 32-byte id that bundles name a log of the root by. */
  id: Buffer;
  origins: 'exact' | 'rekor-v1';
  witnesses: { keys: NoteKey[]; min: number } | null;
}

function windowOf(o: { notBefore?: string; notAfter?: string }): Window {
  return {
    startMs: o.notBefore ? Date.parse(o.notBefore) : Number.NEGATIVE_INFINITY,
    endMs: o.notAfter ? Date.parse(o.notAfter) : null,
  };
}

function trustAuthority(authority: Policy['authorities'][number], policy: string): TrustedAuthority {
  const { id, keyless = null, key, keyFile } = authority;
  const algorithm = key?.alg;
  const where = `${policy}: authority ${id}`;
  if (algorithm !== undefined && !isOneOf(ALGORITHMS, algorithm))
    throw new Refusal('signature_algorithm', `${where}: alg is ${notOneOf(algorithm, ALGORITHMS)}`);
  return {
    id,
    keyless,
    key: keyFile ? parsePublicKey(keyFile.bytes, `${where}, ${keyFile.path}`, algorithm) : null,
    window: windowOf(key ?? {}),
    revokedMs: key?.revokedAt ? Date.parse(key.revokedAt) : null,
    transparency: authority.transparency ?? 'required',
    minTimes: authority.timestamps?.min ?? (keyless ? 1 : 0),
  };
}

function trustLog(log: LogTrust): TrustedLog {
  const key = parseVerifierKey(log.key);
  return {
    key,
    window: windowOf(log),
    id: logId(key),
    origins: 'exact',
    witnesses: log.witnesses
      ? { keys: log.witnesses.keys.map(parseVerifierKey), min: log.witnesses.min }
      : null,
  };
}

/** A log that the policy names is judged only by the policy's entry, never by the laxer one of the root. */
function mergeLogs(own: TrustedLog[], ofRoot: TrustedLog[]): TrustedLog[] {
  const same = (a: TrustedLog, b: TrustedLog): boolean => a.key.key.equals(b.key.key);
  const stricter = own.map((log) => {
    const twin = ofRoot.find((other) => same(log, other));
    return twin ? { ...log, id: twin.id, origins: twin.origins } : log;
  });
  return [...stricter, ...ofRoot.filter((log) => !own.some((other) => same(log, other)))];
}

function logsOfRoot(root: TrustedRoot): TrustedLog[] {
  return root.logs.map(({ name, id, key, window }) => ({
    key: {
      name,
      keyId: id.subarray(0, 4),
      scheme:
        key.asymmetricKeyType === 'ed25519' ? 'ed25519' : key.asymmetricKeyType === 'ec' ? 'ecdsa' : 'rsa',
      key,
    },
    window,
    id,
    origins: 'rekor-v1',
    witnesses: null,
  }));
}

/** One trust root with the logs that count under it. Roots are never mixed: a piece of evidence is proven under one root as a whole, or not at all. */
export class Anchor {
  readonly root: TrustedRoot;
  readonly logs: TrustedLog[];
  private loading: Promise<SigstoreLibrary> | undefined;

  constructor(root: TrustedRoot, own: TrustedLog[]) {
    this.root = root;
    this.logs = mergeLogs(own, logsOfRoot(root));
  }

  library(): Promise<SigstoreLibrary> {
    this.loading ??= import('./sigstore.ts').then(({ SigstoreLibrary }) => new SigstoreLibrary(this.root));
    return this.loading;
  }
}

/** A policy with its trust material; roots and the library are opened only when evidence needs them. */
export class Trust {
  readonly policy: Policy;
  private readonly loaded: { keys?: TrustedAuthority[]; anchors?: Anchor[] };
  private asked = false;

  constructor(policy: Policy, loaded: Trust['loaded'] = {}) {
    this.policy = policy;
    this.loaded = loaded;
  }

  /** The same trust for a verification of its own: loaded files are kept, and no root counts as used yet. */
  forOne(): Trust {
    return new Trust(this.policy, this.loaded);
  }

  /** Throws a Refusal that names the authority whose key is not one. */
  get authorities(): TrustedAuthority[] {
    this.loaded.keys ??= this.policy.authorities.map((authority) =>
      trustAuthority(authority, this.policy.name),
    );
    return this.loaded.keys;
  }

  /** The roots that were used, if any: a record lists them. */
  get usedRoots(): TrustedRoot[] {
    return this.asked ? this.anchors.map(({ root }) => root) : [];
  }

  get anchors(): Anchor[] {
    if (!this.loaded.anchors) {
      const { trustRoots, logs } = this.policy;
      const named: PolicyRoot[] = trustRoots.length > 0 ? trustRoots : [{ file: null }];
      const own = logs.map(trustLog);
      this.loaded.anchors = named
        .flatMap(({ file, pin }) =>
          file ? parseTrustedRoots(file.bytes, file.path, pin) : [embeddedRoot(pin)],
        )
        .map((root) => new Anchor(root, own));
    }
    this.asked = true;
    return this.loaded.anchors;
  }

  /** The anchors, beginning with those whose authorities issued the certificate: their reasons for a refusal are the most useful. */
  anchorsFor(certificate: X509Certificate | null): Anchor[] {
    const issued = ({ root }: Anchor): boolean =>
      certificate !== null && issuersOf(root, certificate).length > 0;
    const { anchors } = this;
    return anchors.length === 1
      ? anchors
      : [...anchors.filter(issued), ...anchors.filter((anchor) => !issued(anchor))];
  }

  /** All logs that count under any root. */
  get logs(): TrustedLog[] {
    return this.anchors.flatMap(({ logs }) => logs);
  }
}

/** A policy's trust, its keys read at once: errors in them are then a fault of the policy. */
export function loadTrust(policy: Policy): Trust {
  const trust = new Trust(policy);
  try {
    if (trust.authorities.length === 0) return trust;
    policy.logs.map(trustLog);
    return trust;
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('policy_invalid', error.message, error, error.next);
    throw error;
  }
}
