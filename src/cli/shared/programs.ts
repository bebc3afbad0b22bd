/** Where the programs of a core are read from: what --exec and --sysroot name. */
import type { ReadTraceOptions } from '../../library/trace-read.ts';
import type { Arguments } from '../arguments.ts';

export function programsOf(a: Arguments): ReadTraceOptions {
  return { executables: a.list('exec'), sysroot: a.text('sysroot') };
}
