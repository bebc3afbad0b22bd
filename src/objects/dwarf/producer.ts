/** Which compilers made a program, with which flags: what they wrote into its debug information (DW_AT_producer). */
import { FileBytes } from '../common/bytes.ts';
import { Cursor } from '../common/cursor.ts';
import { type TextPlace, unitsOf } from './dwarf.ts';
import { type DebugSections, debugSectionsOf } from './sections.ts';

export interface Producer {
  /** Such as "GNU C17 14.2.0". */
  compiler: string;
  /** GCC writes them, clang only where it is told to; null where none stand there. */
  flags: string | null;
  /** Such as C11; its number in DWARF where it has no name here, null where the units do not say. */
  language: string | number | null;
  units: number;
}

export interface Producers {
  /** The compiler of the most units comes first. */
  producers: Producer[];
  /** Units whose rest lies in .dwo files, which are other files. */
  splitUnits: number;
  /** What was not looked at, and why, in words. */
  unread: string[];
}

const MOST_PRODUCERS = 64;
/** By place of the text: linkers keep one copy of each, so all units of a compiler share a place. */
const MOST_PLACES = 4096;
const MOST_KEY_BYTES = 1 << 20;
const MOST_TEXT_BYTES = 16_384;

const LANGUAGES: Readonly<Record<number, string>> = {
  1: 'C89',
  2: 'C',
  4: 'C++',
  7: 'Fortran77',
  8: 'Fortran90',
  9: 'Pascal83',
  12: 'C99',
  13: 'Ada95',
  14: 'Fortran95',
  16: 'ObjC',
  17: 'ObjC++',
  19: 'D',
  22: 'Go',
  24: 'Haskell',
  26: 'C++11',
  27: 'OCaml',
  28: 'Rust',
  29: 'C11',
  30: 'Swift',
  31: 'Julia',
  33: 'C++14',
  34: 'Fortran03',
  35: 'Fortran08',
  39: 'Zig',
  42: 'C++17',
  43: 'C++20',
  44: 'C17',
  45: 'Fortran18',
  32769: 'assembler',
};

/** Splits what a compiler wrote into its name and its flags. */
export function splitProducer(text: string): Pick<Producer, 'compiler' | 'flags'> {
  const go = /^(Go [^;]+); (.*)$/s.exec(text);
  // clang writes the path by which it was called before the flags.
  const found = go ?? /^(.*?) ((?:\/\S+ )?-.*)$/s.exec(text);
  return { compiler: found?.[1] ?? text, flags: found?.[2] ?? null };
}

interface Group {
  place: TextPlace;
  language: number | null;
  units: number;
}

/** Units by their text, each text counted once; a hostile file could have a different text in each unit. */
class Groups {
  readonly found = new Map<string, Group>();
  left = 0;
  private bytes = 0;

  add(place: TextPlace, language: number | null, units: number): void {
    const key = `${place.at} ${language} ${place.at === 'entry' ? place.text : place.offset}`;
    const known = this.found.get(key);
    if (known) known.units += units;
    else if (this.found.size >= MOST_PLACES || this.bytes > MOST_KEY_BYTES) this.left += units;
    else {
      this.found.set(key, { place, language, units });
      this.bytes += key.length;
    }
  }
}

/** Reads the texts at the given places of one section, in ascending order, and adds what each leads to. */
async function follow(file: FileBytes, debug: DebugSections, groups: Groups, wanted: Group[]): Promise<void> {
  const places = wanted.flatMap(({ place, language, units }) =>
    place.at === 'entry' || place.at === 'alt' ? [] : [{ ...place, language, units }],
  );
  places.sort((a, b) => a.offset - b.offset);
  for (const place of places) {
    const content = debug.sections.get(place.at);
    const width = place.at === 'debug_str_offsets' ? place.width : MOST_TEXT_BYTES;
    if (!content || place.offset >= content.size)
      throw file.wrong(`a producer would stand at ${place.offset} of .${place.at}, which ends before`);
    if (place.offset + width > content.end && content.end < content.size) {
      groups.left += place.units;
      continue;
    }
    const bytes = await content.read(place.offset, width);
    if (place.at === 'debug_str_offsets') {
      if (bytes.length < width) throw file.wrong(`.${place.at} ends in the middle of an offset`);
      const next = new Cursor(bytes, debug.little).number(place.width);
      groups.add({ at: 'debug_str', offset: next }, place.language, place.units);
      continue;
    }
    const end = bytes.indexOf(0);
    if (end < 0) throw file.wrong(`a producer at ${place.offset} of .${place.at} does not end`);
    groups.add({ at: 'entry', text: bytes.toString('utf8', 0, end) }, place.language, place.units);
  }
}

async function ofImage(file: FileBytes, debug: DebugSections): Promise<Producers> {
  const result: Producers = { producers: [], splitUnits: 0, unread: [] };
  if (debug.unread !== null) return { ...result, unread: [debug.unread] };
  const [groups, indexes]: [Groups, Group[]] = [new Groups(), []];
  for await (const unit of unitsOf(file, debug)) {
    if (!unit) continue;
    const { producer, language, split } = unit;
    if (split) result.splitUnits++;
    if (producer?.at === 'debug_str_offsets') indexes.push({ place: producer, language, units: 1 });
    else if (producer) groups.add(producer, language, 1);
  }
  await follow(file, debug, groups, indexes);
  for (const at of ['debug_str', 'debug_line_str'])
    await follow(
      file,
      debug,
      groups,
      [...groups.found.values()].filter(({ place }) => place.at === at),
    );
  const all = [...groups.found.values()];
  const alt = all.filter(({ place }) => place.at === 'alt').reduce((sum, { units }) => sum + units, 0);
  if (alt > 0) result.unread.push(`${alt} units keep their producer in a file that is shared (dwz)`);
  for (const { place, language, units } of all)
    if (place.at === 'entry')
      result.producers.push({
        ...splitProducer(place.text),
        language: language === null ? null : (LANGUAGES[language] ?? language),
        units,
      });
  if (groups.left > 0) result.unread.push(`${groups.left} units name a compiler in what was not read`);
  if ([...debug.sections.values()].some(({ end, size }) => end < size))
    result.unread.push('debug information of more than 1 GiB, compressed: only the beginning is read');
  return result;
}

/** The compilers of a program by what its debug information says; none where it has no debug information. Throws a Fault where that is malformed. */
export async function producersOf(path: string): Promise<Producers> {
  const file = new FileBytes(path);
  const images: DebugSections[] = [];
  const all: Producers = { producers: [], splitUnits: 0, unread: [] };
  try {
    images.push(...debugSectionsOf(file));
    for (const image of images) {
      const { producers, splitUnits, unread } = await ofImage(file, image);
      for (const one of producers) {
        const known = all.producers.find(
          ({ compiler, flags, language }) =>
            compiler === one.compiler && flags === one.flags && language === one.language,
        );
        if (known) known.units += one.units;
        else all.producers.push(one);
      }
      all.splitUnits += splitUnits;
      all.unread.push(...unread);
    }
  } finally {
    for (const { sections } of images) for (const content of sections.values()) content.close();
    file.close();
  }
  all.producers.sort((a, b) => b.units - a.units || (a.compiler < b.compiler ? -1 : 1));
  if (all.producers.length > MOST_PRODUCERS)
    all.unread.push(`${all.producers.length - MOST_PRODUCERS} producers more, of the fewest units`);
  all.producers.splice(MOST_PRODUCERS);
  all.unread = [...new Set(all.unread)];
  return all;
}
