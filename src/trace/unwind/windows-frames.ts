/** Frames of x86 as PDBs describe them (Microsoft, FRAMEDATA and FPO_DATA), which Breakpad files repeat as STACK WIN. */
import { runPostfix } from './postfix.ts';
import { type Callee, type Caller, keptOf, REGISTER_NAMES } from './table.ts';

export interface WindowsFrame {
  start: number;
  size: number;
  parameterBytes: number;
  savedBytes: number;
  localBytes: number;
  /** The program that finds registers; null for a function that has none and is described by its sizes alone. */
  program: string | null;
  /** Without a program: the function uses ebp for something else, and saves it first. */
  usesBasePointer: boolean;
}

const X86 = REGISTER_NAMES.x86!;
/** If the stack was aligned, the frame may begin up to this many words farther up. */
const ALIGNED_WORDS = 3;

const program = (frame: WindowsFrame): string => {
  if (frame.program !== null) return frame.program;
  const saved = frame.usesBasePointer ? '$ebp $esp .cbCalleeParams + .cbSavedRegs + 8 - ^ = ' : '';
  return `${saved}$eip .raSearchStart ^ = $esp .raSearchStart 4 + =`;
};

/**
 * The caller, as Breakpad and dbghelp find it: the return address lies above locals and saved registers, a few words
 * farther where the stack was aligned. `isCode` tells a return address from other values that may lie there.
 */
export function callerByFrame(
  frame: WindowsFrame,
  { registers, read, isCode, calleeParameterBytes }: Callee,
): Caller | undefined {
  const [esp, ebp] = [registers.get('esp'), registers.get('ebp')];
  if (esp === undefined || ebp === undefined) return undefined;
  let search = esp + BigInt(calleeParameterBytes + frame.localBytes + frame.savedBytes);
  for (let words = 0; words <= ALIGNED_WORDS; words++) {
    const at = search + BigInt(4 * words);
    const back = read(at, 4);
    if (back === undefined || !isCode(back - 1n)) continue;
    search = at;
    break;
  }
  const variables = new Map([
    ['$esp', esp],
    ['$ebp', ebp],
    ['.cbCalleeParams', BigInt(calleeParameterBytes)],
    ['.cbParams', BigInt(frame.parameterBytes)],
    ['.cbSavedRegs', BigInt(frame.savedBytes)],
    ['.cbLocals', BigInt(frame.localBytes)],
    ['.raSearch', search],
    ['.raSearchStart', search],
  ]);
  for (const name of ['ebx', 'esi', 'edi']) {
    const known = registers.get(name);
    if (known !== undefined) variables.set(`$${name}`, known);
  }
  if (runPostfix(program(frame), variables, { read, word: 4 }) === undefined) return undefined;
  const found = keptOf(registers, X86);
  for (const name of ['eip', 'esp', 'ebp', 'ebx', 'esi', 'edi']) {
    const value = variables.get(`$${name}`);
    if (value !== undefined) found.set(name, value);
  }
  return found.has('eip')
    ? { registers: found, interrupted: false, parameterBytes: frame.parameterBytes }
    : undefined;
}
