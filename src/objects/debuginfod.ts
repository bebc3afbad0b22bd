/** Debug information from a debuginfod server that the user names: the only part of symbols that uses the network, and never during a verification. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, startDigest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { digestOfFile, writeAside } from '../base/files.ts';
import { type Answer, ask, secureUrl, serverPatience } from '../base/http.ts';
import { wantFree } from '../base/output.ts';
import type { Waiting } from '../base/patience.ts';
import { causeOf, messageOf } from '../base/thrown.ts';
import { contradiction } from './layouts.ts';
import { readObject } from './object.ts';

export interface Fetching extends Waiting {
  /** Of one file, unpacked. */
  maxBytes: number;
  /** Of silence before it answers, in milliseconds, as long as it lives: servers unpack what they are asked for. */
  unpackQuietMs: number;
}

export const FETCH_LIMITS: Fetching = { maxBytes: 2 ** 31, unpackQuietMs: 300_000 };

export interface Fetched {
  /** Below the folder: as debuginfod's own clients keep it, which says what build it is of. */
  path: string;
  url: string;
  sha256: Digest;
}

/** A server's address: https, or http to this very machine. Throws a Fault (usage). */
export function parseServer(text: string): URL {
  return secureUrl(text, 'a debuginfod server');
}

function unreachable(url: URL, why: string, cause?: unknown): Fault {
  return new Fault('symbols_unreachable', `${url.href} ${why}`, cause);
}

/**
 * Asks for the debug information of a build (`elf:` and hexadecimal) and writes it below `folder`, whole or not at all; null
 * where the server has none. Throws a Fault where it does not answer, sends too much, or another build (object_malformed).
 */
export async function fetchDebugInfo(
  server: URL,
  id: string,
  folder: string,
  { maxBytes, unpackQuietMs: quietMs, ...waiting }: Fetching,
): Promise<Fetched | null> {
  const path = `buildid/${id.slice('elf:'.length)}/debuginfo`;
  const url = new URL(path, server);
  const patience = serverPatience('the debuginfod server', server.href, server, waiting);
  const failed = (error: unknown): Fault => {
    if (waiting.signal?.aborted) return new Fault('interrupted', 'interrupted');
    return unreachable(url, `cannot be read: ${messageOf(causeOf(error))}`, error);
  };
  const asked = ask(url, { redirect: 'error', quietMs }, patience);
  const response: Answer = await asked.catch((error: unknown) => {
    throw failed(error);
  });
  if (!response.ok) {
    response.discard();
    if (response.status === 404) return null;
    throw unreachable(url, `answers ${response.status}`);
  }
  const body = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* response.body;
    } catch (error) {
      throw failed(error);
    }
  };
  const [digest, to] = [startDigest(), join(folder, path)];
  let sizeBytes = 0;
  try {
    const sha256 = await writeAside(to, async (file) => {
      for await (const piece of body()) {
        sizeBytes += piece.length;
        if (sizeBytes > maxBytes) throw unreachable(url, `sends over ${maxBytes} bytes`);
        digest.update(piece);
        await file.writeFile(piece);
      }
      checkBuild(`/proc/self/fd/${file.fd}`, url, id);
      const written = digest.end();
      if (existsSync(to) && (await digestOfFile(to)) !== written) wantFree(to);
      return written;
    });
    return { path, url: url.href, sha256 };
  } catch (error) {
    throw asFault('out_failed', `${to} cannot be written`, error);
  }
}

/** The answer is compared with the request before it gets its name. */
function checkBuild(written: string, url: URL, id: string): void {
  const { images } = readObject(written, url.href);
  const lie = contradiction(id, images);
  if (lie !== null) throw new Fault('object_malformed', `${url.href}: ${lie}`, undefined, OTHER_BUILD);
}

const OTHER_BUILD = 'do not use this server for it: what it gives is not what was asked for';
