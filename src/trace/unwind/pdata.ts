/** The unwind table of x86-64 programs of Windows (Microsoft, "x64 exception handling"): .pdata, found by the exception directory. */
import { type Range, rangeAt, sorted } from './ranges.ts';
import {
  type Callee,
  type CallerOf,
  keptOf,
  REGISTER_NAMES,
  type Registers,
  type UnwindTable,
} from './table.ts';

/** Bytes of the image at a distance from its beginning; undefined where the file has none. */
export type ReadImage = (address: number, length: number) => Buffer | undefined;

const ENTRY_BYTES = 12;
const MOST_FUNCTIONS = 2_000_000;
/** An entry may continue in another one, for code that the compiler moved away. */
const MOST_CHAINED = 32;
const CHAINED = 4;
const NAMES = REGISTER_NAMES.x86_64!;
/** By the numbers of instructions' encoding. */
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', ...NAMES.dwarf.slice(8, 16)];

interface Entry extends Range {
  info: number;
}

/** What the prologue did, undone. */
class Undo {
  readonly registers: Registers;
  private readonly callee: Callee;
  /** rsp as the prologue left it. */
  private base: bigint;
  sp: bigint;
  interrupted = false;

  constructor(callee: Callee) {
    this.callee = callee;
    this.registers = keptOf(callee.registers, NAMES);
    // Windows keeps two more.
    for (const name of ['rsi', 'rdi']) {
      const value = callee.registers.get(name);
      if (value !== undefined) this.registers.set(name, value);
    }
    this.sp = callee.registers.get('rsp') ?? 0n;
    this.base = this.sp;
  }

  private load(register: string, at: bigint): boolean {
    const value = this.callee.read(at, 8);
    if (value !== undefined) this.registers.set(register, value);
    return value !== undefined;
  }

  /** The frame register holds rsp as it was at some point of the prologue. */
  useFrame(number: number, offset: number): boolean {
    const value = this.callee.registers.get(REGISTERS[number]!);
    if (value === undefined) return false;
    this.base = value - BigInt(16 * offset);
    return true;
  }

  /** One operation of the prologue; false where it cannot be undone. `more` are the slots behind it. */
  step(operation: number, info: number, more: Buffer): boolean {
    switch (operation) {
      case 0:
        if (!this.load(REGISTERS[info]!, this.sp)) return false;
        this.sp += 8n;
        return true;
      case 1:
        this.sp += info === 0 ? 8n * BigInt(more.readUInt16LE(0)) : BigInt(more.readUInt32LE(0));
        return true;
      case 2:
        this.sp += BigInt(8 * info + 8);
        return true;
      case 3:
        this.sp = this.base;
        return true;
      case 4:
        return this.load(REGISTERS[info]!, this.base + 8n * BigInt(more.readUInt16LE(0)));
      case 5:
        return this.load(REGISTERS[info]!, this.base + BigInt(more.readUInt32LE(0)));
      case 10:
        return this.machineFrame(info);
      default:
        // Floating-point registers do not help to find a caller; 6 describes the function's end.
        return operation <= 9;
    }
  }

  /** The registers that the processor itself saved when it was interrupted. */
  private machineFrame(code: number): boolean {
    const at = this.sp + (code === 1 ? 8n : 0n);
    const [ip, sp] = [this.callee.read(at, 8), this.callee.read(at + 24n, 8)];
    if (ip === undefined || sp === undefined) return false;
    this.registers.set('rip', ip);
    [this.sp, this.interrupted] = [sp, true];
    return true;
  }

  returned(): boolean {
    if (this.interrupted) return true;
    if (!this.load('rip', this.sp)) return false;
    this.sp += 8n;
    return true;
  }
}

/** How many slots an operation has behind its first one. */
function slotsBehind(operation: number, info: number): number {
  if (operation === 1) return info === 0 ? 1 : 2;
  return { 4: 1, 5: 2, 6: 0, 7: 1, 8: 1, 9: 2 }[operation] ?? 0;
}

export class PdataTable implements UnwindTable {
  private readonly read: ReadImage;
  private readonly entries: Entry[];

  /** `directory` holds the bytes of the exception directory. */
  constructor(directory: Buffer, read: ReadImage) {
    this.read = read;
    const count = Math.min(MOST_FUNCTIONS, Math.floor(directory.length / ENTRY_BYTES));
    this.entries = sorted(
      Array.from({ length: count }, (_, i) => this.entryAt(directory, ENTRY_BYTES * i)).filter(
        ({ size }) => size > 0,
      ),
    );
  }

  private entryAt(bytes: Buffer, at: number): Entry {
    const start = bytes.readUInt32LE(at);
    return { start, size: bytes.readUInt32LE(at + 4) - start, info: bytes.readUInt32LE(at + 8) };
  }

  /** Undoes what one entry describes, and the entry that it goes on in. `done` bytes of the function were executed. */
  private undo(entry: Entry, done: number, undo: Undo): boolean {
    let [info, reached]: [number, number] = [entry.info, done];
    for (let n = 0; n < MOST_CHAINED; n++) {
      const head = this.read(info, 4);
      if (!head || (head[0]! & 7) > 2 || (head[0]! & 7) === 0) return false;
      const [flags, count, frame] = [head[0]! >> 3, head[2]!, head[3]!];
      const codes = this.read(info + 4, 2 * count);
      if (!codes) return false;
      if ((frame & 15) !== 0 && reached >= head[1]! && !undo.useFrame(frame & 15, frame >> 4)) return false;
      for (let at = 0; at + 2 <= codes.length; ) {
        const [operation, more] = [codes[at + 1]! & 15, codes[at + 1]! >> 4];
        const slots = slotsBehind(operation, more);
        const behind = codes.subarray(at + 2, at + 2 + 2 * slots);
        if (behind.length < 2 * slots) return false;
        if (codes[at]! <= reached && !undo.step(operation, more, behind)) return false;
        at += 2 + 2 * slots;
      }
      if ((flags & CHAINED) === 0) return true;
      const next = this.read(info + 4 + 2 * (count + (count % 2)), ENTRY_BYTES);
      if (!next) return false;
      [info, reached] = [next.readUInt32LE(8), Number.POSITIVE_INFINITY];
    }
    return false;
  }

  callerOf(callee: Callee): CallerOf {
    const entry = rangeAt(this.entries, callee.offset);
    // A function without an entry calls nothing and keeps nothing: only the innermost can be one.
    if (!entry && !callee.innermost) return undefined;
    const undo = new Undo(callee);
    // A caller has executed its whole prologue before the call.
    if (entry && !this.undo(entry, callee.offset - entry.start, undo)) return undefined;
    if (!undo.returned()) return undefined;
    undo.registers.set('rsp', undo.sp);
    return { registers: undo.registers, interrupted: undo.interrupted, parameterBytes: 0 };
  }
}
