/** Makes one manifest ready to replay: inputs checked, image present, sandbox proven, baseline read. */
import { existsSync, readFileSync } from 'node:fs';

import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { DEFAULTS } from '../base/limits.ts';
import type { Determinism, Manifest } from '../manifest/definition.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { mechanismsWanted } from '../policy/policy.ts';
import type { ImageChain } from '../sandbox/chain.ts';
import { ensureImage, type ImageSources, resolveImage } from '../sandbox/image.ts';
import { judgeMechanisms, mechanismsOf, withoutWhatLacks } from '../sandbox/mechanisms.ts';
import { judgeProbe, parseObserved } from '../sandbox/probe.ts';
import { runContainer } from '../sandbox/run.ts';
import { tarOf } from '../sandbox/volume.ts';
import { type CaptureContext, readBaseline } from '../state/capture.ts';
import type { RunContext } from './context.ts';
import { copyInputs } from './inputs.ts';
import { type Plan, planReplay, programOf, withSeed } from './plan.ts';
import { createHelper, prepareImage } from './prepare-image.ts';
import type { Made, Prepared, Probed } from './prepared.ts';
import { createSandbox } from './sandbox.ts';

function hostHasSwap(): boolean {
  return existsSync('/proc/swaps') && readFileSync('/proc/swaps', 'utf8').trim().split('\n').length > 1;
}

async function runProbe(
  c: RunContext,
  made: Made,
  capture: CaptureContext,
  program: string | undefined,
): Promise<Probed> {
  const { plan, preparedImage } = made;
  const args = ['--probe', ...plan.determinism, '--', ...(program ? [program] : [])];
  const idle = await createSandbox(c, made, args);
  const o = { store: c.store, timeoutMs: 60_000, outputBytes: 1 << 20, signal: c.signal };
  const ending = await runContainer(c.engine, idle.id, o);
  const report = await c.store.get(ending.stdout.sha256);
  if (ending.exitCode !== 0 || !report)
    throw new Fault('sandbox_not_enforced', `the probe of the sandbox ended with ${ending.ended}`);
  const observed = parseObserved(report);
  const degraded = judgeProbe(observed, { ...plan, hasCase: made.caseVolume !== undefined }, hostHasSwap());
  for (const path of preparedImage.image.volumes)
    degraded.push(`what is written to the image’s volume ${path} is not captured`);
  const mechanisms = plan.determinism.length > 0 ? mechanismsOf(observed.mechanisms) : null;
  if (mechanisms) degraded.push(...judgeMechanisms(mechanisms, mechanismsWanted(c.policy.gates)));
  const baseline = await readBaseline(capture, idle);
  await c.scope.discard(idle.id);
  return { baseline, observed, degraded, mechanisms };
}

/** Manifests that ask for the very same sandbox share one probe, since it would prove the same. */
function probe(c: RunContext, made: Made, capture: CaptureContext): Promise<Probed> {
  const { plan, preparedImage } = made;
  const program = programOf(plan.argv, [...preparedImage.image.entrypoint, ...preparedImage.image.cmd]);
  const key = canonicalJson([
    plan.user,
    plan.limits,
    made.caseVolume !== undefined,
    program ?? null,
    plan.env.PATH ?? null,
    plan.determinism,
  ]);
  const known = preparedImage.probes.get(key);
  if (known) return known;
  const running = runProbe(c, made, capture, program);
  preparedImage.probes.set(key, running);
  return running;
}

/** The manifest chooses first; the options of the run override it. */
export function determinismOf(c: Pick<RunContext, 'determinism'>, manifest: Manifest): Determinism {
  return c.determinism.mode ?? manifest.determinism ?? DEFAULTS.determinism;
}

function imageSources(c: RunContext, manifest: Manifest): ImageSources {
  const named = manifest.sandbox_image ? [manifest.sandbox_image] : c.repositories;
  const repositories = c.onlyRepositories ?? named;
  const architecture = { x86_64: 'amd64', aarch64: 'arm64' }[c.facts.architecture] ?? c.facts.architecture;
  return {
    engine: c.engine,
    store: c.imageStore,
    repositories,
    registries: c.registries,
    platform: { os: 'linux', architecture },
    ...(c.imageArchive ? { archive: c.imageArchive } : {}),
  };
}

/** Every digest the image is known by, from documents we hashed; they are kept, so that the record can be checked. */
async function keepDocuments(c: RunContext, chain: ImageChain): Promise<Digest[]> {
  const digests = [chain.requested, chain.manifest, chain.config];
  for (const digest of digests) {
    const bytes = await c.imageStore.get(digest);
    if (bytes) await c.store.put(bytes);
  }
  return digests;
}

/** Every digest the image is known by; nothing is pulled. */
export async function imageDigests(c: RunContext, manifest: Manifest): Promise<Digest[]> {
  const { chain } = await resolveImage(manifest.sandbox_image_sha256, imageSources(c, manifest));
  return keepDocuments(c, chain);
}

/** Throws a Fault for a manifest of another system than engines here replay. */
export function assertReplays({ os }: Manifest): void {
  if (os !== 'linux')
    throw new Fault('unsupported_platform', `the manifest is for ${os}; this engine replays linux`);
}

/** Checks everything that must be right before the first replay; throws a Fault that names what is not. */
export async function prepare(c: RunContext, loaded: LoadedManifest, checkImage: boolean): Promise<Prepared> {
  const { manifest } = loaded;
  assertReplays(manifest);
  const files = await copyInputs(loaded.folder, manifest.inputs ?? [], c.store);
  const image = await ensureImage(manifest.sandbox_image_sha256, imageSources(c, manifest), c.signal);
  await keepDocuments(c, image);
  const preparedImage = await prepareImage(c, image, checkImage);
  let caseVolume: string | undefined;
  if (files.length > 0) {
    caseVolume = await c.scope.volume('case');
    const helper = await createHelper(c, image, caseVolume, '/case');
    await c.engine.putArchive(helper, '/case', tarOf(files));
    await c.scope.discard(helper);
  }
  const mode = determinismOf(c, manifest);
  const { without, seeds } = c.determinism;
  const chaos = mode === 'full' && (seeds !== undefined || manifest.schedule === 'chaos');
  const made = { plan: planReplay(loaded, image.env, { mode, without, chaos }), preparedImage, caseVolume };
  const capture: CaptureContext = {
    engine: c.engine,
    way: preparedImage.way,
    scanner: c.harness.scanner,
    store: c.store,
    state: manifest.state,
  };
  const probed = await probe(c, made, capture);
  const lacking = withoutWhatLacks(probed.mechanisms ?? [], without);
  const decided = { mode, without: lacking, chaos };
  const planFor = (seed: number): Plan => planReplay(withSeed(loaded, seed), image.env, decided);
  return { ...made, capture, ...probed, chaos, planFor };
}
