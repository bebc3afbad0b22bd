/** A place in a script as an address: the line in the upper 32 bits, the column in the lower ones, both from 1. */
import { hex } from '../../base/hex.ts';

/** Languages whose stacks name lines of files instead of addresses: the value that stands in place of a processor in their images. */
const SCRIPTS: readonly (string | null)[] = ['javascript', 'python', 'java', 'dotnet'];

/** Whether places in an image are lines. */
export function isScript(arch: string | null): boolean {
  return SCRIPTS.includes(arch);
}

/** As V8 counts them; column 0 where only the line is known. */
export interface ScriptPlace {
  line: number;
  column: number;
}

const MOST = 2 ** 32 - 1;

/** The rel_addr of a place; null where no script can have such a place. */
export function encodePlace(line: number, column: number): string | null {
  if (!Number.isInteger(line) || line < 1 || line > MOST) return null;
  const whole = Number.isInteger(column) && column >= 0 && column <= MOST;
  return hex((BigInt(line) << 32n) | BigInt(whole ? column : 0));
}

/** The place that a rel_addr stands for; null where it is none. */
export function decodePlace(relAddr: string): ScriptPlace | null {
  if (!/^0x[0-9a-f]{1,16}$/.test(relAddr)) return null;
  const value = BigInt(relAddr);
  const line = Number(value >> 32n);
  return line === 0 ? null : { line, column: Number(value & 0xffff_ffffn) };
}
