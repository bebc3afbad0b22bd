/** Finds the files that a core's modules were loaded from: those that the user names, and others only if they bear the same build-id. */

import { realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { itemAt } from '../../base/list.ts';
import type { CoreFile } from './memory.ts';
import { type CoreModule, plainPath } from './modules.ts';
import { ProgramFile } from './program-file.ts';

/** Where files may come from, beside the paths that the core names on this machine. */
export interface ProgramSources {
  /** Programs and libraries themselves. */
  executables: string[];
  /** A folder in which they lie at the paths that the core names. */
  sysroot: string | null;
  /** What a store holds, for the modules whose build-id it bears. */
  stored: string[];
}

export const NO_SOURCES: ProgramSources = { executables: [], sysroot: null, stored: [] };

/** A module's file, or why there is none. */
export type Located = { file: ProgramFile } | { file: null; reason: string; detail: string };

/** A path in the folder, its links followed; undefined where nothing is there, or a link leads out of it. */
function within(folder: string, path: string): string | undefined {
  try {
    const [root, found] = [realpathSync(folder), realpathSync(join(folder, path))];
    return found.startsWith(root.endsWith(sep) ? root : root + sep) ? found : undefined;
  } catch {
    return undefined;
  }
}

function opened(path: string): ProgramFile | undefined {
  try {
    return new ProgramFile(path);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

export class ProgramFiles {
  private readonly core: CoreFile;
  private readonly sources: ProgramSources;
  private readonly found = new Map<CoreModule, Located>();
  /** By build-id, only the loaded files themselves: nothing can be mapped from a file of debug information. */
  private readonly stored = new Map<string, string>();

  /** Throws a Fault where a file that was named belongs to none of the modules. */
  constructor(core: CoreFile, modules: CoreModule[], sources: ProgramSources) {
    [this.core, this.sources] = [core, sources];
    for (const path of sources.executables) this.assign(path, modules);
    for (const path of sources.stored) this.keep(path);
  }

  private keep(path: string): void {
    const file = opened(path);
    if (file?.buildId && file.isLoadable && !this.stored.has(file.buildId))
      this.stored.set(file.buildId, path);
    file?.close();
  }

  /** A file that the user names belongs to the module that it fits: by its build-id, by its name, or as the program. */
  private assign(path: string, modules: CoreModule[]): void {
    const file = new ProgramFile(path);
    const name = basename(path);
    const ranked = [
      ...modules.filter(({ buildId }) => buildId !== null && buildId === file.buildId),
      ...modules.filter((one) => basename(plainPath(one)) === name),
      ...modules.filter(({ isProgram }) => isProgram),
    ].filter(({ again }) => again === null);
    const objections = ranked.map((one) => file.objection(this.core, one));
    const at = objections.indexOf(null);
    if (at < 0)
      throw new Fault(
        'trace_invalid',
        `${this.core.file.path}: ${path} is not what crashed: ${objections[0] ?? 'the core names no module that it could be of'}`,
        undefined,
        'name the build that crashed: reenact trace show CORE tells which ids the core has',
      );
    this.found.set(itemAt(ranked, at), { file });
  }

  /** The file of a module, searched for only once. */
  of(given: CoreModule): Located {
    const module = given.again ?? given;
    const known = this.found.get(module);
    if (known) return known;
    const found = this.locate(module);
    this.found.set(module, found);
    return found;
  }

  /** The file that was named for a module, or that a walk needed. */
  known(module: CoreModule): Located | undefined {
    return this.found.get(module);
  }

  private locate(module: CoreModule): Located {
    const path = plainPath(module);
    const { sysroot } = this.sources;
    const objections: string[] = [];
    const inside = sysroot === null ? undefined : within(sysroot, path);
    const candidates = [
      inside,
      module.buildId === null ? undefined : this.stored.get(module.buildId),
      // Files of this machine count only if they bear the same id.
      sysroot === null && (module.buildId ?? module.goId) !== null ? path : undefined,
    ];
    for (const candidate of candidates) {
      const file = candidate === undefined ? undefined : opened(candidate);
      if (!file) continue;
      const objection = file.objection(this.core, module);
      if (objection === null) return { file };
      file.close();
      objections.push(`${candidate}: ${objection}`);
    }
    if (objections.length > 0) return { file: null, reason: 'file_differs', detail: objections.join('; ') };
    if (module.buildId === null)
      return {
        ...{ file: null, reason: 'no_file' },
        detail: `${path} has no build-id in the core, so that no file of this machine can be known to be it`,
      };
    return {
      file: null,
      reason: 'no_file',
      detail: `${path} with build-id ${module.buildId} is not at hand`,
    };
  }

  close(): void {
    for (const { file } of this.found.values()) file?.close();
  }
}
