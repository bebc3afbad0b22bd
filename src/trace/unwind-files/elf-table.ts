/** The DWARF tables of an ELF file, .eh_frame and .debug_frame, for stacks that are walked by register names. */

import { Ended } from '../../objects/common/cursor.ts';
import { LOAD_SEGMENT } from '../../objects/elf/segments.ts';
import { extentOf } from '../core/modules.ts';
import { ProgramFile } from '../core/program-file.ts';
import { type Finder, sectionFinders } from '../core/section-tables.ts';
import { type Processor, processorOf } from '../unwind/processor.ts';
import { Cut } from '../unwind/reader.ts';
import { rowAt } from '../unwind/rules.ts';
import { callerOf } from '../unwind/step.ts';
import {
  type Callee,
  type CallerOf,
  REGISTER_NAMES,
  type RegisterNames,
  type Registers,
  type UnwindTable,
} from '../unwind/table.ts';

export class ElfTable implements UnwindTable {
  private readonly finders: Finder[];
  private readonly cpu: Processor;
  private readonly names: RegisterNames;
  private readonly lowest: bigint;

  private constructor(finders: Finder[], cpu: Processor, names: RegisterNames, lowest: bigint) {
    [this.finders, this.cpu, this.names, this.lowest] = [finders, cpu, names, lowest];
  }

  /** undefined: it has no tables, or is for another processor. Throws a Fault where it is no ELF file. */
  static of(path: string, arch: string): ElfTable | undefined {
    const file = new ProgramFile(path);
    try {
      const names = REGISTER_NAMES[arch];
      const cpu = processorOf(file.machine, file.layout);
      if (!names || cpu?.arch !== arch) return undefined;
      if (!file.segments.some(({ type }) => type === LOAD_SEGMENT)) return undefined;
      const finders = sectionFinders(file, file.layout, ['.eh_frame', '.debug_frame']);
      return finders.length === 0
        ? undefined
        : new ElfTable(finders, cpu, names, extentOf(file.segments).lowest);
    } catch (error) {
      if (error instanceof Ended) return undefined;
      throw error;
    } finally {
      file.close();
    }
  }

  callerOf(callee: Callee): CallerOf {
    try {
      return this.step(callee);
    } catch (error) {
      // The entry needs an unknown register or memory that was not dumped, or is malformed: other tables may help.
      if (error instanceof Cut || error instanceof Ended) return undefined;
      throw error;
    }
  }

  private step({ offset, registers, read }: Callee): CallerOf {
    const { cpu, names } = this;
    const pc = BigInt(offset) + this.lowest;
    const entry = this.finders.map((find) => find(pc)).find((found) => found !== undefined);
    if (!entry) return undefined;
    const known = names.dwarf.map((name) => registers.get(name));
    const load = (address: bigint, bytes: number): bigint => {
      const value = read(address, bytes);
      if (value === undefined) throw new Cut('no_memory', 'its stack is not in the dump');
      return value;
    };
    const machine = { layout: cpu, register: (number: number) => known[number], load };
    const caller = callerOf(rowAt(entry, cpu, pc), entry.returnColumn, known, cpu, machine);
    if (caller === null) return 'outermost';
    // A register that a function may change is unknown in its caller, unless a rule gives it.
    const found: Registers = new Map();
    for (const [number, value] of caller.entries()) {
      const name = names.dwarf[number];
      if (name !== undefined && value !== undefined) found.set(name, value);
    }
    return { registers: found, interrupted: entry.signal, parameterBytes: 0 };
  }
}
