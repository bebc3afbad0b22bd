/** Runs the program of an unwind entry (DWARF 5, section 6.4.2) up to an address: where the caller's registers are kept. */
import { Ended } from '../../objects/common/cursor.ts';
import type { UnwindEntry } from './entries.ts';
import { type Layout, TableReader } from './reader.ts';

/** Where one register of the caller is. */
export type Rule =
  | { kind: 'undefined' | 'same' }
  | { kind: 'offset' | 'value_offset'; offset: bigint }
  | { kind: 'register'; register: number }
  | { kind: 'expression' | 'value_expression'; code: Buffer };

/** The frame's own address (CFA): from a register, or computed. */
type FrameAddress = { register: number; offset: bigint } | { code: Buffer };

export interface Row {
  frame: FrameAddress | undefined;
  rules: Map<number, Rule>;
}

const MOST_REMEMBERED = 256;

/** One entry's program as it runs. */
class Program {
  private row: Row;
  private readonly initial: Row;
  private readonly entry: UnwindEntry;
  private readonly layout: Layout;
  private location: bigint;
  private readonly remembered: Row[] = [];

  constructor(entry: UnwindEntry, layout: Layout, initial: Row) {
    [this.entry, this.layout, this.initial] = [entry, layout, initial];
    this.row = copied(initial);
    this.location = entry.from;
  }

  /** The row that holds at `pc`. */
  run(code: Buffer, at: bigint, pc: bigint): Row {
    const reader = new TableReader(code, this.layout, at);
    while (reader.left > 0) {
      const opcode = Number(reader.unsigned(1));
      const moved = this.moved(opcode, reader);
      if (moved !== undefined) {
        if (moved > pc) break;
        this.location = moved;
      } else if (opcode >= 0x80) this.compact(opcode, reader);
      else this.apply(opcode, reader);
    }
    return this.row;
  }

  /** The address to which an instruction advances; undefined for all other instructions. */
  private moved(opcode: number, reader: TableReader): bigint | undefined {
    const by = (units: bigint): bigint => this.location + units * BigInt(this.entry.codeUnit);
    if (opcode >> 6 === 1) return by(BigInt(opcode & 0x3f));
    if (opcode === 0x01) return reader.pointer(this.entry.encoding, 0n);
    if (opcode >= 0x02 && opcode <= 0x04) return by(reader.unsigned(2 ** (opcode - 2)));
    return undefined;
  }

  private compact(opcode: number, reader: TableReader): void {
    const register = opcode & 0x3f;
    if (opcode >= 0xc0) this.restore(register);
    else this.set(register, { kind: 'offset', offset: BigInt(reader.leb()) * this.entry.dataUnit });
  }

  private set(register: number, rule: Rule): void {
    this.row.rules.set(register, rule);
  }

  private restore(register: number): void {
    const first = this.initial.rules.get(register);
    if (first) this.set(register, first);
    else this.row.rules.delete(register);
  }

  private scaled(reader: TableReader, signed: boolean): bigint {
    return (signed ? reader.signedLeb() : BigInt(reader.leb())) * this.entry.dataUnit;
  }

  private apply(opcode: number, reader: TableReader): void {
    switch (opcode) {
      case 0x00:
      case 0x2d: // AArch64: the return address is signed from here on; its upper bits are removed in any case.
        return;
      case 0x2e:
        reader.leb();
        return;
      case 0x0a:
        if (this.remembered.length >= MOST_REMEMBERED) throw new Ended('remembers too many rows');
        this.remembered.push(copied(this.row));
        return;
      case 0x0b: {
        const row = this.remembered.pop();
        if (!row) throw new Ended('restores a row that it did not remember');
        this.row = row;
        return;
      }
      case 0x0c:
      case 0x0d:
      case 0x0e:
      case 0x0f:
      case 0x12:
      case 0x13:
        this.frame(opcode, reader);
        return;
      default:
        this.register(opcode, reader);
    }
  }

  private register(opcode: number, reader: TableReader): void {
    const register = reader.leb();
    if (opcode === 0x06) this.restore(register);
    else this.set(register, this.ruleOf(opcode, reader));
  }

  private ruleOf(opcode: number, reader: TableReader): Rule {
    switch (opcode) {
      case 0x05:
      case 0x11:
        return { kind: 'offset', offset: this.scaled(reader, opcode === 0x11) };
      case 0x07:
        return { kind: 'undefined' };
      case 0x08:
        return { kind: 'same' };
      case 0x09:
        return { kind: 'register', register: reader.leb() };
      case 0x10:
        return { kind: 'expression', code: reader.block() };
      case 0x14:
      case 0x15:
        return { kind: 'value_offset', offset: this.scaled(reader, opcode === 0x15) };
      case 0x16:
        return { kind: 'value_expression', code: reader.block() };
      case 0x2f:
        return { kind: 'offset', offset: -this.scaled(reader, false) };
      default:
        throw new Ended(`has the instruction 0x${opcode.toString(16)}`);
    }
  }

  private frame(opcode: number, reader: TableReader): void {
    const before = this.row.frame;
    const of = before && 'register' in before ? before : undefined;
    if (opcode === 0x0f) {
      this.row.frame = { code: reader.block() };
      return;
    }
    if (opcode === 0x0c || opcode === 0x12) {
      const register = reader.leb();
      this.row.frame = {
        register,
        offset: opcode === 0x0c ? BigInt(reader.leb()) : this.scaled(reader, true),
      };
      return;
    }
    if (!of) throw new Ended('changes a frame address that it did not give');
    if (opcode === 0x0d) this.row.frame = { ...of, register: reader.leb() };
    else
      this.row.frame = { ...of, offset: opcode === 0x0e ? BigInt(reader.leb()) : this.scaled(reader, true) };
  }
}

function copied({ frame, rules }: Row): Row {
  return { frame, rules: new Map(rules) };
}

/** The rules that hold at `pc`, which is the linker's address. Throws Ended where the entry is malformed. */
export function rowAt(entry: UnwindEntry, layout: Layout, pc: bigint): Row {
  const none: Row = { frame: undefined, rules: new Map() };
  const initial = new Program(entry, layout, none).run(entry.initial, 0n, entry.to);
  return new Program(entry, layout, initial).run(entry.program, entry.programAt, pc);
}
