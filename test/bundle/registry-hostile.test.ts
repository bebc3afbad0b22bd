/** Registries that lie, never end, or want bundles and passwords sent elsewhere: a clear fault each, and nothing left. */
import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import { attachEvent } from '../../src/bundle/custody/attached.ts';
import { signEvent } from '../../src/bundle/custody/event.ts';
import { type Descriptor, manifestDescriptor, ROLES, rootManifest } from '../../src/bundle/format/format.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { pullBundle } from '../../src/bundle/registry/pull.ts';
import { pushBundle } from '../../src/bundle/registry/push.ts';
import { parseReference } from '../../src/bundle/registry/registry-reference.ts';
import { type Hook, TestRegistry } from '../support/registry.ts';
import { eventKey, plainCase, transfer } from '../support/transfer.ts';
import { tempFolder } from '../support/world.ts';

let bundle: string;
let root: Digest;
/** The blob that is large. */
let layer: Descriptor;
let registry: TestRegistry;
const key = eventKey();
beforeAll(async () => {
  bundle = await plainCase();
  const opened = await openBundle(bundle);
  root = opened.root;
  layer = opened.layers.toSorted((a, b) => b.size - a.size)[0]!;
});
beforeEach(async () => {
  registry = await TestRegistry.start();
});

/** A registry that has the bundle, and from now on does this to what is asked for. */
async function holding(hook: Hook = () => false): Promise<void> {
  await pushBundle(bundle, parseReference(registry.repository), transfer());
  registry.hook = hook;
}

const at =
  (what: string, answer: (response: ServerResponse) => unknown): Hook =>
  ({ path, method }, response) => {
    if (!path.startsWith(what) || method !== 'GET') return false;
    answer(response);
    return true;
  };

/** Sends without end. */
function pour(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(1 << 16, 'x')));
  };
  response.on('drain', more);
  more();
}

/** Pulls, and says what is left: the target must never be there. */
async function fails(digest = root): Promise<{ code: string; message: string; left: string[] }> {
  const target = join(tempFolder(), 'b.tar');
  const where = parseReference(`${registry.repository}@${digest}`);
  const { code, message } = await pullBundle(target, where, transfer()).then(
    () => ({ code: 'none', message: 'it was pulled' }),
    (error: { code: string; message: string }) => error,
  );
  const left = readdirSync(dirname(target));
  for (const name of left) expect(name).toBe('.b.tar.part');
  const parts = left.flatMap((name) => readdirSync(join(dirname(target), name)));
  expect(parts).not.toContain('unfinished');
  return { code, message, left: parts };
}

describe('a blob', () => {
  const blob = (): string => `blobs/${layer.digest}`;
  it.each<[string, string, RegExp, (response: ServerResponse) => unknown]>([
    [
      'of other bytes',
      'registry_mismatch',
      /what came has the digest .* it was removed/,
      (r) => r.end(Buffer.alloc(layer.size)),
    ],
    [
      'that goes on',
      'registry_mismatch',
      /more came than its .* it was removed/,
      (r) => r.end(Buffer.alloc(layer.size + 1)),
    ],
    ['without end', 'registry_mismatch', /more came than its .* it was removed/, pour],
    ['that is too short', 'registry_unreachable', /ended after 3 of .*tried 4 times/, (r) => r.end('abc')],
    ['that is not there', 'bundle_not_found', /not its blob/, (r) => r.writeHead(404).end()],
    ['that falls silent', 'registry_unreachable', /silent for 0\.4 s; tried 2 times/, (r) => r.write('abc')],
    [
      'that begins elsewhere',
      'registry_mismatch',
      /not the part/,
      (r) => r.writeHead(206, { 'content-range': `bytes 5-9/${layer.size}` }).end('aaaaa'),
    ],
    [
      'on a service of another machine',
      'registry_mismatch',
      /only https is followed/,
      (r) => r.writeHead(307, { location: 'http://192.0.2.1/' }).end(),
    ],
    [
      'that is sent in circles',
      'registry_mismatch',
      /in circles/,
      (r) => r.writeHead(307, { location: '?' }).end(),
    ],
  ])('%s: %s', async (_name, code, message, answer) => {
    await holding((asked, response, request) => at(blob(), answer)(asked, response, request));
    const failed = await fails();
    expect(failed).toMatchObject({ code, message: expect.stringMatching(message) });
    // What is wrong does not stay.
    expect(failed.left.includes(hexOf(layer.digest))).toBe(!failed.message.includes('it was removed'));
  });
});

describe('a manifest', () => {
  it.each<[string, string, RegExp, (response: ServerResponse) => unknown]>([
    ['of other bytes', 'registry_mismatch', /served bytes with digest/, (r) => r.end('{}')],
    ['without end', 'registry_mismatch', /is over 4194304 bytes/, pour],
    ['that is not there', 'bundle_not_found', /does not have sha256/, (r) => r.writeHead(404).end()],
    [
      'that is not for us',
      'registry_denied',
      /HTTP 403, DENIED/,
      (r) => r.writeHead(403).end('{"errors":[{"code":"DENIED"}]}'),
    ],
    ['that never comes', 'registry_unreachable', /silent for 0\.4 s; tried 2 times/, () => undefined],
    [
      'of a server that breaks',
      'registry_unreachable',
      /HTTP 500; tried 4 times/,
      (r) => r.writeHead(500).end(),
    ],
    ['of something that is no registry', 'registry_unreachable', /HTTP 418/, (r) => r.writeHead(418).end()],
  ])('%s: %s', async (_name, code, message, answer) => {
    await holding(at('manifests', answer));
    expect(await fails()).toMatchObject({ code, message: expect.stringMatching(message), left: [] });
  });

  it.each<[string, string, string]>([
    ['of an image', '{"schemaVersion":2}', 'the root manifest: '],
    [
      'that names more than a member can be',
      rootManifest([{ mediaType: ROLES.case, digest: digestOf('x'), size: 8 ** 11 }]),
      'over 8589934591',
    ],
  ])('%s: manifest_form', async (_name, text, message) => {
    registry.manifests.set(digestOf(text), Buffer.from(text));
    expect(await fails(digestOf(text))).toMatchObject({
      code: 'manifest_form',
      message: expect.stringContaining(message),
      left: [],
    });
  });

  it('of blobs that are no bundle: refused when they are put together', async () => {
    const text = rootManifest([{ mediaType: ROLES.case, digest: digestOf('{}x'), size: 3 }]);
    registry.manifests.set(digestOf(text), Buffer.from(text));
    registry.blobs.set(digestOf('{}x'), Buffer.from('{}x'));
    expect(await fails(digestOf(text))).toMatchObject({
      code: 'manifest_form',
      left: [hexOf(digestOf('{}x'))],
    });
  });
});

describe('what is attached', () => {
  const event = (subject: string, about: Digest = digestOf(subject)): ReturnType<typeof attachEvent> => {
    const claim = { action: 'received' as const, actor: '', reason: `${Math.random()}`, time: null };
    const made = signEvent(about, undefined, claim, key);
    return attachEvent(subject, made.envelope, made.key);
  };
  const put = (...all: ReturnType<typeof attachEvent>[]): unknown[] =>
    all.map(({ manifest, contents, artifactType }) => {
      registry.manifests.set(digestOf(manifest), Buffer.from(manifest));
      for (const bytes of contents) registry.blobs.set(digestOf(bytes), bytes);
      return { ...manifestDescriptor(manifest), artifactType };
    });
  const listed = (entries: unknown): Hook =>
    at('referrers', (r) => r.end(JSON.stringify({ manifests: entries })));
  const rootText = (): string => registry.manifests.get(root)!.toString();

  it.each<[string, string, RegExp, () => unknown]>([
    ['to another root', 'manifest_form', /is not the root/, () => put(event('other'))],
    [
      'about another root',
      'custody_broken',
      /about another bundle/,
      () => put(event(rootText(), digestOf('x'))),
    ],
    ['in two chains', 'custody_broken', /does not follow/, () => put(event(rootText()), event(rootText()))],
    [
      'and has no digest',
      'registry_mismatch',
      /, no digest/,
      () => put(event(rootText())).map((one) => ({ ...(one as object), digest: '../../x' })),
    ],
    [
      'and is not there',
      'bundle_not_found',
      /does not have/,
      () => put(event(rootText())).map((one) => ({ ...(one as object), digest: digestOf('x') })),
    ],
    ['and is no list', 'registry_mismatch', /no list of what is attached/, () => ({})],
    ['and lists no digests', 'registry_mismatch', /no list of what is attached/, () => [{ size: 1 }]],
    [
      'too often',
      'manifest_form',
      /257 events and timestamps/,
      () =>
        Array.from({ length: 257 }, (_, i) => ({
          ...(put(event(rootText()))[0] as object),
          digest: digestOf(`${i}`),
        })),
    ],
    [
      'and too large',
      'manifest_form',
      /is 1048577 bytes, over/,
      () => {
        const { manifest, ...rest } = event(rootText());
        return put({ ...rest, manifest: manifest.replace(/(?<=pem-file","size":)\d+/, '1048577') });
      },
    ],
  ])('%s: %s', async (_name, code, message, entries) => {
    await holding();
    registry.hook = listed(entries());
    expect(await fails()).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each<[string, RegExp, (response: ServerResponse, path: string) => unknown]>([
    ['that is garbage', /no list/, (r) => r.end('<html>')],
    ['without end', /is over 4194304/, pour],
    [
      'with pages without end',
      /without end/,
      (r) => r.writeHead(200, { link: '<?n=1>; rel="next"' }).end('{"manifests":[]}'),
    ],
    [
      'that goes on elsewhere',
      /which is not on it/,
      (r) => r.writeHead(200, { link: '<http://127.0.0.1:9/>; rel="next"' }).end('{"manifests":[]}'),
    ],
  ])('by a list %s: registry_mismatch', async (_name, message, answer) => {
    await holding(at('referrers', answer as never));
    expect(await fails()).toMatchObject({
      code: 'registry_mismatch',
      message: expect.stringMatching(message),
      left: [],
    });
  });

  it('by a tag that is garbage: neither believed nor overwritten', async () => {
    const tag = root.replace(':', '-');
    registry.lists = false;
    await holding();
    registry.manifests.set(tag, Buffer.from('[]'));
    expect(await fails()).toMatchObject({ code: 'registry_mismatch', message: expect.stringContaining(tag) });
  });
});
