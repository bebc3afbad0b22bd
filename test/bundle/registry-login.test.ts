/** Registries that want to know who pushes: they are told, and servers to which they redirect are not. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { pullBundle } from '../../src/bundle/registry/pull.ts';
import { type Pushed, pushBundle } from '../../src/bundle/registry/push.ts';
import { parseReference } from '../../src/bundle/registry/registry-reference.ts';
import type { Transfer } from '../../src/bundle/registry/remote.ts';
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

describe('a registry that asks who it is', () => {
  const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
  const credentials = { user: 'ada', password: 'secret' };
  /** Answers with a challenge unless the request bears this. */
  const guard =
    (wanted: string, challenge: () => string): Hook =>
    ({ path, headers }, response, request) => {
      if (path.startsWith('/token') || headers.authorization === wanted) return false;
      request.resume();
      response.writeHead(401, { 'www-authenticate': challenge() }).end();
      return true;
    };
  const bearer = (): string =>
    `Bearer realm="http://${registry.host}/token",service="s",scope="repository:cases/one:pull,push"`;
  let tokens: Asked[];

  /** Gives out tokens to whom it may. */
  function giving(token: string, needs?: string): Hook {
    tokens = [];
    const guarded = guard('Bearer t0ken', bearer);
    return (asked, response, request) => {
      if (!asked.path.startsWith('/token')) return guarded(asked, response, request);
      tokens.push(asked);
      if (needs && asked.headers.authorization !== needs) response.statusCode = 401;
      response.end(JSON.stringify({ token }));
      return true;
    };
  }

  it('by a token for everybody', async () => {
    registry.hook = giving('t0ken');
    const { root } = await push();
    expect(tokens).toMatchObject([{ path: '/token?service=s&scope=repository%3Acases%2Fone%3Apull%2Cpush' }]);
    expect(tokens[0]!.headers.authorization).toBeUndefined();
    const target = join(tempFolder(), 'b.tar');
    await pullBundle(target, parseReference(`${registry.repository}@${root}`), transfer());
    expect(readFileSync(target).equals(readFileSync(bundle))).toBe(true);
  });

  it('by a token for those with a password', async () => {
    registry.hook = giving('t0ken', basic);
    await expect(push()).rejects.toMatchObject({ code: 'registry_denied' });
    await expect(push(bundle, { credentials: { user: 'ada', password: 'wrong' } })).rejects.toMatchObject({
      code: 'registry_denied',
    });
    expect(await push(bundle, { credentials })).toMatchObject({ attached: 4 });
  });

  it('by the password itself', async () => {
    registry.hook = guard(basic, () => 'Basic realm="x"');
    await expect(push()).rejects.toMatchObject({ code: 'registry_denied' });
    expect(await push(bundle, { credentials })).toMatchObject({ attached: 4 });
  });

  it.each(['', '\u0000', 'a\r\nb: c', 7])('by the token %j: it is not let in', async (token) => {
    registry.hook = giving(token as string);
    await expect(push()).rejects.toMatchObject({ code: 'registry_denied' });
  });

  it('by a token that is to be had elsewhere, or never ends: it is not let in', async () => {
    const other = await TestRegistry.start();
    other.hook = (_asked, response) => {
      response.end('{"token":"t0ken"}');
      return true;
    };
    const given = giving('t0ken');
    const answers = (answer: (response: ServerResponse) => unknown): void => {
      registry.hook = (asked, response, request) => {
        if (!asked.path.startsWith('/token')) return given(asked, response, request);
        answer(response);
        return true;
      };
    };
    answers((response) => response.writeHead(307, { location: `http://${other.host}/` }).end());
    await expect(push()).rejects.toMatchObject({ code: 'registry_unreachable' });
    answers((response) => response.end(`{"token":"t0ken"}${' '.repeat(65_536)}`));
    await expect(push()).rejects.toMatchObject({ code: 'registry_denied' });
    expect(other.asked).toEqual([]);
  });

  it('and sends downloads elsewhere: nobody there learns who it is, though they ask', async () => {
    registry.hook = guard(basic, () => 'Basic realm="x"');
    const { root } = await push(bundle, { credentials });
    const other = await TestRegistry.start();
    for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
    const own = registry.hook;
    registry.hook = (asked, response, request) => {
      if (own(asked, response, request)) return true;
      if (asked.method !== 'GET' || !asked.path.startsWith('blobs/')) return false;
      response.writeHead(307, { location: `http://${other.host}${asked.url}` }).end();
      return true;
    };
    const where = parseReference(`${registry.repository}@${root}`);
    await pullBundle(join(tempFolder(), 'b.tar'), where, transfer({ credentials }));
    other.hook = guard('none', () => `Bearer realm="http://${other.host}/token"`);
    const asks = pullBundle(join(tempFolder(), 'b.tar'), where, transfer({ credentials }));
    await expect(asks).rejects.toMatchObject({ code: 'registry_denied' });
    expect(other.asked.length).toBeGreaterThan(5);
    expect(other.asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});
