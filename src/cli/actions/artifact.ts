/** reenact artifact add and fetch: what was shipped, bound to its signed provenance. */
import { EXIT } from '../../base/fault.ts';
import type { ReenactEvent } from '../../library/events.ts';
import { type AddedArtifact, artifactReport } from '../../report/artifact.ts';
import type { Arguments } from '../arguments.ts';
import { transferText, withReenact } from '../shared/door.ts';
import { evidenceExit } from '../shared/evidence-exit.ts';
import { onePositional } from '../shared/positionals.ts';

function report(a: Arguments, added: AddedArtifact): number {
  if (a.json) a.json.one(added);
  else process.stdout.write(artifactReport(added));
  const statuses = added.evidence.map(({ record }) => evidenceExit(record));
  return (
    statuses.find((status) => status === EXIT.rejected) ?? statuses.find((status) => status > 0) ?? EXIT.ok
  );
}

function opening(a: Arguments): { store: string | undefined; onEvent: (event: ReenactEvent) => void } {
  return { store: a.text('store'), onEvent: transferText };
}

export async function addArtifactFile(a: Arguments): Promise<number> {
  const what = onePositional(a, 'thing that was shipped: FILE or REPO@sha256:…');
  const options = { evidence: a.list('evidence'), policy: a.text('policy'), name: a.text('name') };
  return report(a, await withReenact(opening(a), (reenact) => reenact.addArtifact(what, options)));
}

export async function fetchArtifact(a: Arguments): Promise<number> {
  const what = onePositional(a, 'image: REPO@sha256:…');
  const options = { policy: a.text('policy'), name: a.text('name') };
  return report(a, await withReenact(opening(a), (reenact) => reenact.fetchArtifact(what, options)));
}
