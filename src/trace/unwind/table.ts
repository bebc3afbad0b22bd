/** What tables that a compiler or linker wrote say of a function's frame: how its caller's registers are found again. */

/** By their names on that processor, as Breakpad writes them without `$`: rip, rsp, rbx; eip, ebp; pc, sp, x29. */
export type Registers = Map<string, bigint>;

/** Reads 1, 2, 4 or 8 bytes of the thread's memory as a number; undefined where the dump does not have them. */
export type ReadMemory = (address: bigint, bytes: number) => bigint | undefined;

/** A frame of which the caller is asked for. */
export interface Callee {
  /** Distance of the instruction from the image's beginning; of a return address, the byte before. */
  offset: number;
  registers: Registers;
  read: ReadMemory;
  /** Whether an address lies in a module: what a return address has to be. */
  isCode: (address: bigint) => boolean;
  /** Bytes of arguments that the frame below it was called with and takes off the stack itself (x86, Windows). */
  calleeParameterBytes: number;
  /** The frame that the thread stood in. */
  innermost: boolean;
}

export interface Caller {
  /** Those that are known of the caller. */
  registers: Registers;
  /** The callee is what a signal handler returns to: the caller was interrupted, and did not call. */
  interrupted: boolean;
  parameterBytes: number;
}

/** `outermost`: the tables say that nothing called this function. */
export type CallerOf = Caller | 'outermost' | undefined;

/** The tables of one image. What they say is hostile: the walker checks that it goes up the stack and ends in code. */
export interface UnwindTable {
  /** Undefined where the tables say nothing of this place. */
  callerOf(callee: Callee): CallerOf;
}

/** Which registers mean what on a processor, and what DWARF calls them by number. */
export interface RegisterNames {
  ip: string;
  sp: string;
  fp: string;
  word: 4 | 8;
  /** By DWARF's number (System V ABI supplements). */
  dwarf: readonly string[];
  /** Those that a function leaves as they were, and a caller therefore still has where no rule says otherwise. */
  kept: readonly string[];
}

const numbered = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);

export const REGISTER_NAMES: Readonly<Record<string, RegisterNames>> = {
  x86: {
    ...{ ip: 'eip', sp: 'esp', fp: 'ebp', word: 4 },
    dwarf: ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip'],
    kept: ['ebx', 'ebp', 'esi', 'edi'],
  },
  x86_64: {
    ...{ ip: 'rip', sp: 'rsp', fp: 'rbp', word: 8 },
    dwarf: ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', ...numbered('r', 8, 15), 'rip'],
    kept: ['rbx', 'rbp', ...numbered('r', 12, 15)],
  },
  arm64: {
    ...{ ip: 'pc', sp: 'sp', fp: 'x29', word: 8 },
    dwarf: [...numbered('x', 0, 30), 'sp', 'pc'],
    kept: numbered('x', 19, 29),
  },
};

/** The registers a caller has for certain: those that are kept. */
export function keptOf(registers: Registers, { kept }: RegisterNames): Registers {
  return new Map([...registers].filter(([name]) => kept.includes(name)));
}
