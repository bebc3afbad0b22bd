/** What an address means in the source: a function, a file, a line. */

export interface SourcePlace {
  /** The linkage name, as it is stored. */
  function: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
}

/**
 * Why a name is no more than likely: `nearest`, the symbol before the address, whose size is unknown;
 * `folded`, one of several functions of which the linker kept one body.
 */
export type Approximate = 'nearest' | 'folded';

export interface Resolved {
  /** Innermost first: an inlined call comes before what it is inlined in. Empty: nothing is known of the address. */
  places: readonly SourcePlace[];
  /** True if inlined calls are left out, because the engine died while it looked for them. */
  degraded: boolean;
  error: 'engine_crash' | null;
  approximate: Approximate | null;
}

/** More than compilers nest; symbol files can claim any depth. */
export const MOST_PLACES = 256;

/** Nothing is known of an address. */
export const NOTHING: Resolved = { places: [], degraded: false, error: null, approximate: null };
