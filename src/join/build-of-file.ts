/** What a program or its symbols say of their own build, where the compiler or the linker wrote it into them. */
import { Fault } from '../base/fault.ts';
import { producersOf } from '../objects/dwarf/producer.ts';
import { goBuildInfo } from '../objects/go/build-id.ts';
import type { BuildFacts } from './build-facts.ts';

function ofGo(path: string): BuildFacts | null {
  const found = goBuildInfo(path);
  if (!found) return null;
  const { 'vcs.revision': commit, ...settings } = found.settings;
  const flags = Object.entries(settings).filter(([name]) => name.startsWith('-'));
  return {
    compiler: found.version,
    ...(flags.length > 0
      ? { compiler_flags: flags.map(([name, value]) => `${name}=${value}`).join(' ') }
      : {}),
    ...(commit ? { builder_commit: commit } : {}),
    from: '.go.buildinfo',
  };
}

async function ofDwarf(path: string): Promise<BuildFacts> {
  const [first] = (await producersOf(path)).producers;
  if (!first) return {};
  const { compiler, flags } = first;
  return { compiler, ...(flags === null ? {} : { compiler_flags: flags }), from: 'DW_AT_producer' };
}

/** The compiler of the most units where there are several; null for a file whose debug information cannot be read. */
export async function buildOfFile(path: string): Promise<BuildFacts> {
  try {
    return ofGo(path) ?? (await ofDwarf(path));
  } catch (error) {
    if (error instanceof Fault && error.code === 'object_malformed') return {};
    throw error;
  }
}
