/** Where the programs of a core are read from: what --exec and --sysroot name. */
import type { ProgramSources } from '../../trace/core/program-files.ts';
import type { Arguments } from '../arguments.ts';

export function programsOf(a: Arguments): ProgramSources {
  return { executables: a.list('exec'), sysroot: a.text('sysroot') ?? null, stored: [] };
}
