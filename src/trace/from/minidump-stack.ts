/** Walks a stack of a minidump without unwind tables: along frame pointers where they hold, else by searching it. */

/** Where the registers stand in a thread's context (Microsoft, winnt.h; Breakpad, minidump_cpu_*.h). */
export interface Processor {
  arch: string;
  /** Bytes of an address, and of a context as far as it is read. */
  word: 4 | 8;
  contextBytes: number;
  ip: number;
  sp: number;
  fp: number;
  /** Where a leaf function's return address stays, on processors that have such a register. */
  link: number | null;
}

const X86: Processor = { arch: 'x86', word: 4, contextBytes: 204, ip: 184, sp: 196, fp: 180, link: null };
const AMD64: Processor = {
  arch: 'x86_64',
  word: 8,
  contextBytes: 256,
  ip: 248,
  sp: 152,
  fp: 160,
  link: null,
};
const ARM64: Processor = {
  arch: 'arm64',
  word: 8,
  contextBytes: 272,
  ip: 264,
  sp: 256,
  fp: 240,
  link: 248,
};
/** By the number in the system information; 0x8003 is what Breakpad wrote before Microsoft had one. */
export const PROCESSORS: Readonly<Record<number, Processor>> = { 0: X86, 9: AMD64, 12: ARM64, 32771: ARM64 };

/** Bytes of the thread's memory, and the address of the first. */
export interface Memory {
  from: bigint;
  bytes: Buffer;
}

export interface Place {
  address: bigint;
  trust: 'context' | 'fp' | 'scan';
}

/** More than any stack that is not endless. */
const MOST_FRAMES = 4096;
/** How far the next return address is searched for, in words: locals lie between; farther up it would be chance. */
const SCAN_WORDS = 40;
const FIRST_SCAN_WORDS = 160;
/** In all threads of a dump together: many threads can claim one large stack. */
const MOST_SCANNED = 2_000_000;

interface Caller extends Place {
  sp: bigint;
  fp: bigint;
}

export class StackWalker {
  private readonly cpu: Processor;
  private readonly isCode: (address: bigint) => boolean;
  private readonly leafReturns: boolean;
  private scanned = 0;

  /** `isCode` says whether an address lies in a module; `windows`: whether the rules of Windows hold. */
  constructor(cpu: Processor, isCode: (address: bigint) => boolean, windows: boolean) {
    this.cpu = cpu;
    this.leafReturns = windows && cpu.arch === 'x86_64';
    this.isCode = isCode;
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

  /** Frame pointer and return address lie side by side. It only ever moves up the stack, so that no ring is walked. */
  private byFramePointer(stack: Memory, sp: bigint, fp: bigint): Caller | undefined {
    const word = BigInt(this.cpu.word);
    if (fp < sp || fp % word !== 0n) return undefined;
    const [saved, back] = [this.word(stack, fp), this.word(stack, fp + word)];
    if (saved === undefined || back === undefined || !this.isCode(this.plain(back) - 1n)) return undefined;
    return { address: this.plain(back), trust: 'fp', sp: fp + 2n * word, fp: saved };
  }

  private byScan(stack: Memory, sp: bigint, first: boolean): Caller | undefined {
    const { word } = this.cpu;
    const aligned = sp + ((BigInt(word) - (sp % BigInt(word))) % BigInt(word));
    const begin = Number(aligned - stack.from);
    const end = Math.min(stack.bytes.length, begin + word * (first ? FIRST_SCAN_WORDS : SCAN_WORDS));
    for (let offset = begin; offset + word <= end; offset += word) {
      if (++this.scanned > MOST_SCANNED) return undefined;
      const address = this.plain(this.at(stack.bytes, offset));
      if (!this.isCode(address - 1n)) continue;
      // A function that keeps a frame pointer saved its caller's right below the return address.
      const saved = offset >= word ? this.at(stack.bytes, offset - word) : 0n;
      return { address, trust: 'scan', sp: stack.from + BigInt(offset + word), fp: saved };
    }
    return undefined;
  }

  /**
   * On Windows a function of x86-64 that calls nothing keeps no frame: its caller is where the top of the stack says.
   * Another one can have left an address there, so that it counts as found by searching.
   */
  private byLeafReturn(stack: Memory, sp: bigint, fp: bigint): Caller | undefined {
    const address = this.leafReturns ? this.word(stack, sp) : undefined;
    if (address === undefined || !this.isCode(address - 1n)) return undefined;
    return { address, trust: 'scan', sp: sp + 8n, fp };
  }

  /** What the link register says, where the stack does not say it: of a leaf function its caller, else a guess. */
  private byLink(context: Buffer, next: Caller | undefined): Place[] {
    if (this.cpu.link === null) return [];
    const address = this.plain(this.at(context, this.cpu.link));
    return address !== next?.address && this.isCode(address - 1n) ? [{ address, trust: 'scan' }] : [];
  }

  /** Innermost first: where the thread stood, then addresses that calls come back to, as they lie on the stack. */
  walk(context: Buffer, memoryAt: (sp: bigint) => Memory | undefined): Place[] {
    const found: Place[] = [{ address: this.at(context, this.cpu.ip), trust: 'context' }];
    let [sp, fp] = [this.at(context, this.cpu.sp), this.at(context, this.cpu.fp)];
    const stack = memoryAt(sp);
    if (!stack) return [...found, ...this.byLink(context, undefined)];
    while (found.length < MOST_FRAMES) {
      const first = found.length === 1;
      const leaf = first ? this.byLeafReturn(stack, sp, fp) : undefined;
      const caller = leaf ?? this.byFramePointer(stack, sp, fp) ?? this.byScan(stack, sp, first);
      if (first) found.push(...this.byLink(context, caller));
      if (!caller) break;
      found.push({ address: caller.address, trust: caller.trust });
      // Where a chain of frame pointers ends, the thread began; what lies above is chance.
      if (caller.trust === 'fp' && caller.fp === 0n) break;
      [sp, fp] = [caller.sp, caller.fp];
    }
    return found;
  }
}
