/** Asking servers that may be hostile, and reading their answers. */

import { Fault } from './fault.ts';

/** Of `what` that is asked, the address with one slash at its end: https, or http to this very machine; else a Fault (usage). */
export function secureUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = url && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (
    !url ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) ||
    url.search ||
    url.hash
  )
    throw new Fault(
      'usage',
      `${what} has an https address (or http on this machine), not "${text.slice(0, 200)}"`,
    );
  return new URL(`${url.href.replace(/\/*$/, '')}/`);
}

/** The whole body, or undefined as soon as it is over the limit: a server may never stop sending. */
export async function readBounded(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of response.body ?? []) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
