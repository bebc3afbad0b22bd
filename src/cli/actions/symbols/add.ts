/** reenact symbols add: symbol files into the store, each with an accepted attestation of exactly its bytes. */
import { EXIT } from '../../../base/fault.ts';
import type { ReenactEvent, SymbolsOutcome } from '../../../library/events.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';

function outcomeText(outcome: SymbolsOutcome): string {
  if ('code' in outcome)
    return `${safeLine(outcome.path)}\n  refused    ${outcome.code}: ${safeLine(outcome.message)}\n  next: ${outcome.next}\n`;
  return outcome.added
    .map(({ sha256, id, arch, level, lacks, functions, added, resolved }) => {
      const head = `${safeLine(outcome.path)}: ${added ? 'added' : 'known already'}\n`;
      const quality = `${level}${lacks.length > 0 ? ` (${lacks.join(', ')})` : ''}, ${functions} functions`;
      return `${head}  id         ${id}, ${arch}\n  symbols    ${sha256}\n  quality    ${quality}\n  resolved   ${resolved} places of earlier traces\n`;
    })
    .join('');
}

export async function symbolsAdd(a: Arguments): Promise<number> {
  const onEvent = (event: ReenactEvent): void => {
    if (event.type !== 'symbols') return;
    const { outcome } = event;
    if (a.json) a.json.next(outcome);
    else process.stdout.write(outcomeText(outcome));
  };
  const outcomes = await withReenact({ store: a.text('store'), onEvent }, (reenact) =>
    reenact.addSymbols(a.positionals, { evidence: a.list('evidence'), policy: a.text('policy') }),
  );
  return outcomes.some((outcome) => 'code' in outcome) ? EXIT.rejected : EXIT.ok;
}
