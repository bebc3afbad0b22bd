/** Evaluates a DWARF expression (DWARF 5, section 2.5) as it occurs in unwind tables: arithmetic over registers and memory. */
import { Ended } from '../../objects/common/cursor.ts';
import { Cut, type Layout, TableReader } from './reader.ts';

/** What an expression can ask for. */
export interface Machine {
  layout: Layout;
  /** undefined: not known in this frame. */
  register(number: number): bigint | undefined;
  /** An unsigned number; throws Cut where the memory is not at hand. */
  load(address: bigint, bytes: number): bigint;
}

/** The most steps, so that an expression with a loop ends. */
const MOST_STEPS = 10_000;
const MOST_VALUES = 256;

class Evaluation {
  private readonly machine: Machine;
  private readonly reader: TableReader;
  private readonly bits: number;
  private readonly stack: bigint[];

  constructor(code: Buffer, machine: Machine, initial: bigint[]) {
    this.machine = machine;
    this.reader = new TableReader(code, machine.layout, 0n);
    this.bits = 8 * machine.layout.word;
    this.stack = [...initial];
  }

  run(): bigint {
    for (let steps = 0; this.reader.left > 0; steps++) {
      if (steps > MOST_STEPS) throw new Ended('has an expression without end');
      this.step(Number(this.reader.unsigned(1)));
    }
    return this.pop();
  }

  private push(value: bigint): void {
    if (this.stack.length >= MOST_VALUES) throw new Ended('has an expression of too many values');
    this.stack.push(BigInt.asUintN(this.bits, value));
  }

  private pop(): bigint {
    const value = this.stack.pop();
    if (value === undefined) throw new Ended('has an expression that takes what is not there');
    return value;
  }

  private signed(value: bigint): bigint {
    return BigInt.asIntN(this.bits, value);
  }

  private pick(depth: number): bigint {
    const value = this.stack.at(-1 - depth);
    if (value === undefined) throw new Ended('has an expression that takes what is not there');
    return value;
  }

  private of(register: number): bigint {
    const value = this.machine.register(register);
    if (value === undefined)
      throw new Cut('register_unknown', `register ${register} is not known in this frame`);
    return value;
  }

  private step(opcode: number): void {
    if (opcode === 0x13) this.pop();
    else if (opcode === 0x16 || opcode === 0x17) this.rotate(opcode - 0x14);
    else if (opcode === 0x28 || opcode === 0x2f) this.jump(opcode === 0x2f);
    else if (opcode !== 0x96) this.push(this.value(opcode));
  }

  private value(opcode: number): bigint {
    const { reader } = this;
    if (opcode >= 0x30 && opcode <= 0x4f) return BigInt(opcode - 0x30);
    if (opcode >= 0x70 && opcode <= 0x8f) return this.of(opcode - 0x70) + reader.signedLeb();
    if (opcode >= 0x08 && opcode <= 0x11) return this.constant(opcode);
    if ((opcode >= 0x19 && opcode <= 0x27) || (opcode >= 0x29 && opcode <= 0x2e)) return this.compute(opcode);
    return this.other(opcode);
  }

  private constant(opcode: number): bigint {
    const { reader } = this;
    if (opcode === 0x10) return BigInt(reader.leb());
    if (opcode === 0x11) return reader.signedLeb();
    const width = 2 ** ((opcode - 0x08) >> 1);
    return opcode % 2 === 0 ? reader.unsigned(width) : reader.signed(width);
  }

  private other(opcode: number): bigint {
    const { reader, machine } = this;
    switch (opcode) {
      case 0x03:
        return reader.unsigned(machine.layout.word);
      case 0x06:
        return machine.load(this.pop(), machine.layout.word);
      case 0x94: {
        const bytes = Number(reader.unsigned(1));
        if (![1, 2, 4, machine.layout.word].includes(bytes)) throw new Ended(`reads ${bytes} bytes at once`);
        return machine.load(this.pop(), bytes);
      }
      case 0x92:
        return this.of(reader.leb()) + reader.signedLeb();
      case 0x12:
        return this.pick(0);
      case 0x14:
        return this.pick(1);
      case 0x15:
        return this.pick(Number(reader.unsigned(1)));
      default:
        throw new Ended(`has the operation 0x${opcode.toString(16)} in an expression`);
    }
  }

  /** The topmost of `count` values goes below the others. */
  private rotate(count: number): void {
    const top = this.pop();
    this.pick(count - 2);
    this.stack.splice(this.stack.length - (count - 1), 0, top);
  }

  private jump(always: boolean): void {
    const by = Number(this.reader.signed(2));
    if (!always && this.pop() === 0n) return;
    const to = this.reader.at + by;
    if (to < 0 || to > this.reader.bytes.length) throw new Ended('has an expression that leaves itself');
    this.reader.at = to;
  }

  private compute(opcode: number): bigint {
    const top = this.pop();
    if (opcode === 0x23) return top + BigInt(this.reader.leb());
    if (opcode === 0x19) return this.signed(top) < 0n ? -this.signed(top) : top;
    if (opcode === 0x1f) return -top;
    if (opcode === 0x20) return ~top;
    return this.binary(opcode, this.pop(), top);
  }

  private binary(opcode: number, a: bigint, b: bigint): bigint {
    const [x, y] = [this.signed(a), this.signed(b)];
    const count = b < BigInt(this.bits) ? b : BigInt(this.bits);
    if ((opcode === 0x1b || opcode === 0x1d) && b === 0n) throw new Ended('divides by zero');
    const results: Record<number, () => bigint> = {
      26: () => a & b,
      27: () => x / y,
      28: () => a - b,
      29: () => a % b,
      30: () => a * b,
      33: () => a | b,
      34: () => a + b,
      36: () => a << count,
      37: () => a >> count,
      38: () => x >> count,
      39: () => a ^ b,
      41: () => BigInt(x === y),
      42: () => BigInt(x >= y),
      43: () => BigInt(x > y),
      44: () => BigInt(x <= y),
      45: () => BigInt(x < y),
      46: () => BigInt(x !== y),
    };
    return results[opcode]!();
  }
}

/** The value on top at the end; `initial` lies on the stack before it begins. Throws Ended or Cut. */
export function evaluate(code: Buffer, machine: Machine, initial: bigint[]): bigint {
  return new Evaluation(code, machine, initial).run();
}
