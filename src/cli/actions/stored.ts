/** ls and show of trace, symbols and artifact: what the store holds. */
import { EXIT, Fault } from '../../base/fault.ts';
import type { Reenact } from '../../library/reenact.ts';
import { artifactsText, artifactText, symbolFileText, symbolsText, tracesText } from '../../report/stored.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';
import { onePositional } from '../shared/positionals.ts';

async function list<T>(
  a: Arguments,
  all: (reenact: Reenact) => Promise<T[]>,
  text: (all: readonly T[]) => string,
): Promise<number> {
  if (a.positionals.length > 0)
    throw new Fault(
      'usage',
      `${a.command} takes no "${a.positionals[0]}": it lists all; ${a.command.replace(/ls$/, 'show')} has one`,
    );
  const found = await withReenact({ store: a.text('store') }, all);
  if (a.json) a.json.list(found);
  else process.stdout.write(text(found));
  return EXIT.ok;
}

async function show<T>(
  a: Arguments,
  what: string,
  find: (reenact: Reenact, given: string) => Promise<T>,
  text: (one: T) => string,
): Promise<number> {
  const given = onePositional(a, what);
  const found = await withReenact({ store: a.text('store') }, (reenact) => find(reenact, given));
  if (a.json) a.json.one(found);
  else process.stdout.write(text(found));
  return EXIT.ok;
}

export function listTraces(a: Arguments): Promise<number> {
  return list(a, (reenact) => reenact.traces(), tracesText);
}

export function listSymbols(a: Arguments): Promise<number> {
  return list(a, (reenact) => reenact.symbolFiles(), symbolsText);
}

export function listArtifacts(a: Arguments): Promise<number> {
  return list(a, (reenact) => reenact.artifacts(), artifactsText);
}

export function showSymbols(a: Arguments): Promise<number> {
  return show(
    a,
    'symbol file: its digest, its build-id or the file',
    (reenact, given) => reenact.symbolFile(given),
    symbolFileText,
  );
}

export function showArtifact(a: Arguments): Promise<number> {
  return show(
    a,
    'artifact: its digest or the file',
    (reenact, given) => reenact.artifact(given),
    artifactText,
  );
}
