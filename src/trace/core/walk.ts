/** Walks one thread of a core from its registers outwards, and says how the walk ended. */

import { Ended } from '../../objects/common/cursor.ts';
import { Numbers } from '../../objects/elf/header.ts';
import type { FrameTrust, WalkEnd } from '../model/trace.ts';
import type { Machine } from '../unwind/expression.ts';
import type { Processor, Registers } from '../unwind/processor.ts';
import { Cut } from '../unwind/reader.ts';
import { rowAt } from '../unwind/rules.ts';
import { callerOf } from '../unwind/step.ts';
import type { CoreFile } from './memory.ts';
import type { CoreModule } from './modules.ts';
import type { ModuleTables } from './tables.ts';

export interface WalkedFrame {
  address: bigint;
  activation: boolean;
  trust: FrameTrust;
}

/** A module as a walk needs it. */
export interface WalkedModule {
  module: CoreModule;
  tables: ModuleTables;
}

/** More frames than any stack has that ends. */
const MOST_FRAMES = 4096;
const BY = 'reenact';
/** Of code before a return address, and at a trampoline. */
const CALL_BYTES = 8;
const TRAMPOLINE_BYTES = 16;
/** The code that a program begins with calls functions that never return. */
const ENTRY_BYTES = 64n;

const ABSENT = {
  not_mapped: 'nothing is mapped there',
  not_dumped: 'the core was written without it (coredump_filter, or a limit on its size)',
  cut_off: 'the core ends before it: the file was cut off',
} as const;

interface Level {
  registers: Registers;
  activation: boolean;
  trust: FrameTrust;
}

const OUTERMOST: WalkEnd = { outermost: true, by: BY, reason: null, detail: null, missing: 0 };

/** What the walk of one core rests on. */
export class CoreWalker {
  private readonly core: CoreFile;
  private readonly cpu: Processor;
  /** Where the program begins, which nothing calls. */
  private readonly entry: bigint | undefined;
  private readonly at: (address: bigint) => WalkedModule | undefined;

  constructor(
    core: CoreFile,
    cpu: Processor,
    entry: bigint | undefined,
    at: (address: bigint) => WalkedModule | undefined,
  ) {
    [this.core, this.cpu, this.entry, this.at] = [core, cpu, entry, at];
  }

  /** Innermost first. */
  walk(registers: Registers): { frames: WalkedFrame[]; ended: WalkEnd } {
    let level: Level = { registers, activation: true, trust: 'context' };
    const frames: WalkedFrame[] = [];
    const seen = new Set<string>();
    for (;;) {
      const address = level.registers[this.cpu.counter]!;
      frames.push({ address, activation: level.activation, trust: level.trust });
      if (frames.length >= MOST_FRAMES) return this.cut(frames, 'limit', `at most ${MOST_FRAMES} are walked`);
      try {
        const next = this.next(level);
        if (!next) return { frames, ended: OUTERMOST };
        const key = `${next.registers[this.cpu.counter]} ${next.registers[this.cpu.stack]}`;
        if (seen.has(key)) throw new Cut('loop', 'its caller was met before');
        seen.add(key);
        level = next;
      } catch (error) {
        if (error instanceof Cut) return this.cut(frames, error.reason, error.message);
        if (error instanceof Ended)
          return this.cut(frames, 'unwind_table_malformed', `its unwind table ${error.message}`);
        throw error;
      }
    }
  }

  private cut(
    frames: WalkedFrame[],
    reason: string,
    detail: string,
  ): { frames: WalkedFrame[]; ended: WalkEnd } {
    const place = `after frame ${frames.length - 1}: ${detail}`;
    return { frames, ended: { outermost: false, by: BY, reason, detail: place, missing: null } };
  }

  /** The frame that called this one, past the code that a handler returns to; null: nothing did. */
  private next(level: Level): Level | null {
    const caller = this.caller(level);
    return caller && (this.interrupted(caller) ?? caller);
  }

  private caller(level: Level): Level | null {
    const { cpu } = this;
    const address = level.registers[cpu.counter]!;
    const inside = level.activation || address === 0n ? address : address - 1n;
    const here = this.at(inside);
    const role = here?.tables.goRole(inside);
    if (role === 'outermost') return null;
    const found = here?.tables.find(inside);
    if (!found) return this.withoutTable(level, here);
    const row = rowAt(found.entry, this.core.layout, found.pc);
    const registers = callerOf(row, found.entry.returnColumn, level.registers, cpu, this.machine(level));
    if (!registers) return null;
    // An overwritten stack can hold zeros as well.
    if (registers[cpu.counter] === 0n) throw new Cut('zero_return_address', 'its return address is 0');
    const injected = role === 'injected';
    return {
      registers,
      activation: found.entry.signal || injected,
      trust: found.entry.signal ? 'context' : 'cfi',
    };
  }

  private machine({ registers }: Level): Machine {
    return {
      layout: this.core.layout,
      register: (number) => registers[number],
      load: (address, bytes) => this.load(address, bytes),
    };
  }

  /** A number of the process's memory; Cut where the core does not have it. */
  private load(address: bigint, bytes: number): bigint {
    const found = this.core.read(address, bytes);
    if (!found)
      throw new Cut(
        'no_memory',
        `its stack at 0x${address.toString(16)}: ${ABSENT[this.core.absence(address)]}`,
      );
    const n = new Numbers(found, this.core.layout.little);
    if (bytes === 8) return n.u64(0);
    if (bytes === 4) return BigInt(n.u32(0));
    return BigInt(bytes === 2 ? n.u16(0) : found[0]!);
  }

  private code(address: bigint, length: number): Buffer | undefined {
    const here = this.at(address);
    return here ? here.tables.code(address, length) : this.core.read(address, length);
  }

  /** The frame that a signal handler returns to was interrupted and made no call, so its address is exact. */
  private interrupted({ registers }: Level): Level | undefined {
    const { cpu } = this;
    const counter = registers[cpu.counter]!;
    const code = this.code(counter, TRAMPOLINE_BYTES)?.toString('hex') ?? '';
    const found = cpu.trampolines.find((one) => code.startsWith(one.code));
    const stack = registers[cpu.stack];
    if (!found || stack === undefined) return undefined;
    const saved = found.registers.map((at) => this.load(stack + BigInt(at), cpu.word));
    return { registers: saved, activation: true, trust: 'context' };
  }

  /** Some writers of cores leave a mapping of code out of the list of memory. */
  private isCode(address: bigint): boolean {
    return this.at(address)?.tables.isCode(address) ?? this.core.isExecutable(address);
  }

  private isReturnAddress(address: bigint): boolean {
    if (!this.isCode(address - 1n)) return false;
    if (this.cpu.isCall === null) return true;
    const before = this.code(address - BigInt(CALL_BYTES), CALL_BYTES);
    return before !== undefined && this.cpu.isCall(before);
  }

  /** Without a table: a call to a place without code, the end of a program's start code, or a valid frame pointer. */
  private withoutTable(level: Level, here: WalkedModule | undefined): Level | null {
    const { cpu } = this;
    const counter = level.registers[cpu.counter]!;
    if (level.activation && !this.isCode(counter)) return this.calledNowhere(level, counter);
    const { entry } = this;
    if (entry !== undefined && counter >= entry && counter < entry + ENTRY_BYTES) return null;
    const lack = here?.tables.lack;
    if (lack) throw new Cut(lack.reason, lack.detail);
    const frame = level.registers[cpu.frame];
    const what = here ? `${here.module.path} has no unwind table for this code` : 'this code is in no module';
    // All that the processor's own rules say about the last frame's pointer.
    if (frame === 0n && level.trust === 'fp') return null;
    const caller = frame === undefined ? undefined : this.byFramePointer(level, frame);
    if (!caller)
      throw new Cut(here ? 'no_unwind_table' : 'no_module', `${what}, and no frame pointer leads on`);
    return caller;
  }

  private byFramePointer({ registers }: Level, frame: bigint): Level | undefined {
    const { cpu, core } = this;
    const stack = registers[cpu.stack] ?? 0n;
    if (frame < stack || frame % BigInt(cpu.word) !== 0n) return undefined;
    const [saved, back] = [
      core.word(frame + BigInt(cpu.saved.frame)),
      core.word(frame + BigInt(cpu.saved.back)),
    ];
    if (saved === undefined || back === undefined) return undefined;
    const counter = BigInt.asUintN(Number(cpu.addressBits), back);
    if (!this.isReturnAddress(counter)) return undefined;
    const caller: Registers = registers.map(() => undefined);
    const above = cpu.saved.frame < 0 ? frame : frame + 2n * BigInt(cpu.word);
    [caller[cpu.counter], caller[cpu.frame], caller[cpu.stack]] = [counter, saved, above];
    return { registers: caller, activation: false, trust: 'fp' };
  }

  /** A call has just been made: the return address is where calls leave it. */
  private calledNowhere({ registers }: Level, counter: bigint): Level {
    const { cpu } = this;
    const stack = registers[cpu.stack]!;
    const back = cpu.link === null ? this.load(stack, cpu.word) : registers[cpu.link]!;
    const caller = [...registers];
    caller[cpu.counter] = BigInt.asUintN(Number(cpu.addressBits), back);
    if (cpu.link === null) caller[cpu.stack] = stack + BigInt(cpu.word);
    if (!this.isReturnAddress(caller[cpu.counter]!))
      throw new Cut('not_code', `no code lies at 0x${counter.toString(16)}, and no call led there`);
    return { registers: caller, activation: false, trust: 'cfi' };
  }
}
