/** What is there in place of the symbols that are missing: another age, another build, another slice, a stripped copy. */

import { lastItem, present } from '../../base/list.ts';
import { elfIds } from '../../objects/common/identity.ts';
import type { Queries } from '../../store/sql/database.ts';
import type { GapCode, JoinedFrame, NearMiss } from '../gap.ts';

interface Candidate extends Omit<NearMiss, 'code'> {
  quality: number;
  same_text: boolean;
  same_debug_id: boolean;
  weak_id: boolean;
}

const MOST = 20;

function baseName(path: string): string {
  return lastItem(path.split(/[\\/]/));
}

/** Names under which the symbols of a program are kept: its own, and those that tools make of it. */
function namesOf(path: string): string[] {
  const name = baseName(path);
  const stem = name.replace(/\.(?:exe|dll|sys|so)$/i, '');
  return [
    ...new Set([name, stem, `${name}.debug`, `${stem}.pdb`, `${name}.sym`, `${stem}.sym`, `${name}.map`]),
  ];
}

/** Another build of the very same code: the linker's id covers more than the program's text. */
const SAME_TEXT = `EXISTS (SELECT FROM image_artifact ia JOIN image mine ON mine.image = ia.image
  JOIN artifact a ON a.artifact = ia.artifact WHERE mine.id = $1 AND a.text_sha256 = b.text_sha256)`;

async function candidatesFor(queries: Queries, id: string, path: string): Promise<Candidate[]> {
  const guid = /^pdb:([0-9A-F]{32})-/.exec(id)?.[1];
  // The debug id of an ELF file is derived from its build-id.
  const debugId = elfIds(/^elf:([0-9a-f]+)$/.exec(id)?.[1]).debug_id;
  return await queries.query<Candidate>(
    `SELECT i.id, b.arch, b.name, b.sha256, b.quality, ${SAME_TEXT} AS same_text, b.weak_id,
       COALESCE(i.debug_id IN ($4, substring($1 FROM '^debug:(.*)')), false) AS same_debug_id
     FROM bundle b JOIN image i USING (image)
     WHERE (i.id = $1 AND (b.quality = 0 OR b.weak_id)) OR (i.id LIKE $2) OR 'debug:' || i.debug_id = $1
       OR (i.debug_id = $4 AND b.weak_id) OR b.name = ANY ($3::text[])
     ORDER BY i.id = $1 DESC, b.quality DESC, b.bundle DESC LIMIT ${MOST}`,
    [id, guid === undefined ? '' : `pdb:${guid}-%`, namesOf(path), debugId],
  );
}

function codeOf(id: string, arch: string | null, near: Candidate): GapCode | null {
  if (near.weak_id && (near.id === id || near.same_debug_id)) return 'id_unproven';
  if (near.id === id) return 'stripped_bundle';
  if (near.same_debug_id) return near.quality === 0 ? 'stripped_bundle' : 'ambiguous_debug_id';
  const [kind, value = ''] = id.split(':');
  if (!near.id.startsWith(`${kind}:`)) return null;
  if (kind === 'pdb')
    return near.id.slice(4, 36) === value.slice(0, 32) ? 'pdb_age_mismatch' : 'pdb_guid_mismatch';
  if (kind === 'macho') return arch !== null && near.arch !== arch ? 'arch_slice_missing' : 'uuid_mismatch';
  return near.same_text ? 'build_id_mismatch_same_text' : null;
}

/** The most telling first. */
const ORDER: GapCode[] = [
  'ambiguous_debug_id',
  'id_unproven',
  'stripped_bundle',
  'pdb_age_mismatch',
  'build_id_mismatch_same_text',
  'arch_slice_missing',
  'pdb_guid_mismatch',
  'uuid_mismatch',
];

/** For each image whose symbols are missing, the nearest that there are, the nearest first. */
export async function nearMisses(queries: Queries, frames: JoinedFrame[]): Promise<Map<string, NearMiss[]>> {
  const wanted = new Map(
    frames.flatMap(({ gap, image_id, image_path, arch }) =>
      gap === 'bundle_missing' || gap === 'stripped_bundle'
        ? [[present(image_id), { path: image_path ?? '', arch }] as const]
        : [],
    ),
  );
  const found = new Map<string, NearMiss[]>();
  for (const [id, { path, arch }] of wanted) {
    const all = (await candidatesFor(queries, id, path)).flatMap((near): NearMiss[] => {
      const code = codeOf(id, arch, near);
      const { id: actual, arch: of, name, sha256 } = near;
      return code === null ? [] : [{ code, id: actual, arch: of, name, sha256 }];
    });
    found.set(
      id,
      all.sort((a, b) => ORDER.indexOf(a.code) - ORDER.indexOf(b.code)),
    );
  }
  return found;
}
