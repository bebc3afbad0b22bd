/** reenact evidence fetch: gets a log's proof into the local store, so that verifying needs no network. */
import { systemClock } from '../../../base/clock.ts';
import { EXIT, Fault } from '../../../base/fault.ts';
import {
  formatLogReference,
  type LogReference,
  parseLogReference,
} from '../../../evidence/documents/reference.ts';
import { loadTrust } from '../../../evidence/trust/trust.ts';
import { fetchProof } from '../../../evidence/verify/log-fetch.ts';
import { loadPolicy } from '../../../policy/policy.ts';
import type { Arguments } from '../../arguments.ts';
import { evidenceFolder } from '../../shared/evidence-folder.ts';
import { onePositional } from '../../shared/positionals.ts';
import { abortOnSignals } from '../../shared/signals.ts';
import { tellWaiting } from '../../shared/waiting.ts';

function entryOf(text: string): { index: number; named?: LogReference } {
  if (/^(?:0|[1-9]\d{0,14})$/.test(text)) return { index: Number(text) };
  const named = parseLogReference(text);
  return { index: named.index, named };
}

export async function fetchEvidence(a: Arguments): Promise<number> {
  const entry = onePositional(a, 'log entry: rekor:… or its index');
  const [url, policyName] = [a.text('log'), a.text('policy')];
  if (url === undefined || policyName === undefined)
    throw new Fault('usage', 'name the log and the policy that has its key: --log URL --policy P');
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
      tell: tellWaiting,
    });
    process.stdout.write(`${formatLogReference(reference)}\n`);
    return EXIT.ok;
  } finally {
    release();
  }
}
