/** All that the library does, and so all that the command does: one interface a subject, docs/library.md made of them. */
import type { BundleDifferences } from '../bundle/diff/diff.ts';
import type { Unpacked } from '../bundle/extract/unpack.ts';
import type { BundleVerification } from '../bundle/verify/verify.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import type { JoinedFrame } from '../join/gap.ts';
import type { StoredArtifact, StoredSymbols, StoredTrace } from '../join/store/listing.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { AddedArtifact } from '../report/artifact.ts';
import type { Trace } from '../trace/model/trace.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { AddArtifactOptions } from './artifacts.ts';
import type { BundleSource, CreateBundleOptions, CreatedBundle } from './bundle-create.ts';
import type {
  AttachedBundle,
  CustodyEvent,
  CustodyEventOptions,
  StampBundleOptions,
} from './bundle-custody.ts';
import type { ExtractBundleOptions } from './bundle-extract.ts';
import type { BundleInspection } from './bundle-inspect.ts';
import type { RedactBundleOptions, RedactedBundle } from './bundle-redact.ts';
import type { PulledBundle, PushedBundle } from './bundle-registry.ts';
import type { ReplayBundleOptions, ReplayedBundle } from './bundle-replay.ts';
import type { VerifyBundleOptions } from './bundle-verify.ts';
import type { Captured, CaptureOptions } from './capture.ts';
import type { Examination } from './doctor.ts';
import type { PlannedRun } from './dry-run.ts';
import type { AddedTrace, FetchedSymbols, SymbolsOutcome } from './events.ts';
import type { FetchEvidenceOptions } from './evidence-fetch.ts';
import type { VerifyEvidenceOptions } from './evidence-verify.ts';
import type { DraftedManifest, ManifestSource } from './manifests.ts';
import type { DraftedPolicy, DraftPolicyOptions } from './policy-draft.ts';
import type { ExaminedPolicy } from './policy-examine.ts';
import type { Reproduced, ReproduceOptions } from './reproduce.ts';
import type { ReplayOptions } from './run.ts';
import type { SchemaName } from './schemas.ts';
import type { PolicyInput } from './session.ts';
import type { Attested, SignedEnvelope, SignOptions } from './sign.ts';
import type { StateDifferences } from './states.ts';
import type { ShownArtifact } from './stored.ts';
import type { AddSymbolsOptions } from './symbols-add.ts';
import type { FetchSymbolsOptions } from './symbols-fetch.ts';
import type { IdentifiedSymbols } from './symbols-identify.ts';
import type { VerifiedSymbols, VerifySymbolsOptions } from './symbols-verify.ts';
import type { ReadTraceOptions } from './trace-read.ts';
import type { AddTraceOptions, Audit, JoinOptions, TraceGaps } from './traces.ts';

/** Manifests, their replays, and what came of them. */
export interface ReplayMethods {
  /**
   * Reads replay manifests: files, folders, patterns, or manifests made in code, whose inputs are named from the
   * current folder.
   * @throws Fault `manifest_invalid` with everything that is wrong in any of them
   */
  loadManifests(inputs: ManifestSource | readonly ManifestSource[]): Promise<LoadedManifest[]>;
  /**
   * Replays manifests in their pinned sandboxes; the records come in the manifests' order. What is wrong with one
   * manifest, its image or its evidence is in its record (`verdict`, `reason`). An earlier run of the same manifest in
   * the same store that was cut off is resumed.
   * @throws Fault where nothing could start (`engine_unreachable`), and `interrupted`
   */
  run(inputs: ManifestSource | readonly ManifestSource[], options?: ReplayOptions): Promise<ReplayRecord[]>;
  /**
   * What a run of the same manifests and options would come to, as far as it is known before any sandbox; nothing is
   * pulled, started or written.
   * @throws Fault as `run` does, where no engine is needed for it
   */
  dryRun(inputs: ManifestSource | readonly ManifestSource[], options?: ReplayOptions): Promise<PlannedRun[]>;
  /**
   * Runs a command once in an image that is pinned by digest; what comes of it is a manifest that expects the same
   * final state, ending and crash.
   * @throws Fault `usage` where image, inputs or limits are not of their form
   */
  capture(options: CaptureOptions): Promise<Captured>;
  /**
   * Compares two records, or states by their digests.
   * @throws Fault `record_invalid` where the store does not hold one of them
   */
  compareStates(first: string, second: string): Promise<StateDifferences>;
}

/** Policies, evidence and signatures. */
export interface EvidenceMethods {
  /**
   * Verifies files of evidence, and folders of a log, offline, under a policy that names who may sign. A refusal is in
   * the record (`verdict`, `code`, `message`), never thrown.
   * @throws Fault `usage` where nothing says what it should be evidence about, `policy_invalid`
   */
  verifyEvidence(paths: string | readonly string[], options?: VerifyEvidenceOptions): Promise<EvidenceRecord>;
  /**
   * Gets a log's proof of one entry (its index, or `rekor:…`), verifies it and keeps it where runs look; gives the
   * reference for a manifest's `rekor_tile_ref`.
   * @throws Refusal where the log's answer proves nothing, Fault `log_unreachable`
   */
  fetchEvidence(entry: string, options: FetchEvidenceOptions): Promise<string>;
  /**
   * Signs a file with a team's own key, or a manifest with all it claims, which then names its envelope.
   * @throws Fault `usage` for what is no key, `manifest_invalid`
   */
  sign(file: string, options: SignOptions): Promise<SignedEnvelope>;
  /** Signs the verdict of a record.json as an in-toto test result. */
  attest(file: string, options: Omit<SignOptions, 'provenance'>): Promise<Attested>;
  /** A manifest of this name to fill in; it is not written anywhere. */
  draftManifest(name: string): Promise<DraftedManifest>;
  /** The digest that evidence about a manifest must name, of each manifest. */
  manifestSubjects(inputs: ManifestSource | readonly ManifestSource[]): Promise<string[]>;
  /**
   * Loads a policy with all that it names, and puts it in words.
   * @throws Fault `policy_invalid`
   */
  examinePolicy(policy?: PolicyInput): Promise<ExaminedPolicy>;
  /** A policy that accepts exactly the signer of an example, or the holder of a key; it is not written anywhere. */
  draftPolicy(example: string | undefined, options?: DraftPolicyOptions): Promise<DraftedPolicy>;
  /** What replays can rely on here, what degrades, and what works in any case; what is missing is a finding. */
  doctor(options?: Pick<ReplayOptions, 'without'>): Promise<Examination>;
  /** The JSON Schema of a format. */
  schema(name: SchemaName): Promise<Record<string, unknown>>;
}

/** Audit bundles: a record, or a trace, and all it rests on, in one file. */
export interface BundleMethods {
  /**
   * Packs a record (its path, the folder it is in, or itself), or the latest reproduction of a stored trace, into a
   * bundle at `path`, where nothing may be yet.
   * @throws Fault `record_invalid` where the store lacks something of it, `out_failed`
   */
  createBundle(path: string, source: BundleSource, options?: CreateBundleOptions): Promise<CreatedBundle>;
  /**
   * Verifies a bundle offline. What is wrong with it is in the result (`accepted`, `problems`), never thrown.
   * @throws Fault `policy_invalid`, `usage` where the reader's own policy, trust root or receipts cannot be used
   */
  verifyBundle(path: string, options?: VerifyBundleOptions): Promise<BundleVerification>;
  /**
   * Replays a bundle's record from the bundle alone and compares the states; nothing of it is left afterwards.
   * @throws Refused where the bundle is not accepted
   */
  replayBundle(path: string, options?: ReplayBundleOptions): Promise<ReplayedBundle>;
  /**
   * What a bundle says it is, and the index of what is in it; form and digests are checked, and nothing else.
   * @throws Refused where it cannot be read to its end
   */
  inspectBundle(path: string): Promise<BundleInspection>;
  /** Unpacks what is inside into a folder, under names that people can read; form and digests are checked. */
  extractBundle(path: string, to: string, options?: ExtractBundleOptions): Promise<Unpacked>;
  /** In what two bundles differ. */
  diffBundles(first: string, second: string): Promise<BundleDifferences>;
  /** A new bundle, signed, without what the patterns name; it names the one it was made of. */
  redactBundle(path: string, options: RedactBundleOptions): Promise<RedactedBundle>;
  /** Signs an event: who had the bundle in hand, and what was done. Its identity stays. */
  addCustodyEvent(path: string, options: CustodyEventOptions): Promise<CustodyEvent>;
  /** Attaches the reply of a timestamp authority (RFC 3161). Its identity stays. */
  stampBundle(path: string, options: StampBundleOptions): Promise<AttachedBundle>;
  /**
   * Pushes a bundle to `HOST/REPOSITORY[:TAG]`.
   * @throws Fault `registry_unreachable`, `registry_denied`
   */
  pushBundle(path: string, to: string): Promise<PushedBundle>;
  /**
   * Pulls the bundle `HOST/REPOSITORY@sha256:…` to `path`, with what was attached to it since, and verifies it.
   * @throws Fault `bundle_not_found`, `registry_mismatch`
   */
  pullBundle(from: string, path: string): Promise<PulledBundle>;
}

/** Stack traces, the symbols that name their frames, and the artifacts that these were shipped in. */
export interface TraceMethods {
  /**
   * Reads a trace file, whatever form it has (docs/traces.md); nothing in it is believed, and nothing is kept.
   * @throws Fault `trace_invalid`
   */
  readTrace(path: string, options?: ReadTraceOptions): Promise<Trace>;
  /**
   * Adds trace files to the store, each by the digest of its content, and names what it can of them.
   * @throws Fault `trace_invalid`, `store_failed`; files before the one that is refused are kept
   */
  addTrace(paths: string | readonly string[], options?: AddTraceOptions): Promise<AddedTrace[]>;
  /**
   * The traces of the store, in the order in which they were added.
   * @throws Fault `store_unknown` where there is no store
   */
  traces(): Promise<StoredTrace[]>;
  /**
   * A stored trace, by its id or the beginning of one, read again from the file that it was added from.
   * @throws Fault `store_unknown` where there is no such trace
   */
  storedTrace(traceId: string, options?: ReadTraceOptions): Promise<Trace>;
  /**
   * Joins a stored trace, by its id or the beginning of one, to symbols, artifacts and who signed those, and judges
   * the gates.
   * @throws Fault `store_unknown` where there is no such trace
   */
  audit(traceId: string, options?: JoinOptions): Promise<Audit>;
  /** What keeps frames of a stored trace from being joined, and what helps. */
  gaps(traceId: string, options?: JoinOptions): Promise<TraceGaps>;
  /**
   * Replays a stored trace with full determinism and compares the stacks of the thread that crashed.
   * @throws Fault `store_unknown` where there is no such trace
   */
  reproduce(traceId: string, options?: ReproduceOptions): Promise<Reproduced>;
  /** The functions of joined frames as people wrote them, by their names in the symbols. */
  functionNames(frames: readonly JoinedFrame[]): Promise<Map<string, string>>;
  /** What names the build that each file is of; one that cannot be read is in the result, with a code. */
  identifySymbols(paths: readonly string[]): Promise<IdentifiedSymbols[]>;
  /** Adds symbol files, and those of folders, each only with an accepted attestation of exactly its bytes. */
  addSymbols(paths: string | readonly string[], options: AddSymbolsOptions): Promise<SymbolsOutcome[]>;
  /**
   * Asks one debuginfod server for the debug information of builds; it is no evidence.
   * @throws Fault `symbols_unreachable`
   */
  fetchSymbols(builds: readonly string[], options: FetchSymbolsOptions): Promise<FetchedSymbols[]>;
  /** Verifies the attestations of a symbol file; a refusal is in the record. */
  verifySymbols(file: string, options?: VerifySymbolsOptions): Promise<VerifiedSymbols>;
  /** The symbol files of the store, by name; of one name, the best first. */
  symbolFiles(): Promise<StoredSymbols[]>;
  /**
   * A stored symbol file, by its file, its digest, its build-id, or at least six digits of one of them.
   * @throws Fault `store_unknown` where there is no such file
   */
  symbolFile(given: string): Promise<StoredSymbols>;
  /** The artifacts of the store that were added themselves, by name. */
  artifacts(): Promise<StoredArtifact[]>;
  /**
   * A stored artifact, also one that lies in another, by its file, its digest, or at least six digits of that, with
   * what lies in it.
   * @throws Fault `store_unknown` where there is no such artifact
   */
  artifact(given: string): Promise<ShownArtifact>;
  /** Adds a file, a Debian package or an image (`REPOSITORY@sha256:…`), with every program in it and its evidence. */
  addArtifact(what: string, options?: AddArtifactOptions): Promise<AddedArtifact>;
  /** Adds an image with the attestations that its registry holds. */
  fetchArtifact(what: string, options?: Omit<AddArtifactOptions, 'evidence'>): Promise<AddedArtifact>;
}

/** An opened library. Every method throws a ReenactError for what can be expected to go wrong. */
export interface Reenact extends ReplayMethods, EvidenceMethods, BundleMethods, TraceMethods {}
