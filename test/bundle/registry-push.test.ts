/** Pushing to registries that are hostile, and bundles that are not fit to be pushed. */
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { readAttested } from '../../src/bundle/custody/attested.ts';
import { TAR_END } from '../../src/bundle/format/tar.ts';
import { attachedFiles, backFiles, frontFiles } from '../../src/bundle/read/layout.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { textsOf } from '../../src/bundle/read/texts.ts';
import { type Pushed, pushBundle } from '../../src/bundle/registry/push.ts';
import { parseReference } from '../../src/bundle/registry/registry-reference.ts';
import type { Transfer } from '../../src/bundle/registry/remote.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { writeBundleFile } from '../../src/bundle/write/output.ts';
import { type Asked, type Hook, TestRegistry } from '../support/registry.ts';
import { attachedCase, transfer } from '../support/transfer.ts';
import { tempFolder } from '../support/world.ts';

let bundle: string;
let registry: TestRegistry;
beforeAll(async () => {
  bundle = await attachedCase();
});
beforeEach(async () => {
  registry = await TestRegistry.start();
});

function push(path = bundle, o: Partial<Transfer> = {}): Promise<Pushed> {
  return pushBundle(path, parseReference(registry.repository), transfer(o));
}

const on =
  (methods: string, what: RegExp, answer: (response: ServerResponse, asked: Asked) => unknown): Hook =>
  (asked, response, request) => {
    if (!methods.split(' ').includes(asked.method) || !what.test(asked.path)) return false;
    request.resume();
    answer(response, asked);
    return true;
  };

const BEGIN = /^blobs\/uploads\/$/;
const elsewhere = (response: ServerResponse, location: string): unknown =>
  response.writeHead(202, { location }).end();

describe('a registry that', () => {
  it.each<[string, string, RegExp, Hook]>([
    [
      'wants it sent to another host',
      'registry_mismatch',
      /go on at http:\/\/192.0.2.1\/, which is not on it/,
      on('POST', BEGIN, (r) => elsewhere(r, 'http://192.0.2.1/')),
    ],
    [
      'wants it sent to another port',
      'registry_mismatch',
      /which is not on it/,
      on('POST', BEGIN, (r) => elsewhere(r, 'http://127.0.0.1:9/')),
    ],
    [
      'wants it sent in another way',
      'registry_mismatch',
      /which is not on it/,
      on('POST', BEGIN, (r, { headers }) => elsewhere(r, `https://${headers.host}/`)),
    ],
    [
      'wants it sent with a password',
      'registry_mismatch',
      /which is not on it/,
      on('POST', BEGIN, (r, { headers }) => elsewhere(r, `http://a:b@${headers.host}/`)),
    ],
    [
      'does not say where',
      'registry_mismatch',
      /go on at no address/,
      on('POST', BEGIN, (r) => r.writeHead(202).end()),
    ],
    [
      'wants a chunk sent to another host',
      'registry_mismatch',
      /which is not on it/,
      on('PATCH', /./, (r) => elsewhere(r, 'http://192.0.2.1/')),
    ],
    [
      'sends a chunk on',
      'registry_unreachable',
      /HTTP 307/,
      on('PATCH', /./, (r) => r.writeHead(307, { location: 'http://127.0.0.1:9/' }).end()),
    ],
    [
      'takes no large chunks',
      'registry_unreachable',
      /HTTP 413/,
      on('PATCH', /./, (r) => r.writeHead(413).end()),
    ],
    [
      'never takes all of a chunk',
      'registry_unreachable',
      /did not take them .*tried 4 times/,
      on('PATCH', /./, (r, { url }) => r.writeHead(202, { location: url, range: '0-5' }).end()),
    ],
    [
      'says that more arrived than there is',
      'registry_unreachable',
      /tried 4 times/,
      on('PATCH GET', /uploads/, (r, { url, method }) =>
        r.writeHead(method === 'GET' ? 204 : 416, { location: url, range: '0-99999999999' }).end(),
      ),
    ],
    [
      'got other bytes',
      'registry_unreachable',
      /got other bytes than those of sha256/,
      on('PUT', /^blobs/, (r) => r.writeHead(400).end()),
    ],
    [
      'makes something else of the manifest',
      'registry_mismatch',
      /something else of sha256/,
      on('PUT', /^manifests/, (r) => r.writeHead(201, { 'docker-content-digest': digestOf('x') }).end()),
    ],
    ['lets nobody push', 'registry_denied', /HTTP 403/, on('POST', BEGIN, (r) => r.writeHead(403).end())],
    [
      'wants a token that is not to be had',
      'registry_denied',
      /HTTP 401, UNAUTHORIZED/,
      on('POST', BEGIN, (r) =>
        r
          .writeHead(401, { 'www-authenticate': 'Bearer realm="http://192.0.2.1/"' })
          .end('{"errors":[{"code":"UNAUTHORIZED"}]}'),
      ),
    ],
  ])('%s: %s', async (_name, code, message, hook) => {
    registry.hook = hook;
    await expect(push()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect([...registry.manifests.keys()].filter((name) => !name.startsWith('sha256'))).toEqual([]);
  });

  it('has a list that is none, which stays as it is', async () => {
    registry.lists = false;
    const tag = (await push()).root.replace(':', '-');
    registry.manifests.set(tag, Buffer.from('[1]'));
    await expect(push()).rejects.toMatchObject({
      code: 'registry_mismatch',
      message: expect.stringContaining(tag),
    });
    expect(registry.manifests.get(tag)!.toString()).toBe('[1]');
  });
});

describe('a bundle that', () => {
  it('is refused is not pushed', async () => {
    const path = join(tempFolder(), 'b.tar');
    copyFileSync(bundle, path);
    appendFileSync(path, 'x');
    await expect(push(path)).rejects.toMatchObject({
      code: 'tar_trailing',
      message: expect.stringContaining('nothing was pushed'),
    });
    expect(registry.asked).toEqual([]);
  });

  it('has attachments in an order of its own is refused: it could not come back as it was', async () => {
    const opened = await openBundle(bundle);
    const layout = { ...opened, root: opened.rootText, attachments: opened.attachments.toReversed() };
    const attested = await readAttested(layout.root, layout.attachments);
    const path = join(tempFolder(), 'b.tar');
    await writeBundleFile(path, async (out) => {
      for (const [name, text] of frontFiles(layout)) out.file(name, text);
      out.write(readFileSync(bundle).subarray(opened.blobs.from, opened.blobs.to));
      for (const [name, bytes] of attachedFiles(layout)) out.file(name, bytes);
      for (const [name, text] of backFiles(layout, textsOf(layout.root, attested, opened.report)))
        out.file(name, text);
      out.write(TAR_END);
    });
    const { problems } = await verifyBundle(path);
    expect(problems).toContainEqual({
      code: 'manifest_form',
      message: 'index.json is not in canonical form',
    });
    await expect(push(path)).rejects.toMatchObject({ code: 'manifest_form' });
    expect(registry.asked).toEqual([]);
  });

  it('changes while it is pushed is not given its name there', async () => {
    const path = join(tempFolder(), 'b.tar');
    copyFileSync(bundle, path);
    registry.hook = ({ method }) => {
      if (method === 'PATCH') writeFileSync(path, Buffer.alloc(readFileSync(path).length));
      return false;
    };
    await expect(push(path)).rejects.toMatchObject({
      code: 'blob_digest',
      message: expect.stringContaining('was changed while'),
    });
    registry.hook = () => false;
    expect(registry.manifests.size).toBe(0);
  });
});
