/** What a walk has to know about a processor: DWARF's numbers of its registers, where Linux keeps them, how handlers return. */
import type { Layout } from './reader.ts';

/** Registers by DWARF's numbers; the last one is the program counter. */
export type Registers = (bigint | undefined)[];

/** The code that a signal's handler returns to, and where the kernel left what it interrupted, from the stack pointer there. */
interface Trampoline {
  code: string;
  /** By DWARF's number: where that register is. */
  registers: number[];
}

export interface Processor extends Layout {
  arch: string;
  /** ELF's number of the processor. */
  machine: number;
  /** DWARF's numbers; `counter` is one behind its registers. */
  stack: number;
  frame: number;
  counter: number;
  /** The register of a return address for which there is no rule; null: there is none. */
  link: number | null;
  /** In NT_PRSTATUS (elf_prstatus): the thread's number, and by DWARF's number, each register. */
  thread: number;
  registers: number[];
  trampolines: Trampoline[];
  /** Bits of an address: above them, a return address may be signed. */
  addressBits: bigint;
  /** Whether the bytes before a return address are a call; null: not checked. */
  isCall: ((before: Buffer) => boolean) | null;
  /** Where the caller's frame pointer and the return address lie, counted from a function's own frame pointer. */
  saved: { frame: number; back: number };
}

const words = (from: number, word: number, places: number[]): number[] =>
  places.map((place) => from + word * place);
const range = (from: number, count: number, each: number): number[] =>
  Array.from({ length: count }, (_, n) => from + each * n);

/** call rel32, or FF /2 in any of its lengths. */
function isX86Call(before: Buffer): boolean {
  const at = (back: number): number => before[before.length - back] ?? 0;
  const isIndirect = (back: number): boolean => at(back) === 0xff && ((at(back - 1) >> 3) & 7) === 2;
  return at(5) === 0xe8 || [2, 3, 4, 6, 7].some(isIndirect);
}

/** bl or blr. */
function isArmCall(before: Buffer): boolean {
  if (before.length < 4) return false;
  const code = before.readUInt32LE(before.length - 4);
  return code >>> 26 === 0x25 || (code & 0xfffffc1f) >>> 0 === 0xd63f0000;
}

/** struct sigcontext, behind the flags, the link and the stack of struct ucontext. */
const X86_64_CONTEXT = words(40, 8, [13, 12, 14, 11, 9, 8, 10, 15, 0, 1, 2, 3, 4, 5, 6, 7, 16]);

const X86_64: Processor = {
  ...{ arch: 'x86_64', machine: 62, word: 8, little: true, stack: 7, frame: 6, counter: 16, link: null },
  thread: 32,
  registers: words(112, 8, [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16]),
  trampolines: [
    { code: '48c7c00f0000000f05', registers: X86_64_CONTEXT },
    { code: 'b80f0000000f05', registers: X86_64_CONTEXT },
  ],
  ...{ addressBits: 64n, isCall: isX86Call, saved: { frame: 0, back: 8 } },
};

const X86: Processor = {
  ...{ arch: 'x86', machine: 3, word: 4, little: true, stack: 4, frame: 5, counter: 8, link: null },
  thread: 24,
  registers: words(72, 4, [6, 1, 2, 0, 15, 5, 3, 4, 12]),
  trampolines: [
    // The old form's context lies behind the signal's number.
    { code: '58b877000000cd80', registers: words(4, 4, [11, 10, 9, 8, 7, 6, 5, 4, 14]) },
    // Number and two pointers, 128 bytes of siginfo, then the context behind flags, link and stack.
    { code: 'b8ad000000cd80', registers: words(12 + 128 + 20, 4, [11, 10, 9, 8, 7, 6, 5, 4, 14]) },
  ],
  ...{ addressBits: 32n, isCall: isX86Call, saved: { frame: 0, back: 4 } },
};

/** Behind 128 bytes of siginfo, and 176 of ucontext, an address. */
const ARM64_CONTEXT = 128 + 176 + 8;

const ARM64: Processor = {
  ...{ arch: 'arm64', machine: 183, word: 8, little: true, stack: 31, frame: 29, counter: 32, link: 30 },
  thread: 32,
  registers: range(112, 33, 8),
  trampolines: [{ code: '681180d2010000d4', registers: range(ARM64_CONTEXT, 33, 8) }],
  ...{ addressBits: 48n, isCall: isArmCall, saved: { frame: 0, back: 8 } },
};

const RISCV64: Processor = {
  ...{ arch: 'riscv', machine: 243, word: 8, little: true, stack: 2, frame: 8, counter: 32, link: 1 },
  thread: 32,
  // x0 is always 0; the counter stands in its place.
  registers: [...range(112, 32, 8), 112],
  trampolines: [{ code: '9308b00873000000', registers: [...range(128 + 176, 32, 8), 128 + 176] }],
  ...{ addressBits: 64n, isCall: null, saved: { frame: -16, back: -8 } },
};

const PROCESSORS: readonly Processor[] = [X86_64, X86, ARM64, RISCV64];

/** undefined: its registers are not supported. */
export function processorOf(machine: number, layout: Layout): Processor | undefined {
  return PROCESSORS.find(
    (one) => one.machine === machine && one.word === layout.word && one.little === layout.little,
  );
}
