/** Proposes a replay manifest for a trace that came without one: the program it crashed in, started from the image's files. */

import { isDigest } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import type { Manifest } from '../../manifest/definition.ts';
import type { Queries } from '../../store/sql/database.ts';
import type { TraceRow } from './join.ts';
import { shipmentOf } from './replays.ts';

const REFERENCE = /^(.+)@(sha256:[0-9a-f]{64})$/;

/**
 * Undefined where none of the trace's files lies in a container image that the store knows. Arguments and inputs are
 * in no trace: a proposal starts the outermost program of ours by its path, and a person adds what it needs.
 */
export async function proposeManifest(queries: Queries, trace: TraceRow): Promise<Manifest | undefined> {
  const shipment = await shipmentOf(queries, trace.trace_id);
  const [, repository, digest] = REFERENCE.exec(shipment?.image ?? '') ?? [];
  if (!shipment || digest === undefined || !isDigest(digest)) return undefined;
  const path = `/${shipment.path.replace(/^\/+/, '')}`;
  return {
    harness_version: '1',
    os: 'linux',
    name: `proposed for ${trace.trace_id.slice(0, 19)}`,
    sandbox_image: present(repository),
    sandbox_image_sha256: digest,
    seed: 1,
    run_instructions: `'${path.replaceAll("'", `'"'"'`)}'`,
    ...(trace.signal === null ? {} : { expect: { signal: trace.signal } }),
  };
}
