/** Stack traces as they were written, whatever form they have. */
import type { ProgramSources } from '../trace/core/program-files.ts';
import type { Trace } from '../trace/model/trace.ts';
import { readTraceFile } from '../trace/read-file.ts';

/** Where the programs of a core are read from. */
export interface ReadTraceOptions {
  /** Programs or libraries that a core was made of, or symbol files of a dump. Default: the paths that the core names. */
  executables?: readonly string[] | undefined;
  /** The folder in which they lie at the paths that the core names. */
  sysroot?: string | undefined;
}

/** Where a core's programs are read from, in the reader's words. */
export function sourcesOf({ executables = [], sysroot }: ReadTraceOptions): ProgramSources {
  return { executables: [...executables], sysroot: sysroot ?? null, stored: [] };
}

/** Reads a trace file, whatever form it has; nothing in it is believed, and nothing is kept. */
export function readTrace(path: string, o: ReadTraceOptions = {}): Promise<Trace> {
  return readTraceFile(path, [], sourcesOf(o));
}
