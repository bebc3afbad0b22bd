/** Functions of Go's runtime that a walk must know: calls that are in no source, and where a goroutine begins. */
import { Numbers } from '../../objects/elf/header.ts';
import type { Layout } from '../unwind/reader.ts';
import type { ProgramFile } from './program-file.ts';

/** `injected`: called at the place of a fault or of an interrupted instruction, so its return address belongs to no call. `outermost`: nothing called it. */
type Role = 'injected' | 'outermost';

/** Addresses as the linker gave them. */
export interface GoFunction {
  role: Role;
  from: bigint;
  to: bigint;
}

const ROLES: ReadonlyMap<string, Role> = new Map([
  ['runtime.sigpanic', 'injected'],
  ['runtime.sigpanic0', 'injected'],
  ['runtime.asyncPreempt', 'injected'],
  ['runtime.goexit', 'outermost'],
  ['runtime.mstart', 'outermost'],
  ['runtime.rt0_go', 'outermost'],
]);
const RUNTIME = Buffer.from('runtime.');
const SYMBOL_BYTES = { 4: 16, 8: 24 } as const;

/** Empty for a program that is not written in Go or is stripped of its symbols. */
export function goFunctions(file: ProgramFile, { word, little }: Layout): GoFunction[] {
  if (!file.sections.some(({ name }) => name.endsWith('.gopclntab'))) return [];
  const [table, names] = [file.section('.symtab')?.bytes, file.section('.strtab')?.bytes];
  if (!table || !names) return [];
  const n = new Numbers(table, little);
  const wide = word === 8;
  const found: GoFunction[] = [];
  for (let at = 0; at + SYMBOL_BYTES[word] <= table.length; at += SYMBOL_BYTES[word]) {
    const name = n.u32(at);
    // All of them begin like this, so most names need not be read.
    if (!names.subarray(name, name + RUNTIME.length).equals(RUNTIME)) continue;
    const text = names.toString('latin1', name, names.indexOf(0, name)).replace(/\.abi\d$/, '');
    const role = ROLES.get(text);
    if (!role) continue;
    const from = n.word(at + (wide ? 8 : 4), wide);
    found.push({ role, from, to: from + n.word(at + (wide ? 16 : 8), wide) });
  }
  return found;
}
