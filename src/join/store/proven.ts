/** What the store can say about an artifact's build, and the source of each part. */
import type { Digest } from '../../base/digest.ts';
import type { Signer } from '../../evidence/documents/record.ts';
import type { Queries } from '../../store/sql/database.ts';

/** Names as the published view has them; null where it is unknown. */
export interface Proven {
  builder: string | null;
  builder_commit: string | null;
  compiler: string | null;
  compiler_from: string | null;
  compiler_flags: string | null;
  compiler_flags_from: string | null;
  /** Null: no evidence about it was accepted. */
  provenance_dsse: string | null;
  signers: Signer[] | null;
  signed_at: string | null;
  insertion_rekor_tile_ref: string | null;
}

/** Undefined where no such artifact was added. */
export async function provenOf(queries: Queries, sha256: Digest): Promise<Proven | undefined> {
  const [row] = await queries.query<Proven>(
    `SELECT builder, builder_commit, compiler, compiler_from, compiler_flags, compiler_flags_from, provenance_dsse,
       signers, signed_at, insertion_rekor_tile_ref
     FROM artifacts WHERE sha256 = $1`,
    [sha256],
  );
  return row;
}
