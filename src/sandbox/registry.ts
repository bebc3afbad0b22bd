/** Reads manifests and configurations from a registry by digest; every byte is hashed before it is believed. */
import { isIP } from 'node:net';

import { type Digest, digestOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Splits "host/path" as Docker does: without a host-like first part the hub is meant. */
export function splitRepository(repository: string): { host: string; path: string } {
  const [first = '', ...rest] = repository.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost'))
    return { host: first, path: rest.join('/') };
  return { host: 'registry-1.docker.io', path: rest.length > 0 ? repository : `library/${repository}` };
}

/** Plain HTTP only to this machine, as engines do. */
function baseUrl(host: string): string {
  const name = host.replace(/:\d+$/, '');
  const loopback = name === 'localhost' || (isIP(name) === 4 && name.startsWith('127.'));
  return `${loopback ? 'http' : 'https'}://${host}`;
}

/** An anonymous pull token where the registry asks for one. */
async function anonymousToken(challenge: string, signal: AbortSignal): Promise<string | undefined> {
  const parts = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1]!, m[2]!]));
  if (!/^bearer /i.test(challenge) || !parts.realm?.startsWith('https://')) return undefined;
  const url = new URL(parts.realm);
  if (parts.service) url.searchParams.set('service', parts.service);
  if (parts.scope) url.searchParams.set('scope', parts.scope);
  const answer = (await (await fetch(url, { signal })).json()) as { token?: string; access_token?: string };
  return answer.token ?? answer.access_token;
}

/** Reads a body that a hostile server may make endless. */
async function readBounded(response: Response): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of response.body ?? []) {
    sizeBytes += piece.length;
    if (sizeBytes > LIMITS.imageDocumentBytes)
      throw new Error(`the answer is over ${LIMITS.imageDocumentBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The bytes of a manifest or blob, proven to have the digest; a Fault says which of absent, down or lying it was. */
export async function fetchByDigest(
  repository: string,
  kind: 'manifests' | 'blobs',
  digest: Digest,
  signal: AbortSignal,
): Promise<Buffer> {
  const { host, path } = splitRepository(repository);
  const url = `${baseUrl(host)}/v2/${path}/${kind}/${digest}`;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.registryTimeoutMs)]);
  let bytes: Buffer;
  try {
    let response = await fetch(url, { headers: { accept: ACCEPT }, signal: patience });
    const challenge = response.status === 401 ? response.headers.get('www-authenticate') : null;
    const token = challenge ? await anonymousToken(challenge, patience) : undefined;
    if (token)
      response = await fetch(url, {
        headers: { accept: ACCEPT, authorization: `Bearer ${token}` },
        signal: patience,
      });
    if ([401, 403, 404].includes(response.status))
      throw new Fault('image_not_found', `${repository} does not have ${digest} (HTTP ${response.status})`);
    if (!response.ok)
      throw new Fault('registry_unreachable', `${host} answered HTTP ${response.status} for ${digest}`);
    bytes = await readBounded(response);
  } catch (error) {
    const cause = (error as Error).cause instanceof Error ? (error as Error).cause : error;
    throw error instanceof Fault
      ? error
      : asFault('registry_unreachable', `cannot read ${digest} from ${host}`, cause);
  }
  const actual = digestOf(bytes);
  if (actual !== digest)
    throw new Fault('image_bytes_mismatch', `${host} served bytes with digest ${actual} for ${digest}`);
  return bytes;
}
