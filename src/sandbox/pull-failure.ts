/** The errors of engines that cannot pull or load an image: whether engine, registry or image is at fault, and what helps. */
import { asFault, Fault, type FaultCode } from '../base/fault.ts';
import type { ImageChain } from './chain.ts';

interface Kind {
  said: RegExp;
  code: FaultCode;
  /** Where the advice of the code would not help. */
  next?: string;
}

/** In words of Docker, containerd and Podman; the first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    said: /no space left on device/i,
    code: 'disk_full',
    next: 'free space where the engine keeps its images (docker system df), then run the same command again',
  },
  {
    said: /server gave HTTP response to HTTPS client/i,
    code: 'registry_unreachable',
    next: 'name the registry under insecure-registries in the engine’s daemon.json (Podman: insecure in registries.conf), or give it a certificate',
  },
  {
    said: /x509|certificate/i,
    code: 'registry_unreachable',
    next: 'make the engine trust the registry’s certificate: its authority belongs into /etc/docker/certs.d/HOST/ca.crt',
  },
  {
    said: /toomanyrequests|rate limit/i,
    code: 'registry_unreachable',
    next: 'wait, or name another repository that has the image: this registry gives no more for now',
  },
  {
    said: /unauthorized|authentication required|access (?:is |to the resource is )?denied|\bdenied:/i,
    code: 'registry_denied',
    next: 'name a repository that can be read without a login, or replay a bundle that has the image in it (reenact bundle create --with-image)',
  },
  {
    said: /layer verification failed|verification failed for digest|digest mismatch|unexpected digest/i,
    code: 'image_bytes_mismatch',
  },
  {
    said: /failed to register layer|processing tar file|adding layer|window size exceeded/i,
    code: 'image_not_loadable',
  },
  { said: /not found|manifest unknown|name unknown/i, code: 'image_not_found' },
];

/** The Fault for an engine's failure; `code` is used where its words are unknown. */
export function loadFailure(code: FaultCode, what: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  const kind = KINDS.find(({ said }) => said.test(text));
  if (!kind) return asFault(code, what, error);
  return new Fault(kind.code, `${what}: ${text}`, error, kind.next);
}

/** The same, where the image's manifest explains it: engines report a damaged tar when they do not know the compression. */
export function explained(error: unknown, { manifest, compressions }: ImageChain): unknown {
  if (!(error instanceof Fault) || error.code !== 'image_not_loadable' || !compressions.includes('zstd'))
    return error;
  return new Fault(
    'image_not_loadable',
    `the engine cannot unpack layers compressed with zstd, as ${manifest} has them (${error.message})`,
    error,
    'replay on an engine that reads zstd (Docker from 23.0 on, Podman), or push the image with gzip layers and name that one’s digest',
  );
}
