/** From a frame to its caller, by the rules of an unwind table. */
import type { Machine } from './expression.ts';
import { evaluate } from './expression.ts';
import type { Processor, Registers } from './processor.ts';
import { Cut } from './reader.ts';
import type { Row, Rule } from './rules.ts';

/** The caller's registers; null: nothing called this frame. */
export function callerOf(
  { frame, rules }: Row,
  returnColumn: number,
  registers: Registers,
  cpu: Processor,
  machine: Machine,
): Registers | null {
  if (!frame) throw new Cut('unwind_table_malformed', 'its unwind table gives no frame address');
  const bits = 8 * cpu.word;
  const wrapped = (value: bigint): bigint => BigInt.asUintN(bits, value);
  const known = (number: number): bigint => {
    const value = registers[number];
    if (value === undefined)
      throw new Cut('register_unknown', `register ${number}, which its unwind table asks for, is not known`);
    return value;
  };
  const address =
    'code' in frame ? evaluate(frame.code, machine, []) : wrapped(known(frame.register) + frame.offset);

  const valueBy = (rule: Rule, number: number): bigint | undefined => {
    switch (rule.kind) {
      case 'undefined':
        return undefined;
      case 'same':
        return registers[number];
      case 'offset':
        return machine.load(wrapped(address + rule.offset), cpu.word);
      case 'value_offset':
        return wrapped(address + rule.offset);
      case 'register':
        return registers[rule.register];
      case 'expression':
        return machine.load(evaluate(rule.code, machine, [address]), cpu.word);
      case 'value_expression':
        return evaluate(rule.code, machine, [address]);
    }
  };

  const back = rules.get(returnColumn);
  if (back?.kind === 'undefined') return null;
  const caller: Registers = registers.map((value, number) => {
    const rule = rules.get(number);
    if (number === cpu.stack && !rule) return address;
    if (!rule || number === cpu.counter) return value;
    return valueBy(rule, number);
  });
  if (!back && cpu.link !== returnColumn)
    throw new Cut('unwind_table_malformed', 'its unwind table gives no return address');
  const counter = back ? valueBy(back, returnColumn) : registers[returnColumn];
  if (counter === undefined)
    throw new Cut('register_unknown', 'the register with its return address is not known');
  caller[cpu.counter] = BigInt.asUintN(Number(cpu.addressBits), counter);
  return caller;
}
