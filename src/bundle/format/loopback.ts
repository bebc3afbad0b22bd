/** A read-only registry on this machine only, which serves an image out of a store so that the image keeps its digest. */

import { createReadStream, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDigest } from '../../base/digest.ts';
import { memberOf } from '../../base/json.ts';
import type { BlobStore } from '../../store/blobs.ts';

const REQUEST = /^\/v2\/bundle\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/;

/** The media type that a manifest states; early OCI ones state none. */
export function manifestType(manifest: Buffer): string {
  const mediaType = memberOf(JSON.parse(manifest.toString('utf8')), 'mediaType');
  return typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
}

async function answer(store: BlobStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, digest = ''] = REQUEST.exec(request.url ?? '') ?? [];
  if (request.url === '/v2/' || request.url === '/v2') {
    response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end();
    return;
  }
  if (!isDigest(digest) || !store.has(digest) || !['GET', 'HEAD'].includes(request.method ?? '')) {
    response.writeHead(404).end();
    return;
  }
  const path = store.path(digest);
  let type = 'application/octet-stream';
  // Engines use the type that the manifest itself states.
  if (kind === 'manifests') type = manifestType(await readFile(path));
  const headers = {
    'content-type': type,
    'content-length': statSync(path).size,
    'docker-content-digest': digest,
  };
  response.writeHead(200, headers);
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(path)
      .on('error', () => response.destroy())
      .pipe(response);
}

/** Serves until closed; `repository` is the name under which the image's digest is requested. */
export async function serveImage(
  store: BlobStore,
): Promise<{ repository: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(store, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    repository: `127.0.0.1:${(server.address() as AddressInfo).port}/bundle`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
