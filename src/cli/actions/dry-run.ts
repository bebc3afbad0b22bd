/** reenact run --dry-run: the plan, and what a run would come to before any sandbox, with the same exit status. */
import type { PlannedRun } from '../../library/dry-run.ts';
import { safeLine } from '../../report/human.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { JsonOutput } from '../shared/json.ts';

/** Whether evidence was checked, and how it was judged: a plan that passes says not by itself that anything was signed. */
function evidenceText({ status, signers }: PlannedRun['evidence']): string {
  if (status === 'not_checked') return 'NOT checked: the policy names no authority (reenact policy init)';
  return status === 'verified' ? `checked: verified, signed by ${signers.join(', ')}` : `checked: ${status}`;
}

function textOf({
  loaded,
  manifest_subject_sha256,
  replays,
  verdict,
  reason,
  message,
  lost,
  evidence,
}: PlannedRun): string {
  const { path, name, manifest, sha256, argv } = loaded;
  const rows: [string, string][] = [
    ['manifest digest', sha256],
    ['manifest subject', `${manifest_subject_sha256}, which evidence names`],
    ['sandbox image', manifest.sandbox_image_sha256],
    ['evidence', evidenceText(evidence)],
    ...(verdict ? [[verdict, `${reason}: ${message}`] as [string, string]] : []),
    ...lost.map((gate): [string, string] => ['gate fails', gate]),
  ];
  const head = `${path}: ${name}, ${replays} replays of ${JSON.stringify(argv)}`;
  return `${safeLine(head)}\n${rows.map(([label, text]) => `  ${label.padEnd(17)}${safeLine(text)}\n`).join('')}`;
}

function planOf({ loaded, manifest_subject_sha256, replays, ...foreseen }: PlannedRun): unknown {
  const { path, name, manifest, sha256, argv } = loaded;
  const { sandbox_image_sha256 } = manifest;
  const digests = { manifest_sha256: sha256, manifest_subject_sha256, sandbox_image_sha256 };
  return { manifest_path: path, name, replays, argv, ...digests, ...foreseen };
}

/** Prints the plan; returns what of each manifest's record is known already, for the exit status. */
export function printPlan(
  planned: PlannedRun[],
  json: JsonOutput | undefined,
): Pick<ReplayRecord, 'verdict' | 'gates'>[] {
  if (json) json.list(planned.map(planOf));
  else process.stdout.write(`${planned.map(textOf).join('')}nothing was run: --dry-run\n`);
  return planned.map(({ verdict, lost }) => ({
    verdict: verdict ?? 'reproduced',
    gates: lost.map((name) => ({ name, threshold: true, value: false, pass: false })),
  }));
}
