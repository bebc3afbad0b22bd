/** The unwind tables of symbol files and programs, each for the images whose id it bears, opened when a walk first needs them. */
import { Fault } from '../../base/fault.ts';
import { FileBytes } from '../../objects/common/bytes.ts';
import type { Image, ObjectFile } from '../../objects/common/identity.ts';
import { exceptionDirectory } from '../../objects/formats/pe.ts';
import { readObject } from '../../objects/object.ts';
import type { TraceImage } from '../model/trace.ts';
import { BreakpadTable } from '../unwind/breakpad.ts';
import { PdataTable } from '../unwind/pdata.ts';
import { PdbTable } from '../unwind/pdb-frames.ts';
import type { Callee, CallerOf, UnwindTable } from '../unwind/table.ts';
import { ElfTable } from './elf-table.ts';

/** The tables of an image; undefined where none are at hand. */
export type UnwindTables = (image: TraceImage) => UnwindTable | undefined;

/** Tables of one file; undefined where tables of its format or processor are not supported. */
function tableOf(path: string, { format }: ObjectFile, { arch }: Image): UnwindTable | undefined {
  const file = new FileBytes(path);
  try {
    if (format === 'breakpad') return new BreakpadTable(file, arch);
    if (format === 'elf') return ElfTable.of(path, arch);
    if (format === 'pdb' && arch === 'x86') return new PdbTable(file);
    if (format === 'pe' && arch === 'x86_64') {
      const found = exceptionDirectory(file);
      return found && new PdataTable(found.directory, found.read);
    }
    return undefined;
  } finally {
    file.close();
  }
}

/**
 * Whether a file is of the build that was loaded: by its id, or as the program that names the PDB by which the trace
 * knows it. A debug id counts only where one of the two has no other id.
 */
function isOf(file: Image, image: TraceImage): boolean {
  if (image.id !== null && (file.id === image.id || file.pdb === image.id)) return true;
  const alone = image.id === null || file.id === null;
  return alone && image.debug_id !== null && file.debug_id === image.debug_id;
}

/** A file that cannot be read is ignored: the walk goes on without it, and the join reports what is wrong with it. */
function unlessDamaged<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.code === 'object_malformed') return undefined;
    throw error;
  }
}

/** A file that the user named, or that a store holds. */
interface Named {
  path: string;
  object: ObjectFile;
  /** By the file's images; null: it has no tables that are read. */
  tables: Map<Image, UnwindTable | null>;
}

export class UnwindFiles {
  private readonly files: Named[];

  constructor(paths: string[]) {
    this.files = paths.flatMap((path) => {
      const object = unlessDamaged(() => readObject(path));
      return object ? [{ path, object, tables: new Map() }] : [];
    });
  }

  /** Files that belong to none of these images. */
  strangers(images: TraceImage[]): string[] {
    return this.files
      .filter(({ object }) => !object.images.some((one) => images.some((image) => isOf(one, image))))
      .map(({ path }) => path);
  }

  /** Asks each file of the image's build, one after the other. */
  readonly of: UnwindTables = (image) => {
    const tables = this.files.flatMap(({ path, object, tables: opened }) =>
      object.images
        .filter((one) => isOf(one, image))
        .flatMap((one) => {
          if (!opened.has(one)) opened.set(one, unlessDamaged(() => tableOf(path, object, one)) ?? null);
          return opened.get(one) ?? [];
        }),
    );
    if (tables.length === 0) return undefined;
    const callerOf = (callee: Callee): CallerOf => {
      for (const table of tables) {
        const found = table.callerOf(callee);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return { callerOf };
  };
}
