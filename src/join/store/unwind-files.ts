/** Which symbol files of a store hold tables to unwind the stacks of a trace: those of its images, by the ids that join them. */
import type { Digest } from '../../base/digest.ts';
import { imageKey } from '../../trace/model/frame-facts.ts';
import type { TraceImage } from '../../trace/model/trace.ts';
import type { TraceStore } from './store.ts';

/** Files are opened and held while one trace is walked. */
const MOST_FILES = 256;

/** Paths of the files, the best first; those of a debug id that two builds have are left out, as nothing says which was meant. */
export async function unwindFilesOf(
  { database, blobs }: TraceStore,
  images: TraceImage[],
): Promise<string[]> {
  const rows = await database.query<{ sha256: Digest }>(
    `WITH named AS (SELECT DISTINCT image, id, debug_id FROM image WHERE id = ANY ($1::text[])
       OR 'debug:' || debug_id = ANY ($1::text[]) AND id NOT LIKE 'debug:%' AND id NOT LIKE 'pe:%')
     SELECT b.sha256 FROM named JOIN bundle b USING (image)
     WHERE b.format IN ('breakpad', 'elf', 'pdb', 'pe') AND (named.id = ANY ($1::text[]) OR 1 =
       (SELECT count(*) FROM named o WHERE o.debug_id = named.debug_id AND o.id <> ALL ($1::text[])))
     ORDER BY b.quality DESC, b.bundle DESC LIMIT $2`,
    [images.map(imageKey), MOST_FILES],
  );
  return rows.filter(({ sha256 }) => blobs.has(sha256)).map(({ sha256 }) => blobs.path(sha256));
}
