/** What happens during a call of the library, told as soon as each part is done. */
import type { AddedBundle } from '../join/store/symbol-files.ts';
import type { Fetched } from '../objects/debuginfod.ts';
import type { RunEvent } from '../replay/events.ts';
import type { ReplayRecord } from '../verdict/record.ts';

/** A trace in the store. */
export interface AddedTrace {
  path: string;
  /** The digest of its content. */
  trace_id: string;
  /** Whether it was not there before. */
  added: boolean;
  frames: number;
}

/** What came of one file: the builds that it was added for, or why it was refused. */
export type SymbolsOutcome = { path: string } & (
  | { added: (Omit<AddedBundle, 'images'> & { resolved: number })[] }
  | { code: string; message: string; next: string }
);

/** Debug information that was written; or a build of which the server has none. */
export type FetchedSymbols = { id: string } & (Fetched | { path: null; url: null; sha256: null });

/** What happens during a call: its parts as soon as each is done, and lines for people. */
export type ReenactEvent =
  /** So many replays will be made or are there already; each manifest's record, should the run be interrupted before it. */
  | { type: 'start'; replays: number; unfinished: ReplayRecord[] }
  | RunEvent
  | { type: 'trace'; trace: AddedTrace }
  | { type: 'symbols'; outcome: SymbolsOutcome }
  | { type: 'fetched'; fetched: FetchedSymbols }
  /** A blob that goes to a registry, or comes from one. */
  | { type: 'transfer'; text: string }
  | { type: 'notice'; text: string };

/** Whether it is a step of a run, which progress is made of. */
export function isRunEvent(event: ReenactEvent): event is RunEvent {
  return ['swept', 'prepared', 'replay', 'record'].includes(event.type);
}
