/** Takes symbol files in: known by their own id, ranked, and only with accepted evidence about their bytes. */

import { type Digest, hexOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { itemAt, present } from '../../base/list.ts';
import { hasMiniSymbols, type Image, type ObjectFile } from '../../objects/common/identity.ts';
import { producersOf } from '../../objects/dwarf/producer.ts';
import { splitUnitsOf } from '../../objects/dwarf/split-units.ts';
import { type FunctionBlob, functionsOf } from '../../objects/elf/functions.ts';
import { textDigestOf } from '../../objects/elf/text-digest.ts';
import { withMiniSymbols } from '../../objects/mini-debug-info.ts';
import { readObject } from '../../objects/object.ts';
import { levelOfRank, qualityOf } from '../../objects/quality.ts';
import type { Queries } from '../../store/sql/database.ts';
import { pieces, plainText } from '../../store/sql/rows.ts';
import type { BuildFacts } from '../build-facts.ts';
import type { Proof } from './artifacts.ts';
import { keepUnits, needing, rankAgain } from './companions.ts';
import { keepEvidence } from './evidence.ts';
import { internImage } from './images.ts';
import type { TraceStore } from './store.ts';

/** A symbol file whose bytes are in the store, and the evidence about them that was accepted. */
export interface IncomingBundle {
  name: string;
  /** Of the file that the evidence is about. */
  file: Digest;
  format: ObjectFile['format'];
  /** One for each image: a slice of a universal file is kept as a file of its own. */
  slices: { sha256: Digest; image: Image }[];
  build: BuildFacts;
  proof: Proof;
}

export interface AddedBundle {
  sha256: Digest;
  id: string;
  arch: string;
  level: string;
  lacks: string[];
  functions: number;
  /** False: it was there before. */
  added: boolean;
  /** Images whose places are to be looked up now: its own, and those of symbols that needed it. */
  images: number[];
}

/** Functions beyond this number are kept in the file alone. */
const MOST_FUNCTIONS = 500_000;
const PIECE = 10_000;

async function insertFunctions(queries: Queries, bundle: number, functions: FunctionBlob[]): Promise<void> {
  for (const piece of pieces(functions, PIECE))
    await queries.query(
      `INSERT INTO function_blob (bundle, addr, size_bytes, name, sha256)
       SELECT $1, addr, size, name, decode(hex, 'hex') FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[])
         AS n (addr, size, name, hex) ON CONFLICT DO NOTHING`,
      [
        bundle,
        piece.map(({ rel_addr }) => String(rel_addr)),
        piece.map(({ size }) => String(size)),
        piece.map(({ name }) => plainText(name)),
        piece.map(({ sha256 }) => (sha256 === null ? null : hexOf(sha256))),
      ],
    );
}

/** All functions of a file, or the first of them where they are too many. */
async function functionsIn(
  path: string,
  format: ObjectFile['format'],
  image: Image,
): Promise<FunctionBlob[]> {
  if (format !== 'elf') return [];
  if (hasMiniSymbols(image.features))
    return await withMiniSymbols(path, async (copy) => functionsOfElf(copy));
  return functionsOfElf(path);
}

function functionsOfElf(path: string): FunctionBlob[] {
  const found: FunctionBlob[] = [];
  for (const one of functionsOf(path)) {
    if (found.length === MOST_FUNCTIONS) break;
    found.push(one);
  }
  return found;
}

/** Sections are only a hint: clang writes one of them in files that are whole. The units decide. */
async function isSplit(path: string, { split }: Image): Promise<boolean> {
  if (!split) return false;
  try {
    return (await producersOf(path)).splitUnits > 0;
  } catch (error) {
    if (error instanceof Fault && error.code === 'object_malformed') return true;
    throw error;
  }
}

/** What a symbol file that is in the store says of itself. */
async function imageOfBundle({ blobs }: TraceStore, queries: Queries, bundle: number): Promise<Image> {
  const [row] = await queries.query<{ sha256: Digest }>('SELECT sha256 FROM bundle WHERE bundle = $1', [
    bundle,
  ]);
  return itemAt(readObject(blobs.path(present(row).sha256)).images, 0);
}

/** Keeps a symbol file and the evidence about it in one transaction; what is there already stays, with more evidence. */
export async function addBundle(store: TraceStore, incoming: IncomingBundle): Promise<AddedBundle[]> {
  const { name, file, format, slices, build, proof } = incoming;
  const prepare = async ({ sha256, image }: IncomingBundle['slices'][number]) => {
    const path = store.blobs.path(sha256);
    const { rank, level, gaps } = qualityOf(format, { ...image, split: await isSplit(path, image) });
    const units = format === 'elf' ? await splitUnitsOf(path) : { wanted: [], held: [] };
    const functions = await functionsIn(path, format, image);
    const text = textDigestOf(path, format);
    return { sha256, image, rank, level, lacks: gaps, functions, text, units };
  };
  const prepared: Awaited<ReturnType<typeof prepare>>[] = [];
  // All writers take images in this order, so that two of them never wait for each other.
  const inOrder = slices.toSorted((a, b) => ((a.image.id ?? '') < (b.image.id ?? '') ? -1 : 1));
  for (const slice of inOrder) prepared.push(await prepare(slice));
  return await store.database.transaction(async (queries) => {
    await keepEvidence(store, queries, file, 'symbols', proof.record, proof.files);
    const added: AddedBundle[] = [];
    for (const { sha256, image, rank, level, lacks, functions, text, units } of prepared) {
      // A program that holds its own symbols is looked up by the name that traces have for it.
      const known = image.pdb ?? image.id;
      const id = known ?? (image.debug_id === null ? `sha256:${hexOf(sha256)}` : `debug:${image.debug_id}`);
      const number = await internImage(queries, id, image.debug_id);
      const [row] = await queries.query<{ bundle: number }>(
        `INSERT INTO bundle (sha256, file_sha256, image, format, arch, name, features, alt_id, quality, lacks, text_sha256, build,
           weak_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text[], $8, $9, $10::text[], $11, $12::jsonb, $13)
         ON CONFLICT (sha256) DO NOTHING RETURNING bundle`,
        [
          ...[sha256, file, number, format, image.arch, plainText(name), image.features, image.alt_id, rank],
          ...[lacks, text, JSON.stringify(build), image.weak_id],
        ],
      );
      const images = new Set([number]);
      if (row) {
        await insertFunctions(queries, row.bundle, functions);
        await keepUnits(queries, row.bundle, units);
        const needy = units.wanted.length > 0 || image.alt_id !== null ? [row.bundle] : [];
        for (const one of [...needy, ...(await needing(queries, row.bundle))])
          images.add(await rankAgain(queries, one, await imageOfBundle(store, queries, one)));
      }
      const [ranked] = await queries.query<{ quality: number; lacks: string[] }>(
        'SELECT quality, lacks FROM bundle WHERE sha256 = $1',
        [sha256],
      );
      const quality = { level: levelOfRank(present(ranked).quality) ?? level, lacks: present(ranked).lacks };
      const found = { sha256, id, arch: image.arch, ...quality, functions: functions.length };
      added.push({ ...found, added: row !== undefined, images: [...images] });
    }
    return added;
  });
}
