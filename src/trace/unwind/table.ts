/** Unwind tables of compilers and linkers: how the registers of a function's caller are recovered. */

/** By their names on that processor, as Breakpad writes them without `$`: rip, rsp, rbx; eip, ebp; pc, sp, x29. */
export type Registers = Map<string, bigint>;

/** Reads 1, 2, 4 or 8 bytes of the thread's memory as a number; undefined where the dump does not have them. */
export type ReadMemory = (address: bigint, bytes: number) => bigint | undefined;

/** A frame whose caller is wanted. */
export interface Callee {
  /** Distance of the instruction from the image's beginning; for a return address, of the byte before it. */
  offset: number;
  registers: Registers;
  read: ReadMemory;
  /** Whether an address lies in a module, as every return address must. */
  isCode: (address: bigint) => boolean;
  /** Bytes of arguments that the called function removes from the stack itself (x86, Windows). */
  calleeParameterBytes: number;
  /** The frame that the thread stood in. */
  innermost: boolean;
}

export interface Caller {
  /** The caller's registers that are known. */
  registers: Registers;
  /** The callee is what a signal handler returns to: the caller was interrupted and made no call. */
  interrupted: boolean;
  parameterBytes: number;
}

/** `outermost`: the tables say that nothing called this function. */
export type CallerOf = Caller | 'outermost' | undefined;

/** The tables of one image. Their content is hostile: the walker checks that it goes up the stack and ends in code. */
export interface UnwindTable {
  /** Undefined where the tables do not cover this place. */
  callerOf(callee: Callee): CallerOf;
}

/** The roles of a processor's registers, and their numbers in DWARF. */
export interface RegisterNames {
  ip: string;
  sp: string;
  fp: string;
  word: 4 | 8;
  /** By DWARF's number (System V ABI supplements). */
  dwarf: readonly string[];
  /** Registers that a function preserves, so that the caller still has them where no rule says otherwise. */
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

/** The registers that a caller certainly still has: the preserved ones. */
export function keptOf(registers: Registers, { kept }: RegisterNames): Registers {
  return new Map([...registers].filter(([name]) => kept.includes(name)));
}
