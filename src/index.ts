/** The library: what the command is made of, for programs that replay on their own. */

export type { Digest } from './base/digest.ts';
export { Fault, type FaultCode } from './base/fault.ts';
export { verifyCustody } from './evidence/custody.ts';
export { type Envelope, matchSignatures, parseEnvelope } from './evidence/dsse.ts';
export { type PublicKey, parsePublicKey } from './evidence/keys.ts';
export { type EvidenceRecord, evidenceRecordSchema } from './evidence/record.ts';
export { Refusal, type RefusalCode } from './evidence/refusal.ts';
export { parseStatement, type Statement } from './evidence/statement.ts';
export { type Wanted, wantDigest } from './evidence/subject.ts';
export { loadTrust, Trust } from './evidence/trust.ts';
export { type SourceFile, verifyEvidence } from './evidence/verify.ts';
export { type Manifest, manifestSchema } from './manifest/definition.ts';
export { type LoadedManifest, loadManifests } from './manifest/load.ts';
export { type ParsedManifest, parseManifest } from './manifest/parse.ts';
export { manifestSubject } from './manifest/subject.ts';
export { loadPolicy, type Policy, parsePolicy } from './policy/policy.ts';
export { type RunOptions, runManifests } from './reenact.ts';
export type { RunEvent } from './replay/events.ts';
export { connectDocker } from './sandbox/docker.ts';
export { findEndpoint } from './sandbox/endpoint.ts';
export type { Engine } from './sandbox/port.ts';
export { type Difference, diffStates } from './state/diff.ts';
export type { FinalState } from './state/final-state.ts';
export { BlobStore } from './store/blobs.ts';
export { type ReplayRecord, recordSchema } from './verdict/record.ts';
