/** Names as people wrote them, for display and for comparing readers (base/function-name.ts): the store keeps the linker's names. */

import { exec } from '../base/exec.ts';
import { itemAt } from '../base/list.ts';

/** A short name can expand to an endless one: if the result is too long, or takes too long, the name stays as it is. */
const LIMITS = { timeoutMs: 10_000, outputBytes: 4 << 20, env: { LC_ALL: 'C' } };
/** At once, and in all. */
const NAMES_AT_ONCE = 200;
const MOST_NAMES = 4000;
const MOST_LENGTH = 4096;
/** Itanium's, Rust's and D's begin so; Microsoft's with a question mark. */
const MANGLED = /^(?:_{1,4}Z|_R|_D\d)[A-Za-z0-9_.$]+$/;
const MICROSOFT = /^\?[A-Za-z0-9_.$@?]+$/;

/** `each`: how many lines the program prints for a name; the last of them is the answer. */
async function ask(program: string, each: number, names: string[]): Promise<[string, string][]> {
  if (names.length > NAMES_AT_ONCE)
    return [
      ...(await ask(program, each, names.slice(0, NAMES_AT_ONCE))),
      ...(await ask(program, each, names.slice(NAMES_AT_ONCE))),
    ];
  if (names.length === 0) return [];
  try {
    const { stdout } = await exec(program, names, LIMITS);
    const lines = Buffer.from(stdout).toString('utf8').split('\n').filter(Boolean);
    if (lines.length !== each * names.length) return [];
    return names.map((name, n) => [name, itemAt(lines, each * (n + 1) - 1)]);
  } catch {
    return [];
  }
}

/** What these names were before the compiler changed them; those that cannot be demangled are left out. */
export async function demangled(names: readonly string[]): Promise<Map<string, string>> {
  const unique = [...new Set(names)].filter(({ length }) => length <= MOST_LENGTH);
  const itanium = unique.filter((name) => MANGLED.test(name)).slice(0, MOST_NAMES);
  const microsoft = unique.filter((name) => MICROSOFT.test(name)).slice(0, MOST_NAMES);
  return new Map([
    ...(await ask('llvm-cxxfilt-19', 1, itanium)),
    ...(await ask('llvm-undname-19', 2, microsoft)),
  ]);
}
