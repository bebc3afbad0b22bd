/** The mappings of a source map (ECMA-426, Decoding mappings): numbers in base 64, each counted from the one before. */

/** Column in the script, source, line and column in it, name: from 0. Only as many of the last four count as the segment has. */
export type Numbers = [number, number, number, number, number];

export class MappingsError extends Error {}

const DIGITS = new Int8Array(128).fill(-1);
for (const [value, digit] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries())
  DIGITS[digit.charCodeAt(0)] = value;

const MOST = 2 ** 31 - 1;
const [COMMA, SEMICOLON] = [44, 59];

/**
 * Gives each segment to `take`: its line, its numbers (the same array each time) and how many of them count: 1, 4 or 5.
 * Stops where it returns false. Nothing is kept: a map has millions of segments. Throws a MappingsError.
 */
export function eachSegment(
  mappings: string,
  take: (line: number, numbers: Numbers, count: number) => boolean,
): void {
  let at = 0;
  const numbers: Numbers = [0, 0, 0, 0, 0];
  const digit = (): number => {
    const value = DIGITS[mappings.charCodeAt(at++)] ?? -1;
    if (value < 0) throw new MappingsError(`no base 64 at character ${at - 1} of its mappings`);
    return value;
  };
  /** Six digits hold 30 bits, the seventh the rest of 32; the lowest bit is the sign. */
  const step = (): number => {
    let value = 0;
    for (let i = 0; i < 7; i++) {
      const bits = digit();
      value += (bits & 31) * 2 ** (5 * i);
      if (bits < 32) return value % 2 === 0 ? value / 2 : -(value - 1) / 2;
    }
    throw new MappingsError(`a number without an end before character ${at} of its mappings`);
  };
  for (let line = 0; at < mappings.length; ) {
    const code = mappings.charCodeAt(at);
    if (code === COMMA || code === SEMICOLON) {
      at++;
      if (code === SEMICOLON) [line, numbers[0]] = [line + 1, 0];
      continue;
    }
    let count = 0;
    for (; at < mappings.length && !isEnd(mappings.charCodeAt(at)); count++) {
      if (count === 5) throw new MappingsError(`a segment of six numbers before character ${at}`);
      const next = numbers[count]! + step();
      if (next < 0 || next > MOST)
        throw new MappingsError(`a place of ${next} before character ${at} of its mappings`);
      numbers[count] = next;
    }
    if (count === 2 || count === 3)
      throw new MappingsError(`a segment of ${count} numbers before character ${at}`);
    if (!take(line, numbers, count)) return;
  }
}

const isEnd = (code: number): boolean => code === COMMA || code === SEMICOLON;
