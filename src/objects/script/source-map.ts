/** Source maps (ECMA-426, version 3, plain and indexed): which place of a source a place in a script was made from. */
import { parseJson, showProblem } from '../../base/json.ts';
import { itemAt } from '../../base/list.ts';
import type { FileBytes } from '../common/bytes.ts';
import { imageOf, type ObjectFile } from '../common/identity.ts';
import type { SymbolFormat } from '../common/symbol-format.ts';
import { eachSegment, MappingsError, type Numbers } from './mappings.ts';
import { decodePlace } from './place.ts';

export const MAP_BYTES: number = 128 << 20;
const MAP_DEPTH = 16;

/** Line and column from 1, as in traces; `name` is the source's name for the thing at this place. */
export interface SourcePlace {
  /** At a call this is the called function: the name of the function around it stands at the place it was called from. */
  name: string | null;
  file: string;
  line: number;
  column: number;
}

interface Plain {
  mappings: string;
  sources: (string | null)[];
  names: string[];
}

/** A part of a script, from line and column on (from 0), and its own map. */
interface Section {
  line: number;
  column: number;
  map: Plain;
}

export interface SourceMap {
  /** `js:` and the UUID that the bundler wrote into map and script; null where there is none. */
  id: string | null;
  sections: Section[];
}

type Wrong = (what: string) => Error;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `js:` and a UUID as 32 lower-case digits; null where it is none, or the nil one. */
function scriptId(value: unknown): string | null {
  const dashed = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
  if (typeof value !== 'string' || !dashed.test(value)) return null;
  const digits = value.replaceAll('-', '').toLowerCase();
  return /^0+$/.test(digits) ? null : `js:${digits}`;
}

function plainOf(map: Record<string, unknown>, wrong: Wrong): Plain {
  const { mappings, sources, names = [], sourceRoot = '' } = map;
  if (typeof mappings !== 'string') throw wrong('a source map without mappings');
  if (!Array.isArray(sources) || !sources.every((one) => one === null || typeof one === 'string'))
    throw wrong('sources of a source map are a list of names or null');
  if (!Array.isArray(names) || !names.every((one) => typeof one === 'string'))
    throw wrong('names of a source map are a list of texts');
  if (sourceRoot !== null && typeof sourceRoot !== 'string')
    throw wrong('sourceRoot of a source map is no text');
  const root = sourceRoot ? sourceRoot.replace(/\/?$/, '/') : '';
  return {
    mappings,
    names,
    sources: sources.map((one: string | null) => (one === null ? null : root + one)),
  };
}

function sectionOf(value: unknown, wrong: Wrong): Section {
  const { offset, map } = isObject(value) ? value : {};
  const { line, column } = isObject(offset) ? offset : {};
  const count = (one: unknown): one is number =>
    typeof one === 'number' && Number.isSafeInteger(one) && one >= 0;
  if (!count(line) || !count(column)) throw wrong('a section of a source map without line and column');
  if (!isObject(map)) throw wrong('a section of a source map without a map of its own');
  return { line, column, map: plainOf(map, wrong) };
}

const before = (a: { line: number; column: number }, b: { line: number; column: number }): boolean =>
  a.line < b.line || (a.line === b.line && a.column < b.column);

/** Reads a source map; `wrong` makes the error that names where it came from. */
export function parseSourceMap(bytes: Buffer, wrong: Wrong): SourceMap {
  // A line that keeps browsers from running it as a script may stand before the map.
  const guarded = bytes.toString('latin1', 0, 4) === ")]}'";
  const json = guarded ? bytes.subarray(bytes.indexOf(10) + 1 || bytes.length) : bytes;
  const parsed = parseJson(json, { sizeBytes: MAP_BYTES, depth: MAP_DEPTH });
  if (!parsed.ok) throw wrong(`no source map: ${parsed.problems.slice(0, 3).map(showProblem).join('; ')}`);
  const map = parsed.value;
  if (!isObject(map) || map.version !== 3) throw wrong('JSON, but no source map of version 3');
  const id = scriptId(map.debugId ?? map.debug_id);
  if (map.sections === undefined) return { id, sections: [{ line: 0, column: 0, map: plainOf(map, wrong) }] };
  if (!Array.isArray(map.sections)) throw wrong('sections of a source map are no list');
  const sections = map.sections.map((one) => sectionOf(one, wrong));
  const wild = sections.findIndex((one, i) => i > 0 && !before(itemAt(sections, i - 1), one));
  if (wild >= 0) throw wrong(`section ${wild} of a source map does not begin behind the one before`);
  return { id, sections };
}

interface Wanted {
  index: number;
  /** In the script, from 0; no column where only the line is known. */
  line: number;
  column: number | null;
}

/** The last section that begins at or before a place. */
function sectionAt(sections: Section[], { line, column }: Wanted): number {
  let [low, high] = [0, sections.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before({ line, column: column ?? 0 }, itemAt(sections, middle))) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

interface Segment {
  column: number;
  source: Numbers | null;
  named: boolean;
}

/** The wanted places of one line, by column, and for each the best segment that no smaller wanted column has. */
interface WantedLine {
  wanted: Wanted[];
  best: (Segment | undefined)[];
  first: Segment | undefined;
}

/** The first of the sorted places at or behind a column. */
function placeBehind(wanted: Wanted[], column: number): number {
  let [low, high] = [0, wanted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((itemAt(wanted, middle).column ?? -1) < column) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The segments of the lines that are wanted; a line's segments may stand in any order. */
function look({ line, column, map }: Section, lines: Map<number, WantedLine>): void {
  const last = [...lines.keys()].reduce((most, one) => Math.max(most, one), 0);
  eachSegment(map.mappings, (mapLine, numbers, count) => {
    const at = lines.get(mapLine + line);
    if (at) {
      const begins = numbers[0] + (mapLine === 0 ? column : 0);
      const segment = {
        column: begins,
        source: count === 1 ? null : ([...numbers] as Numbers),
        named: count === 5,
      };
      const place = placeBehind(at.wanted, begins);
      if (begins >= (at.best[place]?.column ?? 0)) at.best[place] = segment;
      if (begins < (at.first?.column ?? Infinity)) at.first = segment;
    }
    return mapLine + line <= last;
  });
}

/** For each wanted place, the last segment of its line that does not begin behind it; without a column, the line's first. */
function nearest(section: Section, wanted: Wanted[]): [Wanted, Segment | undefined][] {
  const lines = new Map<number, WantedLine>();
  for (const [line, some] of Map.groupBy(wanted, (one) => one.line)) {
    const sorted = some.toSorted((a, b) => (a.column ?? -1) - (b.column ?? -1));
    lines.set(line, { wanted: sorted, best: [], first: undefined });
  }
  look(section, lines);
  return [...lines.values()].flatMap(({ wanted: some, best, first }) => {
    let known: Segment | undefined;
    return some.map((one, i): [Wanted, Segment | undefined] => {
      known = best[i] ?? known;
      return [one, one.column === null ? first : known];
    });
  });
}

/**
 * For each rel_addr (script-place.ts) the place in a source, or null where the map does not say, in the given order.
 * Throws what `wrong` makes where a segment up to the last wanted place is malformed.
 */
export function resolveScript(
  { sections }: SourceMap,
  relAddrs: readonly string[],
  wrong: Wrong,
): (SourcePlace | null)[] {
  const wanted = relAddrs.flatMap((relAddr, index): Wanted[] => {
    const place = decodePlace(relAddr);
    if (!place) return [];
    return [{ index, line: place.line - 1, column: place.column === 0 ? null : place.column - 1 }];
  });
  const places: (SourcePlace | null)[] = relAddrs.map(() => null);
  for (const [number, some] of Map.groupBy(wanted, (one) => sectionAt(sections, one))) {
    const section = sections[number];
    if (!section) continue;
    try {
      for (const [{ index }, segment] of nearest(section, some))
        places[index] = placeOf(segment, section.map, wrong);
    } catch (error) {
      throw error instanceof MappingsError ? wrong(error.message) : error;
    }
  }
  return places;
}

function placeOf(segment: Segment | undefined, { sources, names }: Plain, wrong: Wrong): SourcePlace | null {
  if (!segment?.source) return null;
  const [, index, line, column, name] = segment.source;
  if (index >= sources.length) throw wrong(`source ${index} of ${sources.length} in a source map`);
  if (segment.named && name >= names.length) throw wrong(`name ${name} of ${names.length} in a source map`);
  const file = sources[index] ?? null;
  if (file === null) return null;
  return { name: segment.named ? names[name]! : null, file, line: line + 1, column: column + 1 };
}

/** A source map as a file of symbols: known by the id that its bundler wrote, else without an id. */
function readSourceMap(file: FileBytes): ObjectFile {
  const wrong = (what: string): Error => file.wrong(what);
  const { id, sections } = parseSourceMap(file.whole(MAP_BYTES), wrong);
  const mapped = sections.some(({ map }) => /[^,;]/.test(map.mappings));
  return {
    format: 'sourcemap',
    images: [
      imageOf('javascript', {
        id,
        debug_id: id === null ? null : `${id.slice(3).toUpperCase()}0`,
        features: mapped ? ['debug_info'] : [],
      }),
    ],
  };
}

/** What a script says about its map in the comments at its end: `//# debugId=` as an id, `//# sourceMappingURL=` as it stands. */
export function scriptLinks(script: Buffer): { id: string | null; map_url: string | null } {
  const behind = (comment: string): string | null => {
    const at = script.lastIndexOf(`//# ${comment}=`);
    if (at < 0 || (at > 0 && script[at - 1] !== 10 && script[at - 1] !== 13)) return null;
    const begin = at + comment.length + 5;
    const end = script.indexOf(10, begin);
    return script.toString('utf8', begin, end < 0 ? script.length : end).trim() || null;
  };
  return { id: scriptId(behind('debugId')), map_url: behind('sourceMappingURL') };
}

export const sourceMap: SymbolFormat = {
  name: 'sourcemap',
  title: 'a source map',
  isProgram: false,
  recognise: (start) => /^(?:\s*\{|\)\]\}')/.test(start.toString('latin1')),
  read: readSourceMap,
};
