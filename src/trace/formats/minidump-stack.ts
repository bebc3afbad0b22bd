/** Walks a stack of a minidump: by the unwind tables of modules where they are at hand, along frame pointers where they hold, else by searching it. */
import type { WalkEnd } from '../model/trace.ts';
import {
  type Caller,
  type CallerOf,
  REGISTER_NAMES,
  type RegisterNames,
  type Registers,
} from '../unwind/table.ts';

/** Where the registers stand in a thread's context (Microsoft, winnt.h; Breakpad, minidump_cpu_*.h). */
export interface Processor {
  arch: string;
  /** Bytes of an address, and bytes of a context that are read. */
  word: 4 | 8;
  contextBytes: number;
  names: RegisterNames;
  /** Where each register stands. */
  places: Readonly<Record<string, number>>;
  /** Where a leaf function's return address stays, on processors that have such a register. */
  link: string | null;
}

const placed = (names: readonly string[], from: number, each: number): Record<string, number> =>
  Object.fromEntries(names.map((name, i) => [name, from + each * i]));
const numbered = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);

const X86: Processor = {
  ...{ arch: 'x86', word: 4, contextBytes: 204, link: null, names: REGISTER_NAMES.x86! },
  places: { ...placed(['edi', 'esi', 'ebx', 'edx', 'ecx', 'eax', 'ebp', 'eip'], 156, 4), esp: 196 },
};
const AMD64: Processor = {
  ...{ arch: 'x86_64', word: 8, contextBytes: 256, link: null, names: REGISTER_NAMES.x86_64! },
  places: placed(
    ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', ...numbered('r', 8, 15), 'rip'],
    120,
    8,
  ),
};
const ARM64: Processor = {
  ...{ arch: 'arm64', word: 8, contextBytes: 272, link: 'x30', names: REGISTER_NAMES.arm64! },
  places: placed([...numbered('x', 0, 30), 'sp', 'pc'], 8, 8),
};
/** By the number in the system information; 0x8003 is what Breakpad wrote before Microsoft had one. */
export const PROCESSORS: Readonly<Record<number, Processor>> = { 0: X86, 9: AMD64, 12: ARM64, 32771: ARM64 };

/** Bytes of the thread's memory, and the address of the first. */
export interface Memory {
  from: bigint;
  bytes: Buffer;
}

export interface StackPlace {
  address: bigint;
  trust: 'context' | 'cfi' | 'fp' | 'scan';
  /** The thread stood here, or was interrupted here: no call lies before the address. */
  activation: boolean;
}

/** What a walk uses beside the stack: where code lies, and the tables for a place in it. */
export interface Surroundings {
  /** Whether an address lies in a module. */
  isCode: (address: bigint) => boolean;
  /** By the tables of the module that `at` lies in; undefined where there are none, or they do not cover it. */
  byTables: (
    at: bigint,
    level: Level,
    read: (address: bigint, bytes: number) => bigint | undefined,
  ) => CallerOf;
  /** Whether the rules of Windows hold. */
  windows: boolean;
}

/** A frame as far as it is known. */
export interface Level extends StackPlace {
  registers: Registers;
  parameterBytes: number;
}

export interface Walk {
  places: StackPlace[];
  ended: WalkEnd;
}

/** More frames than any stack has that ends. */
const MOST_FRAMES = 4096;
/** How far the next return address is searched for, in words: local variables lie between; farther up a hit would be chance. */
const SCAN_WORDS = 40;
const FIRST_SCAN_WORDS = 160;
/** In all threads of a dump together: many threads can claim one large stack. */
const MOST_SCANNED = 2_000_000;

const OUTERMOST: WalkEnd = { outermost: true, by: 'reenact', reason: null, detail: null, missing: 0 };
const cut = (reason: string, detail: string): WalkEnd => ({
  ...{ outermost: false, by: 'reenact', reason, detail, missing: null },
});

export class StackWalker {
  private readonly cpu: Processor;
  private readonly around: Surroundings;
  private scanned = 0;

  constructor(cpu: Processor, around: Surroundings) {
    this.cpu = cpu;
    this.around = around;
  }

  /** Arm signs return addresses in the bits above those of an address. */
  private plain(address: bigint): bigint {
    return this.cpu.link === null ? address : BigInt.asUintN(48, address);
  }

  private at(bytes: Buffer, offset: number): bigint {
    return this.cpu.word === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset));
  }

  private word(stack: Memory, address: bigint): bigint | undefined {
    const offset = address - stack.from;
    const held = offset >= 0n && offset + BigInt(this.cpu.word) <= BigInt(stack.bytes.length);
    return held ? this.at(stack.bytes, Number(offset)) : undefined;
  }

  private level(address: bigint, trust: StackPlace['trust'], registers: [string, bigint][]): Level {
    const known = new Map([[this.cpu.names.ip, address], ...registers]);
    return { address, trust, activation: false, registers: known, parameterBytes: 0 };
  }

  private sp({ registers }: Level): bigint {
    return registers.get(this.cpu.names.sp) ?? 0n;
  }

  /** Frame pointer and return address lie side by side. It only ever moves up the stack, so that a cycle cannot loop forever. */
  private byFramePointer(stack: Memory, level: Level): Level | undefined {
    const { names } = this.cpu;
    const [word, fp] = [BigInt(this.cpu.word), level.registers.get(names.fp)];
    if (fp === undefined || fp < this.sp(level) || fp % word !== 0n) return undefined;
    const [saved, back] = [this.word(stack, fp), this.word(stack, fp + word)];
    if (saved === undefined || back === undefined || !this.around.isCode(this.plain(back) - 1n))
      return undefined;
    return this.level(this.plain(back), 'fp', [
      [names.sp, fp + 2n * word],
      [names.fp, saved],
    ]);
  }

  private byScan(stack: Memory, level: Level, first: boolean): Level | undefined {
    const { word, names } = this.cpu;
    const sp = this.sp(level);
    const aligned = sp + ((BigInt(word) - (sp % BigInt(word))) % BigInt(word));
    const begin = Number(aligned - stack.from);
    const end = Math.min(stack.bytes.length, begin + word * (first ? FIRST_SCAN_WORDS : SCAN_WORDS));
    for (let offset = begin; offset + word <= end; offset += word) {
      if (++this.scanned > MOST_SCANNED) return undefined;
      const address = this.plain(this.at(stack.bytes, offset));
      if (!this.around.isCode(address - 1n)) continue;
      // A function that keeps a frame pointer saved its caller's right below the return address.
      const saved = offset >= word ? this.at(stack.bytes, offset - word) : 0n;
      return this.level(address, 'scan', [
        [names.sp, stack.from + BigInt(offset + word)],
        [names.fp, saved],
      ]);
    }
    return undefined;
  }

  /**
   * On x86-64 Windows a function that calls nothing keeps no frame: the return address is at the top of the stack.
   * Another function can have left an address there, so it counts as found by searching.
   */
  private byLeafReturn(stack: Memory, level: Level): Level | undefined {
    if (!this.around.windows || this.cpu.arch !== 'x86_64') return undefined;
    const sp = this.sp(level);
    const address = this.word(stack, sp);
    if (address === undefined || !this.around.isCode(address - 1n)) return undefined;
    const kept = [...level.registers].filter(([name]) => name !== this.cpu.names.ip);
    return this.level(address, 'scan', [...kept, [this.cpu.names.sp, sp + 8n]]);
  }

  /** The link register, where the stack does not say it: the caller of a leaf function, else a guess. */
  private byLink({ registers }: Level, next: Level | undefined): StackPlace[] {
    const link = this.cpu.link === null ? undefined : registers.get(this.cpu.link);
    if (link === undefined) return [];
    const address = this.plain(link);
    const isNew = address !== next?.address && this.around.isCode(address - 1n);
    return isNew ? [{ address, trust: 'scan', activation: false }] : [];
  }

  /** What tables say is checked against the stack: it goes up, and ends in code. */
  private isSound({ registers, interrupted }: Caller, level: Level): boolean {
    const { ip, sp } = this.cpu.names;
    const [address, top] = [registers.get(ip), registers.get(sp)];
    if (address === undefined || top === undefined) return false;
    const isLeaf = this.cpu.link !== null && level.trust === 'context';
    const upwards = isLeaf ? top >= this.sp(level) : top > this.sp(level);
    const plain = this.plain(address);
    return upwards && (plain === 0n || this.around.isCode(interrupted ? plain : plain - 1n));
  }

  private byTables(
    level: Level,
    memoryAt: (address: bigint) => Memory | undefined,
  ): Level | 'outermost' | undefined {
    const read = (address: bigint, bytes: number): bigint | undefined => {
      const memory = memoryAt(address);
      const offset = memory ? Number(address - memory.from) : -1;
      if (!memory || offset < 0 || offset + bytes > memory.bytes.length) return undefined;
      return bytes === 8
        ? memory.bytes.readBigUInt64LE(offset)
        : BigInt(memory.bytes.readUIntLE(offset, bytes));
    };
    const inside = level.activation || level.address === 0n ? level.address : level.address - 1n;
    const found = this.around.byTables(inside, level, read);
    if (found === undefined || found === 'outermost') return found;
    if (!this.isSound(found, level)) return undefined;
    const { registers, interrupted, parameterBytes } = found;
    const address = this.plain(registers.get(this.cpu.names.ip)!);
    const trust = interrupted ? 'context' : 'cfi';
    return { address, trust, activation: interrupted, registers, parameterBytes };
  }

  private first(context: Buffer): Level {
    const registers = new Map(
      Object.entries(this.cpu.places).map(([name, offset]) => [name, this.at(context, offset)]),
    );
    const address = registers.get(this.cpu.names.ip)!;
    return { address, trust: 'context', activation: true, registers, parameterBytes: 0 };
  }

  /** Innermost first: where the thread stood, then addresses that calls come back to, as they lie on the stack; and why it ends there. */
  walk(context: Buffer, memoryAt: (address: bigint) => Memory | undefined): Walk {
    let level = this.first(context);
    const places: StackPlace[] = [level];
    const stack = memoryAt(this.sp(level));
    if (!stack) {
      places.push(...this.byLink(level, undefined));
      return { places, ended: cut('no_memory', 'the dump does not have the stack') };
    }
    while (places.length < MOST_FRAMES) {
      const first = places.length === 1;
      const tabled = this.byTables(level, memoryAt);
      if (tabled === 'outermost') return { places, ended: OUTERMOST };
      if (tabled?.address === 0n)
        return { places, ended: cut('zero_return_address', 'its return address is 0') };
      const leaf = first && !tabled ? this.byLeafReturn(stack, level) : undefined;
      const caller = tabled ?? leaf ?? this.byFramePointer(stack, level) ?? this.byScan(stack, level, first);
      if (first && !tabled) places.push(...this.byLink(level, caller));
      if (!caller)
        return {
          places,
          ended: cut(
            'no_caller_found',
            'no table and no frame pointer leads on, and no return address lies near',
          ),
        };
      // The code that a handler returns to is no frame: what it interrupted is.
      if (caller.activation && places.length > 1) places.pop();
      places.push(caller);
      // Where a chain of frame pointers ends, the thread began; what lies above is chance. On Windows the frame pointer may hold anything.
      if (!this.around.windows && caller.trust === 'fp' && caller.registers.get(this.cpu.names.fp) === 0n)
        return {
          places,
          ended: places.some(({ trust }) => trust === 'scan')
            ? cut('searched', 'some of its frames were found by searching alone')
            : OUTERMOST,
        };
      level = caller;
    }
    return { places, ended: cut('too_many_frames', `at most ${MOST_FRAMES} frames are walked`) };
  }
}
