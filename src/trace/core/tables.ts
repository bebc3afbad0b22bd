/** The unwind tables of one module: in the core's memory where it has them, else in the file it was loaded from. */
import { Fault } from '../../base/fault.ts';
import { Ended } from '../../objects/common/cursor.ts';
import type { Segment } from '../../objects/elf/segments.ts';
import { EntryFinder, type UnwindEntry } from '../unwind/entries.ts';
import { Cut, type ReadBytes } from '../unwind/reader.ts';
import { type GoFunction, goFunctions } from './go-functions.ts';
import type { CoreFile } from './memory.ts';
import { type CoreModule, extentOf } from './modules.ts';
import type { ProgramFile } from './program-file.ts';
import type { Located } from './program-files.ts';
import { type Finder, sectionFinders } from './section-tables.ts';

const GNU_EH_FRAME = 0x6474e550;
const EXECUTABLE = 1;

export class ModuleTables {
  private readonly core: CoreFile;
  private readonly module: CoreModule;
  private readonly locate: () => Located;
  private located: Located | undefined;
  private goFunctions: GoFunction[] | undefined;
  private inFile: Finder[] | undefined;
  private inMemory: Finder | null | undefined;

  constructor(core: CoreFile, module: CoreModule, locate: () => Located) {
    [this.core, this.module, this.locate] = [core, module, locate];
  }

  private get found(): Located {
    this.located ??= this.locate();
    return this.located;
  }

  private get file(): ProgramFile | null {
    return this.found.file;
  }

  /** Why it is unknown whether a table covers this module's code; null where the file is known, or the headers say that there is none. */
  get lack(): { reason: string; detail: string } | null {
    const { segments } = this.module;
    if (segments.length > 0 && !segments.some(({ type }) => type === GNU_EH_FRAME)) return null;
    const { found } = this;
    return found.file === null ? found : null;
  }

  /** What is subtracted from an address to get the linker's; undefined where nothing says it. */
  private get bias(): bigint | undefined {
    if (this.module.bias !== null) return this.module.bias;
    return this.file ? this.module.base - extentOf(this.file.segments).lowest : undefined;
  }

  /** The role that Go's runtime gives the function at this address; undefined: none. */
  goRole(address: bigint): GoFunction['role'] | undefined {
    if (this.file === null || this.bias === undefined) return undefined;
    this.goFunctions ??= goFunctions(this.file, this.core.layout);
    const pc = address - this.bias;
    return this.goFunctions.find(({ from, to }) => pc >= from && pc < to)?.role;
  }

  /** Bytes of the module at an address of the process, from memory or from its file. */
  code(address: bigint, length: number): Buffer | undefined {
    const found = this.core.read(address, length);
    if (found || this.file === null || this.bias === undefined) return found;
    return this.file.read(address - this.bias, length);
  }

  /** The entry of an address of the process, and that address as the linker wrote it. */
  find(address: bigint): { entry: UnwindEntry; pc: bigint } | undefined {
    const { module, core } = this;
    if (module.bias !== null && module.again === null) {
      const bias = module.bias;
      this.inMemory ??= this.indexed(module.segments, (at, length) => core.read(at + bias, length));
      const entry = this.inMemory && this.remembered(this.inMemory, address - bias);
      if (entry) return { entry, pc: address - bias };
    }
    if (this.file === null || this.bias === undefined) return undefined;
    const pc = address - this.bias;
    const { file } = this;
    return this.attempt(() => {
      this.inFile ??= this.finders(file);
      const entry = this.inFile.reduce<UnwindEntry | undefined>((found, ask) => found ?? ask(pc), undefined);
      return entry && { entry, pc };
    });
  }

  /** Whether code can lie there: by the program headers; without them it can. */
  isCode(address: bigint): boolean {
    const segments = this.module.segments.length > 0 ? this.module.segments : (this.file?.segments ?? []);
    const { bias } = this;
    return (
      segments.length === 0 ||
      bias === undefined ||
      segments.some(
        (one) =>
          (one.flags & EXECUTABLE) !== 0 &&
          address - bias >= one.address &&
          address - bias < one.address + one.memory,
      )
    );
  }

  /** Memory may hold only a part of the table: the rest is then read from the file. */
  private remembered(finder: Finder, pc: bigint): UnwindEntry | undefined {
    try {
      return finder(pc);
    } catch (error) {
      if (error instanceof Ended || error instanceof Cut) return undefined;
      throw error;
    }
  }

  /** A malformed table ends the walk and has no other effect. */
  private attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof Ended || error instanceof Fault)
        throw new Cut('unwind_table_malformed', `the unwind table of ${this.module.path} ${error.message}`);
      throw error;
    }
  }

  /** By the linker's own index; null where there is none, or it has a form that cannot be searched. */
  private indexed(segments: Segment[], read: ReadBytes): Finder | null {
    const header = segments.find(({ type }) => type === GNU_EH_FRAME);
    if (!header) return null;
    const finder = new EntryFinder({ kind: 'eh_frame', layout: this.core.layout, read });
    if (!finder.hasIndex(header.address)) return null;
    return (pc) => finder.lookUp(pc, header.address);
  }

  private finders(file: ProgramFile): Finder[] {
    const { layout } = this.core;
    const index = this.indexed(file.segments, (at, length) => file.read(at, length));
    // Programs that are linked statically may have the table and no index of it.
    const own = index ? [index] : sectionFinders(file, layout, ['.eh_frame']);
    return [...own, ...sectionFinders(file, layout, ['.debug_frame'])];
  }
}
