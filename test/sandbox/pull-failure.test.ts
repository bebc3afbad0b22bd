/** What engines really say when an image does not come, and what a person is told to do then. */
import { expect, it } from 'vitest';

import { FAULTS, Fault } from '../../src/base/fault.ts';
import type { ImageChain } from '../../src/sandbox/chain.ts';
import { explained, loadFailure } from '../../src/sandbox/pull-failure.ts';

it.each([
  [
    'failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header',
    'image_not_loadable',
    'another engine',
  ],
  [
    'failed to register layer: Error processing tar file(duplicates of file paths not supported): ',
    'image_not_loadable',
    'another engine',
  ],
  [
    'writing blob: adding layer with blob "sha256:4b": processing tar file(archive/tar: invalid tar header): exit status 1',
    'image_not_loadable',
    'another engine',
  ],
  [
    'failed to register layer: Error processing tar file(exit status 1): write /big: no space left on device',
    'disk_full',
    'docker system df',
  ],
  [
    'Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client',
    'registry_unreachable',
    'insecure-registries',
  ],
  [
    'Get "https://10.0.0.1:5000/v2/": x509: certificate signed by unknown authority',
    'registry_unreachable',
    'trust the registry’s certificate',
  ],
  ['toomanyrequests: You have reached your pull rate limit.', 'registry_unreachable', 'wait'],
  ['Head "https://ghcr.io/v2/a/b/manifests/sha256:1": unauthorized', 'registry_denied', 'without a login'],
  [
    "pull access denied for a/b, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'registry_denied',
    'without a login',
  ],
  ['filesystem layer verification failed for digest sha256:1', 'image_bytes_mismatch', 'do not trust'],
  [
    'manifest for 127.0.0.1:5000/a@sha256:1 not found: manifest unknown: manifest unknown',
    'image_not_found',
    'push the image',
  ],
  [
    'Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused',
    'registry_unreachable',
    'start the registry',
  ],
  ['dial tcp: lookup registry.example: no such host', 'registry_unreachable', 'start the registry'],
])('%s', (said, code, next) => {
  const fault = loadFailure('registry_unreachable', 'cannot pull r@d', new Error(said));
  expect(fault).toMatchObject({ code, message: `cannot pull r@d: ${said}` });
  expect(fault.next).toContain(next);
});

it('only of an image with zstd layers is zstd said to be what the engine does not know', () => {
  const chain = { manifest: 'sha256:m', compressions: ['gzip', 'zstd'] } as unknown as ImageChain;
  const fault = loadFailure(
    'engine_failed',
    'cannot load',
    new Error('Error processing tar file(exit status 1): x'),
  );
  const told = explained(fault, chain) as Fault;
  expect(told).toMatchObject({ code: 'image_not_loadable', cause: fault });
  expect(told.message).toContain('compressed with zstd, as sha256:m has them');
  expect(told.next).toContain('Docker from 23.0 on, Podman');
  expect(explained(fault, { ...chain, compressions: ['gzip', ''] })).toBe(fault);
  const other = new Fault('disk_full', 'full');
  expect(explained(other, chain)).toBe(other);
  expect(fault.next).toBe(FAULTS.image_not_loadable.next);
});
