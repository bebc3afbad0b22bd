/** reenact run --dry-run: the plan, and what a run would come to before any sandbox, with the same exit status. */
import { join } from 'node:path';

import { systemClock } from '../../base/clock.ts';
import type { Digest } from '../../base/digest.ts';
import type { LoadedManifest } from '../../manifest/load.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import { type Foreseen, type ForeseeOptions, foresee } from '../../replay/foresee.ts';
import { safeLine } from '../../report/human.ts';
import { cacheFolder } from '../../sandbox/endpoint.ts';
import { resolveImage } from '../../sandbox/image.ts';
import { Registries } from '../../sandbox/registry.ts';
import { BlobStore } from '../../store/blobs.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { JsonOutput } from '../shared/json.ts';
import { tellWaiting } from '../shared/waiting.ts';

/** Every digest that an image's own documents give, from the cache or a registry: no engine is asked. */
async function chainOf(
  { manifest }: LoadedManifest,
  named: string[],
  registries: Registries,
): Promise<Digest[]> {
  const repositories = manifest.sandbox_image ? [manifest.sandbox_image] : named;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const sources = {
    store: new BlobStore(join(cacheFolder(process.env), 'images')),
    repositories,
    registries,
    platform: { os: 'linux', architecture },
  };
  const { chain } = await resolveImage(manifest.sandbox_image_sha256, sources);
  return [chain.requested, chain.manifest, chain.config];
}

function textOf({ loaded, verdict, reason, message, lost }: Foreseen, replays: number): string {
  const { path, name, manifest, sha256, argv } = loaded;
  const rows: [string, string][] = [
    ['manifest digest', sha256],
    ['manifest subject', `${manifestSubject(manifest)}, which evidence names`],
    ['sandbox image', manifest.sandbox_image_sha256],
    ...(verdict ? [[verdict, `${reason}: ${message}`] as [string, string]] : []),
    ...lost.map((gate): [string, string] => ['gate fails', gate]),
  ];
  const head = `${path}: ${name}, ${replays} replays of ${JSON.stringify(argv)}`;
  return `${safeLine(head)}\n${rows.map(([label, text]) => `  ${label.padEnd(17)}${safeLine(text)}\n`).join('')}`;
}

function planOf({ loaded, ...foreseen }: Foreseen, replays: number): unknown {
  const { path, name, manifest, sha256, argv } = loaded;
  const { sandbox_image_sha256 } = manifest;
  const manifest_subject_sha256 = manifestSubject(manifest);
  const digests = { manifest_sha256: sha256, manifest_subject_sha256, sandbox_image_sha256 };
  return { manifest_path: path, name, replays, argv, ...digests, ...foreseen };
}

/** Prints the plan; returns what of each manifest's record is known already, for the exit status. */
export async function dryRun(
  manifests: LoadedManifest[],
  countOf: (loaded: LoadedManifest) => number,
  { repositories, ...o }: Omit<ForeseeOptions, 'clock' | 'imageChain'> & { repositories: string[] },
  json?: JsonOutput,
): Promise<Pick<ReplayRecord, 'verdict' | 'gates'>[]> {
  const registries = new Registries({ tell: tellWaiting });
  const imageChain = (loaded: LoadedManifest): Promise<Digest[]> => chainOf(loaded, repositories, registries);
  const found = await foresee(manifests, { ...o, clock: systemClock, imageChain });
  if (json) json.list(found.map((one) => planOf(one, countOf(one.loaded))));
  else {
    for (const one of found) process.stdout.write(textOf(one, countOf(one.loaded)));
    process.stdout.write('nothing was run: --dry-run\n');
  }
  return found.map(({ verdict, lost }) => ({
    verdict: verdict ?? 'reproduced',
    gates: lost.map((name) => ({ name, threshold: true, value: false, pass: false })),
  }));
}
