/** The one door: openReenact gives an object that does all that the command does, and what the command is built on. */
import type { Reenact } from './reenact.ts';
import { type OpenOptions, Session } from './session.ts';

/** Opens the library. Nothing is read, written or connected to before a method needs it; there is nothing to close. */
export function openReenact(options: OpenOptions = {}): Reenact {
  const session = new Session(options);
  // Modules are loaded by the first call that needs them: a verifier must not wait for an engine's library.
  return {
    loadManifests: async (inputs) => (await import('./manifests.ts')).loadAll(session, inputs),
    run: async (inputs, o) => (await import('./run.ts')).run(session, inputs, o),
    dryRun: async (inputs, o) => (await import('./dry-run.ts')).dryRun(session, inputs, o),
    capture: async (o) => (await import('./capture.ts')).capture(session, o),
    compareStates: async (first, second) =>
      (await import('./states.ts')).compareStates(session, first, second),

    verifyEvidence: async (paths, o) =>
      (await import('./evidence-verify.ts')).verifyEvidence(session, paths, o),
    fetchEvidence: async (entry, o) => (await import('./evidence-fetch.ts')).fetchEvidence(session, entry, o),
    sign: async (file, o) => (await import('./sign.ts')).sign(file, o),
    attest: async (file, o) => (await import('./sign.ts')).attest(file, o),
    draftManifest: async (name) => (await import('./manifests.ts')).draft(name),
    manifestSubjects: async (inputs) => (await import('./manifests.ts')).subjects(session, inputs),
    examinePolicy: async (policy) => (await import('./policy-examine.ts')).examinePolicy(session, policy),
    draftPolicy: async (example, o) => (await import('./policy-draft.ts')).draftPolicy(example, o),
    doctor: async (o) => (await import('./doctor.ts')).doctor(session, o),
    schema: async (name) => (await import('./schemas.ts')).schema(name),

    createBundle: async (path, source, o) =>
      (await import('./bundle-create.ts')).createBundle(session, path, source, o),
    verifyBundle: async (path, o) => (await import('./bundle-verify.ts')).verifyBundle(session, path, o),
    replayBundle: async (path, o) => (await import('./bundle-replay.ts')).replayBundle(session, path, o),
    inspectBundle: async (path) => (await import('./bundle-inspect.ts')).inspectBundle(path),
    extractBundle: async (path, to, o) => (await import('./bundle-extract.ts')).extractBundle(path, to, o),
    diffBundles: async (first, second) => (await import('./bundle-diff.ts')).diffBundles(first, second),
    redactBundle: async (path, o) => (await import('./bundle-redact.ts')).redactBundle(session, path, o),
    addCustodyEvent: async (path, o) => (await import('./bundle-custody.ts')).addCustodyEvent(path, o),
    stampBundle: async (path, o) => (await import('./bundle-custody.ts')).stampBundle(path, o),
    pushBundle: async (path, to) => (await import('./bundle-registry.ts')).pushBundle(session, path, to),
    pullBundle: async (from, path) => (await import('./bundle-registry.ts')).pullBundle(session, from, path),

    readTrace: async (path, o) => (await import('./trace-read.ts')).readTrace(path, o),
    addTrace: async (paths, o) => (await import('./traces.ts')).addTrace(session, paths, o),
    traces: async () => (await import('./stored.ts')).traces(session),
    storedTrace: async (traceId, o) => (await import('./stored.ts')).storedTrace(session, traceId, o),
    audit: async (traceId, o) => (await import('./traces.ts')).audit(session, traceId, o),
    gaps: async (traceId, o) => (await import('./traces.ts')).gaps(session, traceId, o),
    reproduce: async (traceId, o) => (await import('./reproduce.ts')).reproduce(session, traceId, o),
    functionNames: async (frames) => (await import('./joined.ts')).functionNames(frames),
    identifySymbols: async (paths) => (await import('./symbols-identify.ts')).identifySymbols(paths),
    addSymbols: async (paths, o) => (await import('./symbols-add.ts')).addSymbols(session, paths, o),
    fetchSymbols: async (builds, o) => (await import('./symbols-fetch.ts')).fetchSymbols(session, builds, o),
    verifySymbols: async (file, o) => (await import('./symbols-verify.ts')).verifySymbols(session, file, o),
    symbolFiles: async () => (await import('./stored.ts')).symbolFiles(session),
    symbolFile: async (given) => (await import('./stored.ts')).symbolFile(session, given),
    artifacts: async () => (await import('./stored.ts')).artifacts(session),
    artifact: async (given) => (await import('./stored.ts')).artifact(session, given),
    addArtifact: async (what, o) => (await import('./artifacts.ts')).addArtifact(session, what, o),
    fetchArtifact: async (what, o) => (await import('./artifacts.ts')).fetchArtifact(session, what, o),
  };
}
