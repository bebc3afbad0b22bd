/** Reads the engine's answers: its JSON holds names out of a hostile file, and its shape is checked as well. */
import { Fault } from '../base/fault.ts';
import { MOST_PLACES, type SourcePlace } from '../objects/common/source-place.ts';

/** The engine's error about the whole file, in place of an answer. */
export class Refused extends Error {}

interface Said {
  FunctionName?: unknown;
  FileName?: unknown;
  Line?: unknown;
  Column?: unknown;
}

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;

/** A reader of answers to one file's addresses; it keeps each text once, since names stand in thousands of answers. */
export function answerReader(path: string): (answer: string, address: bigint) => SourcePlace[] {
  const texts = new Map<string, string>();
  const textOf = (value: unknown): string | null => {
    if (typeof value !== 'string' || value === '') return null;
    const known = texts.get(value);
    if (known === undefined) texts.set(value, value);
    return known ?? value;
  };
  const placeOf = (said: Said | null): SourcePlace => {
    const line = numberOf(said?.Line);
    return {
      function: textOf(said?.FunctionName),
      file: textOf(said?.FileName),
      line,
      column: line === null ? null : numberOf(said?.Column),
    };
  };
  return (answer, address) => {
    const at = `0x${address.toString(16)}`;
    let parsed: { Address?: unknown; Error?: { Message?: unknown }; Symbol?: unknown } = {};
    try {
      parsed = JSON.parse(answer) ?? {};
    } catch {}
    if (parsed.Error) throw new Refused(String(parsed.Error.Message));
    if (parsed.Address !== at || !Array.isArray(parsed.Symbol))
      throw new Fault(
        'symbolizer_failed',
        `${path}: asked for ${at}, the engine says ${answer.slice(0, 200)}`,
      );
    const places = parsed.Symbol.slice(0, MOST_PLACES).map(placeOf);
    return places.filter(({ function: name, file, line }) => name !== null || file !== null || line !== null);
  };
}
