/** Files that symbols need beside them: the rests of split units (.dwo, .dwp), and what dwz moved out of several into one. */

import type { Digest } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import type { Image } from '../../objects/common/identity.ts';
import type { SplitUnits } from '../../objects/dwarf/split-units.ts';
import { qualityOf } from '../../objects/quality.ts';
import type { Queries } from '../../store/sql/database.ts';
import { pieces } from '../../store/sql/rows.ts';

const PIECE = 10_000;
/** The most .dwo files of one program: larger programs pack them into one file with dwp. */
const MOST_SPLIT = 2000;

/** Keeps which units a symbol file wants and holds. */
export async function keepUnits(queries: Queries, bundle: number, units: SplitUnits): Promise<void> {
  for (const [ids, held] of [
    [units.wanted, false],
    [units.held, true],
  ] as const)
    for (const piece of pieces(ids, PIECE))
      await queries.query(
        'INSERT INTO split_unit (bundle, id, held) SELECT $1, id, $2 FROM unnest($3::text[]) AS n (id) ON CONFLICT DO NOTHING',
        [bundle, held, piece],
      );
}

export interface Companions {
  /** Each once; a .dwp file alone, or .dwo files. */
  split: Digest[];
  shared: Digest | null;
  /** Units whose other half is in none of the files. */
  missing: number;
}

/** What the store has of the files that a symbol file needs. */
export async function companionsOf(queries: Queries, bundle: number): Promise<Companions> {
  const units = await queries.query<{ sha256: Digest | null; held: number }>(
    `SELECT h.sha256, count(*)::int AS held FROM split_unit w LEFT JOIN LATERAL (
       SELECT b.sha256 FROM split_unit u JOIN bundle b USING (bundle) WHERE u.id = w.id AND u.held
       ORDER BY (SELECT count(*) FROM split_unit o WHERE o.bundle = b.bundle) DESC, b.bundle LIMIT 1
     ) h ON true WHERE w.bundle = $1 AND NOT w.held GROUP BY h.sha256 ORDER BY held DESC, h.sha256 LIMIT ${MOST_SPLIT}`,
    [bundle],
  );
  const [shared] = await queries.query<{ sha256: Digest }>(
    `SELECT o.sha256 FROM bundle b JOIN image i ON i.id = b.alt_id AND i.basis = '' JOIN bundle o ON o.image = i.image
     WHERE b.bundle = $1 AND o.format = 'elf' ORDER BY o.quality DESC, o.bundle DESC LIMIT 1`,
    [bundle],
  );
  return {
    split: units.flatMap(({ sha256 }) => sha256 ?? []),
    shared: shared?.sha256 ?? null,
    missing: units.find(({ sha256 }) => sha256 === null)?.held ?? 0,
  };
}

/** The symbol files that need this one, which was just added. */
export async function needing(queries: Queries, bundle: number): Promise<number[]> {
  const rows = await queries.query<{ bundle: number }>(
    `SELECT w.bundle FROM split_unit h JOIN split_unit w USING (id) WHERE h.bundle = $1 AND h.held AND NOT w.held
     UNION SELECT n.bundle FROM bundle b JOIN image i USING (image) JOIN bundle n ON n.alt_id = i.id WHERE b.bundle = $1`,
    [bundle],
  );
  return rows.map((row) => row.bundle);
}

/** Ranks a symbol file anew by what it finds now; its places are looked up again. Returns its image. */
export async function rankAgain(queries: Queries, bundle: number, image: Image): Promise<number> {
  const { split, shared, missing } = await companionsOf(queries, bundle);
  const [units] = await queries.query<{ wanted: boolean }>(
    'SELECT EXISTS (SELECT FROM split_unit WHERE bundle = $1 AND NOT held) AS wanted',
    [bundle],
  );
  const known = { ...image, split: present(units).wanted };
  const { rank, gaps } = qualityOf('elf', known, {
    dwo: split.length > 0 && missing === 0,
    dwz: shared !== null,
  });
  const [row] = await queries.query<{ image: number }>(
    'UPDATE bundle SET quality = $2, lacks = $3::text[] WHERE bundle = $1 RETURNING image',
    [bundle, rank, gaps],
  );
  await queries.query('UPDATE location SET bundle = NULL, status = NULL WHERE bundle = $1', [bundle]);
  return present(row).image;
}
