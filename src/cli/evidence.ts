/** reenact evidence fetch: gets a log's proof into the local store, so that verifying needs no network. */
import { join } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { EXIT, Fault } from '../base/fault.ts';
import { formatLogReference, type LogReference, parseLogReference } from '../evidence/documents/reference.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { fetchProof } from '../evidence/verify/log-fetch.ts';
import { loadPolicy } from '../policy/policy.ts';
import { cacheFolder } from '../sandbox/endpoint.ts';
import { parseOptions } from './options.ts';
import { abortOnSignals } from './signals.ts';

/** Where fetched evidence is kept unless told otherwise. */
export function evidenceFolder(): string {
  return join(cacheFolder(process.env), 'evidence');
}

function entryOf(text: string): { index: number; named?: LogReference } {
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return { index: Number(text) };
  const named = parseLogReference(text);
  return { index: named.index, named };
}

export async function evidenceCommand(args: string[]): Promise<number> {
  const [verb, ...rest] = args;
  const a = parseOptions('evidence', rest);
  const [entry, ...more] = a.positionals;
  const [url, policyName] = [a.text('log'), a.text('policy')];
  if (
    verb !== 'fetch' ||
    entry === undefined ||
    more.length > 0 ||
    url === undefined ||
    policyName === undefined
  )
    throw new Fault('usage', 'reenact evidence fetch REF --log URL --policy P');
  const { signal, release } = abortOnSignals();
  try {
    const { index, named } = entryOf(entry);
    const reference = await fetchProof({
      url,
      index,
      ...(named ? { origin: named.origin } : {}),
      logs: loadTrust(await loadPolicy(policyName)).logs,
      store: a.text('store') ?? evidenceFolder(),
      clock: systemClock,
      signal,
    });
    process.stdout.write(`${formatLogReference(reference)}\n`);
    return EXIT.ok;
  } finally {
    release();
  }
}
