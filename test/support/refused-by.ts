/** Runs whose evidence a policy of a key, of an identity or of a log refuses, each by one change. */
import { makeAuthority } from './authority.ts';
import { envelope, makeKey, type TestKey } from './keys.ts';
import { TestLog } from './log.ts';
import { about, PLAIN, policyOf, type RefusedRun } from './refused.ts';
import { type BundleJson, IDENTITY, type LeafOptions, TestSigstore } from './sigstore.ts';
import { trustOf } from './verify.ts';

export const key: TestKey = makeKey();
export const other: TestKey = makeKey();
export const sigstore: TestSigstore = new TestSigstore();
export const text = (value: unknown): string => JSON.stringify(value);

/** Evidence under a policy that trusts the key. */
export async function byKey(
  o: Partial<RefusedRun> = {},
  more: object = {},
  perKey: object = {},
): Promise<RefusedRun> {
  const { policy } = await trustOf([key], more as Record<string, unknown>, perKey as Record<string, unknown>);
  return { key, policy, ...o };
}

/** A keyless bundle under a policy that trusts the instance; `change` spoils it. */
export async function keyless(
  leaf: LeafOptions = {},
  change: (bundle: BundleJson) => unknown = () => undefined,
  o: { root?: object; authority?: object; trust?: object } = {},
): Promise<RefusedRun> {
  const bundle = sigstore.bundle({ payload: about(PLAIN), ...leaf });
  change(bundle);
  const document = {
    trust: { root: 'root.json', ...o.trust },
    authorities: [{ id: 'ci', keyless: IDENTITY, ...o.authority }],
  };
  const policy = await policyOf(document, { 'root.json': text(o.root ?? sigstore.trustedRoot()) });
  return { evidence: text(bundle), policy };
}
export const entry = ({
  verificationMaterial,
}: BundleJson): BundleJson['verificationMaterial']['tlogEntries'][number] =>
  verificationMaterial.tlogEntries[0]!;

/** A bundle whose time is a timestamp's, by an authority that the root does not name, or names as ended. */
export async function stamped(): Promise<RefusedRun> {
  const [named, used] = [makeAuthority(), makeAuthority({ issuer: '/O=Strange/CN=Stranger' })];
  const { timestampAuthorities } = JSON.parse(named.root) as Record<string, unknown>;
  const stamp = (bundle: BundleJson): void => {
    const [one] = bundle.verificationMaterial.tlogEntries as [object];
    Object.assign(one, { inclusionPromise: undefined, integratedTime: undefined });
    const reply = used.stamp(Buffer.from(bundle.dsseEnvelope.signatures[0]!.sig, 'base64'));
    const rfc3161Timestamps = [{ signedTimestamp: reply.toString('base64') }];
    Object.assign(bundle.verificationMaterial, { timestampVerificationData: { rfc3161Timestamps } });
  };
  return keyless({}, stamp, { root: { ...sigstore.trustedRoot(), timestampAuthorities } });
}

/** A manifest that names a log's entry, of which `beside` holds what is found. */
export async function logged(
  beside: (log: TestLog, index: number) => Record<string, string>,
  more: (log: TestLog) => object = () => ({}),
): Promise<RefusedRun> {
  const log = new TestLog({ witnesses: 1 }).grow(3);
  const evidence = text(envelope([key], about(PLAIN)));
  const index = log.append(Buffer.from(evidence));
  const rekor_tile_ref = log.reference(index);
  const trust = { logs: [{ key: log.verifierKey, ...more(log) }] };
  return byKey({ evidence, manifest: { rekor_tile_ref }, beside: beside(log, index) }, { trust });
}

/** A keyless bundle under a policy of keys, with the instance's root. */
export async function strangerToKeys(): Promise<RefusedRun> {
  const { evidence } = await keyless();
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const document = {
    trust: { root: 'root.json' },
    authorities: [{ id: 'k', key: { path: 'k.pub' }, transparency: 'none' }],
  };
  const files = { 'root.json': text(sigstore.trustedRoot()), 'k.pub': pem };
  return { evidence: evidence!, policy: await policyOf(document, files) };
}

export const signed = (payload: unknown, type?: string): string => text(envelope([key], payload, type));
export const requiring = (require: object): object => ({ require: [{ subjects: ['manifest'], ...require }] });
export const SLSA = 'https://slsa.dev/provenance/v1';
