/** Finds functions and lines in a Breakpad symbol file (Breakpad, docs/symbol_files.md), which LLVM does not read. */
import { closeSync, openSync, readSync } from 'node:fs';

import { Fault } from '../base/fault.ts';
import { itemAt } from '../base/list.ts';
import { MOST_PLACES, type Resolved, type SourcePlace } from '../objects/common/source-place.ts';
import { imageIn, type SymbolFile } from './stage.ts';

const PIECE_BYTES = 1 << 20;
/** Names of templates can be long; no real one is this long. */
const MOST_LINE_BYTES = 1 << 20;

interface Call {
  line: number;
  file: number;
  origin: number;
}

/** What the records say of one address; numbers of files and of inlined functions stand for names that come later. */
interface Found {
  functionStart: number;
  function: string | null;
  line: { line: number; file: number } | null;
  /** By depth: what is inlined here, and where it is called. */
  calls: (Call | undefined)[];
}

/** Calls `each` for every line, without its end. */
function eachLine(path: string, each: (line: string) => void): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(PIECE_BYTES + MOST_LINE_BYTES);
    for (let kept = 0; ; ) {
      const n = readSync(fd, buffer, kept, buffer.length - kept, null);
      const bytes = buffer.subarray(0, kept + n);
      let at = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
        each(bytes.toString('utf8', at, bytes[end - 1] === 13 ? end - 1 : end));
        at = end + 1;
      }
      kept = bytes.length - at;
      if (kept > MOST_LINE_BYTES)
        throw new Fault('object_malformed', `${path}: a line of more than ${MOST_LINE_BYTES} bytes`);
      buffer.copyWithin(0, at, bytes.length);
      if (n === 0) {
        if (kept > 0) each(buffer.toString('utf8', 0, kept));
        return;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** The asked addresses, ascending, and which of them lie in a range. */
class Asked {
  readonly addresses: number[];
  constructor(addresses: BigUint64Array) {
    this.addresses = Array.from(addresses, Number);
  }
  /** The index of the first that is not below. */
  from(address: number): number {
    let [low, high] = [0, this.addresses.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.addresses[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** First, and the one behind the last. */
  within(start: number, size: number): [number, number] {
    return [this.from(start), this.from(start + size)];
  }
}

const FUNC = /^FUNC (?:m )?([0-9a-f]{1,13}) ([0-9a-f]{1,13}) [0-9a-f]+ (.+)$/i;
const PUBLIC = /^PUBLIC (?:m )?([0-9a-f]{1,13}) [0-9a-f]+ (.+)$/i;
const LINE = /^([0-9a-f]{1,13}) ([0-9a-f]{1,13}) (\d{1,9}) (\d{1,9})$/i;
const INLINE = /^INLINE (\d{1,9}) (\d{1,9}) (\d{1,9}) (\d{1,9})((?: [0-9a-f]{1,13} [0-9a-f]{1,13})+)$/i;
const NAME = /^(FILE|INLINE_ORIGIN) (?:m )?(\d{1,9}) (.+)$/;
const hex = (text: string): number => Number.parseInt(text, 16);

/** One pass over the records that lie at addresses. */
function locate(path: string, asked: Asked): { found: Found[]; publics: (string | undefined)[] } {
  const count = asked.addresses.length;
  const found = asked.addresses.map(
    (): Found => ({ functionStart: -1, function: null, line: null, calls: [] }),
  );
  /** Where the last function and the last public symbol at or below an address begin: first by place, then for all. */
  const [starts, publicStarts] = [new Float64Array(count).fill(-1), new Float64Array(count).fill(-1)];
  const publics: (string | undefined)[] = Array(count);
  let current: { start: number; first: number; end: number } | null = null;

  const onFunction = ([, at, size, name]: string[]): void => {
    const [start, bytes] = [hex(at!), hex(size!)];
    const [first, end] = asked.within(start, bytes);
    if (first < count) starts[first] = Math.max(starts[first]!, start);
    current = end > first ? { start, first, end } : null;
    for (let i = first; i < end; i++)
      if (itemAt(found, i).function === null)
        Object.assign(found[i]!, { function: name, functionStart: start });
  };
  const onPublic = ([, at, name]: string[]): void => {
    const first = asked.from(hex(at!));
    if (first >= count || hex(at!) < publicStarts[first]!) return;
    publicStarts[first] = hex(at!);
    publics[first] = name;
  };
  /** Those asked for in a range of the current function. */
  const each = (start: number, size: number, take: (one: Found) => void): void => {
    const [first, end] = asked.within(start, size);
    for (let i = Math.max(first, current!.first); i < Math.min(end, current!.end); i++)
      if (itemAt(found, i).functionStart === current!.start) take(found[i]!);
  };
  const onInline = ([, level, line, file, origin, ranges]: string[]): void => {
    const depth = Number(level);
    if (depth >= MOST_PLACES - 1) return;
    const call = { line: Number(line), file: Number(file), origin: Number(origin) };
    const numbers = ranges!.trim().split(' ').map(hex);
    for (let i = 0; i < numbers.length; i += 2)
      each(numbers[i]!, numbers[i + 1]!, (one) => {
        one.calls[depth] ??= call;
      });
  };
  eachLine(path, (text) => {
    if (text.startsWith('FUNC ')) {
      const match = FUNC.exec(text);
      current = null;
      if (match) onFunction(match);
    } else if (text.startsWith('PUBLIC ')) {
      const match = PUBLIC.exec(text);
      if (match) onPublic(match);
    } else if (current !== null && text.startsWith('INLINE ')) {
      const match = INLINE.exec(text);
      if (match) onInline(match);
    } else if (current !== null) {
      const match = LINE.exec(text);
      if (!match) return;
      const [, start, size, line, file] = match;
      each(hex(start!), hex(size!), (one) => {
        one.line ??= { line: Number(line), file: Number(file) };
      });
    }
  });
  let last: string | undefined;
  for (let i = 0, [start, publicStart] = [-1, -1]; i < count; i++) {
    start = Math.max(start, starts[i]!);
    if (publicStarts[i]! > publicStart) [publicStart, last] = [publicStarts[i]!, publics[i]];
    // A public symbol reaches to the next function.
    publics[i] = publicStart > start ? last : undefined;
  }
  return { found, publics };
}

/** The names that are needed, of files and of inlined functions, by number. */
function namesOf(path: string, found: Found[]): { file: Map<number, string>; origin: Map<number, string> } {
  const needed = { FILE: new Set<number>(), INLINE_ORIGIN: new Set<number>() };
  for (const { line, calls } of found) {
    if (line) needed.FILE.add(line.file);
    for (const call of calls)
      if (call) {
        needed.FILE.add(call.file);
        needed.INLINE_ORIGIN.add(call.origin);
      }
  }
  const names = { FILE: new Map<number, string>(), INLINE_ORIGIN: new Map<number, string>() };
  eachLine(path, (text) => {
    const [, kind, number, name] = NAME.exec(text) ?? [];
    if (kind === undefined) return;
    const [of, id] = [kind as 'FILE' | 'INLINE_ORIGIN', Number(number)];
    if (needed[of].has(id) && !names[of].has(id)) names[of].set(id, name!);
  });
  return { file: names.FILE, origin: names.INLINE_ORIGIN };
}

function placesOf(
  one: Found,
  publicName: string | undefined,
  names: ReturnType<typeof namesOf>,
): SourcePlace[] {
  const at = (name: string | null, place: { line: number; file: number } | null): SourcePlace => ({
    function: name,
    file: (place && names.file.get(place.file)) ?? null,
    line: place && place.line > 0 ? place.line : null,
    column: null,
  });
  if (one.function === null) return publicName === undefined ? [] : [at(publicName, null)];
  // Only depths without a gap: a call that is inlined in an unknown function cannot be placed.
  const calls: Call[] = [];
  for (const call of one.calls) {
    if (!call) break;
    calls.push(call);
  }
  const places: SourcePlace[] = [];
  let place: { line: number; file: number } | null = one.line;
  for (const call of calls.toReversed()) {
    places.push(at(names.origin.get(call.origin) ?? null, place));
    place = call;
  }
  return [...places, at(one.function, place)];
}

/**
 * As the engine answers of other formats: of addresses, ascending. Memory grows with what is asked for, not
 * with the file. Throws a Fault where the file is of another build's processor, or has lines without end.
 */
export function breakpadPlaces(file: SymbolFile, addresses: BigUint64Array): Resolved[] {
  imageIn(file);
  const asked = new Asked(addresses);
  const { found, publics } = locate(file.path, asked);
  const names = namesOf(file.path, found);
  return found.map((one, i) => ({
    places: placesOf(one, publics[i], names),
    degraded: false,
    error: null,
    // A PUBLIC line has no size.
    approximate: one.function === null && publics[i] !== undefined ? 'nearest' : null,
  }));
}
