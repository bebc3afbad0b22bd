/** Which of several symbol files of one build tells the most: a stripped one must never stand before the good one. */
import type { Image, ObjectFile } from './common/identity.ts';

/** What a symbol file lacks, as reports of gaps name it. */
export type Lack =
  | 'stripped_bundle'
  | 'symtab_only'
  | 'dwo_missing'
  | 'dwz_missing'
  | 'unsupported_compression';

export interface Quality {
  /** Higher is better; equal ranks give the same kind of answers. */
  rank: number;
  /** The same in a word. */
  level: Level;
  gaps: Lack[];
}

/** From the least to the most: nothing; exported names; all names; some lines; lines without inlined calls; all. */
const LEVELS = ['nothing', 'exports', 'symbols', 'partial', 'lines', 'full'] as const;
export type Level = (typeof LEVELS)[number];

/** The word for a rank. */
export function levelOfRank(rank: number): Level | undefined {
  return LEVELS[rank];
}

/** Ranks what a file tells about its image; `found` says which of the files that it needs are at hand. */
export function qualityOf(
  format: ObjectFile['format'],
  image: Image,
  found: { dwo?: boolean; dwz?: boolean } = {},
): Quality {
  const has = new Set(image.features);
  const gaps: Lack[] = [];
  // Debug information that is compressed by an unknown method cannot be read: all that is known is that it exists.
  const readable = has.has('debug_info') && !image.compressed.includes('unknown');
  if (has.has('debug_info') && !readable) gaps.push('unsupported_compression');
  if (readable && image.split && !found.dwo) gaps.push('dwo_missing');
  if (readable && image.alt_id !== null && !found.dwz) gaps.push('dwz_missing');
  const levelOf = (): Level => {
    if (readable) return gaps.length > 0 ? 'partial' : 'full';
    if (format === 'breakpad' || has.has('go_lines')) return 'lines';
    if (has.has('symbol_table') || has.has('mini_debug_info')) return 'symbols';
    return has.has('exports') ? 'exports' : 'nothing';
  };
  const level = levelOf();
  if (level === 'symbols') gaps.push('symtab_only');
  if (level === 'exports' || level === 'nothing') gaps.push('stripped_bundle');
  return { rank: LEVELS.indexOf(level), level, gaps };
}
