/** The library: openReenact is the one door, and what the command is built on; docs/library.md describes it. */
/// <reference types="node" preserve="true" />

export { Fault, ReenactError } from './base/fault.ts';
export { PATIENCE } from './base/patience.ts';
export { Refused } from './bundle/format/refused.ts';
export { parsePublicKey } from './evidence/common/keys.ts';
export { Refusal } from './evidence/common/refusal.ts';
export { verifyCustody } from './evidence/custody/custody.ts';
export { parseEnvelope } from './evidence/documents/dsse.ts';
export { evidenceRecordSchema } from './evidence/documents/record.ts';
export { parseStatement } from './evidence/documents/statement.ts';
export { connectEngine } from './library/engine.ts';
export { openReenact } from './library/open.ts';
export type * from './library/types.ts';
export { manifestSchema } from './manifest/definition.ts';
export { loadManifests } from './manifest/load.ts';
export { parseManifest } from './manifest/parse.ts';
export { manifestSubject } from './manifest/subject.ts';
export { loadPolicy, parsePolicy } from './policy/policy.ts';
export { runManifests } from './reenact.ts';
export { connectDocker } from './sandbox/docker.ts';
export { findEndpoint } from './sandbox/endpoint.ts';
export { diffStates } from './state/diff.ts';
export { BlobStore } from './store/blobs.ts';
export { recordSchema } from './verdict/record.ts';
