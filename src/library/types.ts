/** Every type that a signature of the library uses, so that a consumer can name what it holds; a test holds the list to that. */

export type { Unread } from '../artifacts/unpacking.ts';
export type { Clock } from '../base/clock.ts';
export type { Digest } from '../base/digest.ts';
export type { FaultCode } from '../base/fault.ts';
export type { Lost } from '../base/function-name.ts';
export type { Parsed, Problem } from '../base/json.ts';
export type { Other, Patience, PatienceLimits, Turn, Wait, Waiting } from '../base/patience.ts';
export type { Action, EventClaim, Receipt } from '../bundle/custody/event.ts';
export type { BundleDifferences, Difference as BundleDifference } from '../bundle/diff/diff.ts';
export type { Unpacked } from '../bundle/extract/unpack.ts';
export type { CaseDocument, ContentRole, Item, Role, Withheld } from '../bundle/format/format.ts';
export type { BundleCode } from '../bundle/format/refused.ts';
export type { Problems } from '../bundle/read/contents.ts';
export type { Demanded, SignedBy } from '../bundle/verify/reader-policy.ts';
export type { TraceVerification } from '../bundle/verify/trace-checks.ts';
export type { BundleVerification } from '../bundle/verify/verify.ts';
export type { StateContents } from '../bundle/write/collect.ts';
export type { Algorithm, PublicKey } from '../evidence/common/keys.ts';
export type { Family, RefusalCode } from '../evidence/common/refusal.ts';
export type { CustodyPlace } from '../evidence/custody/custody.ts';
export type { Envelope, EnvelopeSignature } from '../evidence/documents/dsse.ts';
export type {
  CheckName,
  CheckResult,
  EnvelopeRecord,
  EvidenceRecord,
  LogFact,
  RequirementRecord,
  Signer,
} from '../evidence/documents/record.ts';
export type { SignedSubject, SigningKey } from '../evidence/documents/sign.ts';
export type { Statement, Subject } from '../evidence/documents/statement.ts';
export type { SubjectResult } from '../evidence/documents/subject.ts';
export type { FramePair, ReproductionVerdict } from '../join/compare.ts';
export type {
  Build,
  JoinDocument,
  JoinFrame,
  JoinProof,
  JoinReproduction,
  JoinShipped,
  JoinSymbols,
} from '../join/document.ts';
export type { GapCode, JoinArtifact, JoinBundle, JoinEvidence, JoinedFrame, NearMiss } from '../join/gap.ts';
export type { Gap } from '../join/gaps.ts';
export type { Reproduction } from '../join/reproduction.ts';
export type { ShippedKind } from '../join/store/artifacts.ts';
export type { TraceRow } from '../join/store/join.ts';
export type {
  StoredArtifact,
  StoredContent,
  StoredSymbols,
  StoredTrace,
  Vouched,
} from '../join/store/listing.ts';
export type { Proven } from '../join/store/proven.ts';
export type { AddedBundle } from '../join/store/symbol-files.ts';
export type {
  CrashKind,
  CrashSignature,
  ExpectedCrash,
  FaultKind,
  FunctionsId,
  SignatureId,
} from '../manifest/crash-signature.ts';
export type { Determinism, Manifest, ManifestInput } from '../manifest/definition.ts';
export type { LoadedManifest } from '../manifest/load.ts';
export type { ParsedManifest } from '../manifest/parse.ts';
export type { Feature, Image, Layout, ObjectFile } from '../objects/common/identity.ts';
export type { SourcePlace } from '../objects/common/source-place.ts';
export type { Fetched } from '../objects/debuginfod.ts';
export type { Producer, Producers } from '../objects/dwarf/producer.ts';
export type { GoBuild } from '../objects/go/build-id.ts';
export type { Lack as SymbolLack, Level as SymbolLevel, Quality } from '../objects/quality.ts';
export type { CertificateField, CertificateFields } from '../policy/certificate-fields.ts';
export type { Policy, PolicyFile, PolicyRoot, ReadPolicyFile } from '../policy/policy.ts';
export type {
  Authority,
  Custody,
  Gates,
  ImageCheck,
  KeyFile,
  Keyless,
  LogTrust,
  PolicyDocument,
  Requirement,
  RootTrust,
  SameCrash,
  SubjectField,
  Transparency,
} from '../policy/shape.ts';
export type { RunEvent } from '../replay/events.ts';
export type { Foreseen } from '../replay/foresee.ts';
export type { RunOptions } from '../replay/options.ts';
export type { AddedArtifact } from '../report/artifact.ts';
export type { ImageChain, Platform } from '../sandbox/chain.ts';
export type { CodePlace as CrashPlace, Crash, CrashedProcess, CrashModule } from '../sandbox/crash.ts';
export type { Endpoint } from '../sandbox/endpoint.ts';
export type {
  AttachedStreams as ContainerStreams,
  ContainerFacts,
  ContainerLimits,
  ContainerSpec,
  Engine,
  EngineFacts,
  ImageFacts,
  OnOutput,
  OverlayFolders,
  Owned,
  VolumeMount,
} from '../sandbox/engine.ts';
export type { Event as LoggedEvent } from '../sandbox/event-log.ts';
export type { Harness } from '../sandbox/harness.ts';
export type { ImageSources } from '../sandbox/image.ts';
export type { DeterminismChoice, Mechanism } from '../sandbox/mechanisms.ts';
export type { Processor } from '../sandbox/processor.ts';
export type { Registries } from '../sandbox/registry.ts';
export type { Ended } from '../sandbox/run.ts';
export type { CaptureWay } from '../state/capture.ts';
export type { Difference } from '../state/diff.ts';
export type { FinalState, PathChange, PathType, Printed } from '../state/final-state.ts';
export type { FrameFacts, WalkFacts } from '../trace/model/frame-facts.ts';
export type {
  Frame,
  FrameTrust as UnwindTrust,
  Thread,
  Trace,
  TraceImage,
  WalkEnd,
} from '../trace/model/trace.ts';
export type { RawReplay } from '../verdict/decide.ts';
export type { Desync } from '../verdict/desync.ts';
export type { Claim, GateResult, ReplayRecord, Verdict } from '../verdict/record.ts';
export type { Outcome, ReplayResult } from '../verdict/replay-result.ts';
export type { CrashSummary } from '../verdict/same-crash.ts';
export type { AddArtifactOptions } from './artifacts.ts';
export type { BundleSource, CreateBundleOptions, CreatedBundle } from './bundle-create.ts';
export type {
  AttachedBundle,
  AttachOptions,
  CustodyEvent,
  CustodyEventOptions,
  StampBundleOptions,
} from './bundle-custody.ts';
export type { ExtractBundleOptions } from './bundle-extract.ts';
export type { BundleInspection, RoleSums } from './bundle-inspect.ts';
export type { RedactBundleOptions, RedactedBundle } from './bundle-redact.ts';
export type { PulledBundle, PushedBundle } from './bundle-registry.ts';
export type { ReplayBundleOptions, ReplayedBundle } from './bundle-replay.ts';
export type { VerifyBundleOptions } from './bundle-verify.ts';
export type { Captured, CaptureOptions } from './capture.ts';
export type { Examination, Finding } from './doctor.ts';
export type { PlannedRun } from './dry-run.ts';
export type { AddedTrace, FetchedSymbols, ReenactEvent, SymbolsOutcome } from './events.ts';
export type { FetchEvidenceOptions } from './evidence-fetch.ts';
export type { VerifyEvidenceOptions } from './evidence-verify.ts';
export type { DraftedManifest, ManifestSource } from './manifests.ts';
export type { DraftedPolicy, DraftPolicyOptions } from './policy-draft.ts';
export type { ExaminedPolicy } from './policy-examine.ts';
export type { BundleMethods, EvidenceMethods, Reenact, ReplayMethods, TraceMethods } from './reenact.ts';
export type { Reproduced, ReproduceOptions, ReproductionCase } from './reproduce.ts';
export type { ReplayOptions } from './run.ts';
export type { SchemaName } from './schemas.ts';
export type { OpenOptions, PolicyInput } from './session.ts';
export type { Attested, SignedEnvelope, SignOptions } from './sign.ts';
export type { KeyInput } from './signing-key.ts';
export type { StateDifferences } from './states.ts';
export type { ShownArtifact } from './stored.ts';
export type { AddSymbolsOptions } from './symbols-add.ts';
export type { FetchSymbolsOptions } from './symbols-fetch.ts';
export type { Built, IdentifiedImage, IdentifiedSymbols } from './symbols-identify.ts';
export type { VerifiedSymbols, VerifySymbolsOptions } from './symbols-verify.ts';
export type { ReadTraceOptions } from './trace-read.ts';
export type {
  AddTraceOptions,
  Audit,
  JoinOptions,
  TraceGaps,
} from './traces.ts';
