/** The images a file belongs to, by the ids that the linker wrote into it. */

import { type Digest, hexOf } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import type { Image } from '../../objects/common/identity.ts';
import type { Queries } from '../../store/sql/database.ts';

/**
 * A program is known by its own id; on Windows by that of the PDB it names, since traces use that one; and by its
 * digest, where the maker of the trace could not read the id and hashed the file.
 */
export function idsOf({ id, pdb }: Image, sha256: Digest): { id: string; derived: boolean }[] {
  const bytes = { id: `sha256:${hexOf(sha256)}`, derived: id !== null };
  return [
    ...(id === null ? [] : [{ id, derived: false }]),
    bytes,
    ...(pdb === null ? [] : [{ id: pdb, derived: true }]),
  ];
}

/** The number of the image with this id, its addresses counted from its lowest one; a debug id that was not known yet is added. */
export async function internImage(queries: Queries, id: string, debugId: string | null): Promise<number> {
  const [row] = await queries.query<{ image: number }>(
    `INSERT INTO image (id, debug_id) VALUES ($1, $2)
     ON CONFLICT (id, basis) DO UPDATE SET debug_id = COALESCE(EXCLUDED.debug_id, image.debug_id) RETURNING image`,
    [id, debugId],
  );
  return present(row).image;
}
