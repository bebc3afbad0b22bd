/** Adds a trace to the contents of a bundle: its joined frames, and every file that they rest on. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { Fault } from '../../base/fault.ts';
import { type Problem, showProblem } from '../../base/json.ts';
import { type JoinDocument, joinShape } from '../../join/document.ts';
import { type Policy, policyFiles } from '../../policy/policy.ts';
import type { BlobStore } from '../../store/blobs.ts';
import { STORED_BYTES } from '../../trace/model/stored.ts';
import { type Collected, Collector } from './collect.ts';

/** A document that every reader would refuse is not written. */
function bytesOf(join: JoinDocument): Buffer {
  const problems: Problem[] = [];
  joinShape.check(join, '$', problems);
  const bytes = Buffer.from(canonicalJson(join));
  if (bytes.length > STORED_BYTES)
    problems.push({ path: '$', message: `has ${bytes.length} bytes, at most ${STORED_BYTES} are read` });
  if (problems.length > 0)
    throw new Fault(
      'out_failed',
      `no bundle can hold the frames of ${join.trace_id}: ${problems.slice(0, 3).map(showProblem).join('; ')}`,
    );
  return bytes;
}

/** The same collection with the trace in it; `policy` is the one that the frames were judged by. */
export function withTrace(
  collected: Collected,
  blobs: BlobStore,
  join: JoinDocument,
  policy: Policy,
): Collected {
  const c = new Collector(blobs, collected.sources);
  c.blob('trace', join.trace_id, 'trace.json');
  c.bytes('join', bytesOf(join), 'join.json');
  c.blob('trace-source', join.source_sha256);
  for (const { sha256, file_sha256, name } of join.symbols)
    for (const one of new Set([sha256, file_sha256])) c.blob('symbols', one, name.slice(0, 1024));
  for (const { evidence } of [...join.symbols, ...join.artifacts])
    for (const { files } of evidence) for (const one of files) c.blob('trace-evidence', one);
  for (const { record_sha256 } of join.earlier) c.blob('reproduction', record_sha256);
  c.bytes('policy', Buffer.from(policy.canonical), policy.name);
  for (const { bytes } of policyFiles(policy)) c.bytes('policy-file', bytes);
  return { ...collected, sources: c.sources, join };
}
