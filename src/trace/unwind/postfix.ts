/** Programs in postfix form, as Breakpad and PDBs write how registers are found (Breakpad, docs/symbol_files.md). */
import type { ReadMemory } from './table.ts';

/** More words than any compiler writes; each word is one step. */
const MOST_WORDS = 1024;

const OPERATIONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0n ? undefined : a / b),
  '%': (a, b) => (b === 0n ? undefined : a % b),
  // Rounds down to a multiple of a power of two.
  '@': (a, b) => (b > 0n && (b & (b - 1n)) === 0n ? a & ~(b - 1n) : undefined),
};

/**
 * Runs a program over variables, which its assignments change. Numbers are of `word` bytes. Returns what stands on the
 * stack in the end; undefined where the program is malformed, or a variable or memory is missing.
 */
export function runPostfix(
  program: string,
  variables: Map<string, bigint>,
  { read, word }: { read: ReadMemory; word: 4 | 8 },
): bigint[] | undefined {
  // Linkers write an assignment right before the next word.
  const words = program
    .replaceAll('=', ' = ')
    .trim()
    .split(/\s+/, MOST_WORDS + 1);
  if (words.length > MOST_WORDS) return undefined;
  const stack: (bigint | string)[] = [];
  const value = (one: bigint | string | undefined): bigint | undefined =>
    typeof one === 'string' ? variables.get(one) : one;
  for (const one of words) {
    const operation = Object.hasOwn(OPERATIONS, one) ? OPERATIONS[one] : undefined;
    if (one === '=') {
      const [to, name] = [value(stack.pop()), stack.pop()];
      if (to === undefined || typeof name !== 'string') return undefined;
      variables.set(name, to);
    } else if (one === '^') {
      const at = value(stack.pop());
      const found = at === undefined ? undefined : read(at, word);
      if (found === undefined) return undefined;
      stack.push(found);
    } else if (operation) {
      const [b, a] = [value(stack.pop()), value(stack.pop())];
      const found = a === undefined || b === undefined ? undefined : operation(a, b);
      if (found === undefined) return undefined;
      stack.push(BigInt.asUintN(8 * word, found));
    } else if (/^-?\d{1,20}$/.test(one)) stack.push(BigInt.asUintN(8 * word, BigInt(one)));
    else stack.push(one);
  }
  const found = stack.map(value);
  return found.every((one) => one !== undefined) ? (found as bigint[]) : undefined;
}
