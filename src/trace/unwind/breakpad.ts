/** The STACK records of a Breakpad symbol file (Breakpad, docs/symbol_files.md): CFI for all processors, WIN for x86. */
import type { FileBytes } from '../../objects/common/bytes.ts';
import { runPostfix } from './postfix.ts';
import { type Range, rangeAt, sorted } from './ranges.ts';
import {
  type Callee,
  type CallerOf,
  keptOf,
  REGISTER_NAMES,
  type Registers,
  type UnwindTable,
} from './table.ts';
import { callerByFrame, type WindowsFrame } from './windows-frames.ts';

/** A file is held whole while a trace is walked by it. */
const MOST_BYTES = 512 << 20;
const MOST_RECORDS = 4_000_000;
const MOST_LINE = 8192;
/** Changes within one function. */
const MOST_CHANGES = 65_536;

/** Where the rules of a function stand in the file. */
interface Rules extends Range {
  at: number;
}

const hex = (text: string): number => Number.parseInt(text, 16);

/** `NAME: EXPRESSION` one after the other; a later rule of a register replaces an earlier one. */
function addRules(text: string, rules: Map<string, string>): void {
  let name: string | undefined;
  let words: string[] = [];
  const take = (): void => {
    if (name !== undefined) rules.set(name, words.join(' '));
  };
  for (const word of text.split(/\s+/))
    if (word.endsWith(':')) {
      take();
      [name, words] = [word.slice(0, -1), []];
    } else words.push(word);
  take();
}

export class BreakpadTable implements UnwindTable {
  private readonly bytes: Buffer;
  private readonly arch: string;
  private readonly rules: Rules[] = [];
  private readonly frames: Record<'program' | 'plain', WindowsFrame[]> = { program: [], plain: [] };

  constructor(file: FileBytes, arch: string) {
    this.bytes = file.whole(MOST_BYTES);
    this.arch = arch;
    let records = 0;
    for (let at = this.bytes.indexOf('\nSTACK '); at >= 0; at = this.bytes.indexOf('\nSTACK ', at + 1)) {
      if (++records > MOST_RECORDS) throw file.wrong(`more than ${MOST_RECORDS} STACK records`);
      const line = this.lineAt(at + 1);
      const [, start, size] = /^STACK CFI INIT ([0-9a-f]{1,13}) ([0-9a-f]{1,13}) /i.exec(line) ?? [];
      if (start !== undefined) this.rules.push({ start: hex(start), size: hex(size!), at: at + 1 });
      else if (line.startsWith('STACK WIN ')) this.addFrame(line);
    }
    sorted(this.rules);
    sorted(this.frames.program);
    sorted(this.frames.plain);
  }

  private lineAt(at: number): string {
    const found = this.bytes.indexOf(10, at);
    const end = Math.min(found < 0 ? this.bytes.length : found, at + MOST_LINE);
    return this.bytes.toString('latin1', at, end).trimEnd();
  }

  /** STACK WIN type start size prologue epilogue parameters saved locals most has_program (program | uses_base_pointer) */
  private addFrame(line: string): void {
    const words = line.split(' ');
    const [start, size, , , parameterBytes, savedBytes, localBytes] = words.slice(3, 10).map(hex);
    if (![start, size, parameterBytes, savedBytes, localBytes].every((one) => Number.isSafeInteger(one)))
      return;
    const about = {
      ...{ start: start!, size: size!, parameterBytes: parameterBytes!, savedBytes: savedBytes! },
      localBytes: localBytes!,
    };
    if (words[11] === '1')
      this.frames.program.push({ ...about, program: words.slice(12).join(' '), usesBasePointer: false });
    else this.frames.plain.push({ ...about, program: null, usesBasePointer: words[12] === '1' });
  }

  /** The rules that hold at an address: those of the function, and the changes up to there. */
  private rulesAt({ start, at }: Rules, offset: number): Map<string, string> {
    const found = new Map<string, string>();
    const first = this.lineAt(at).split(' ');
    addRules(first.slice(5).join(' '), found);
    let next = at;
    for (let i = 0; i < MOST_CHANGES; i++) {
      next = this.bytes.indexOf(10, next) + 1;
      const [, from, rules] =
        /^STACK CFI ([0-9a-f]{1,13}) (.*)$/i.exec(next === 0 ? '' : this.lineAt(next)) ?? [];
      if (from === undefined || hex(from) > offset || hex(from) < start) break;
      addRules(rules!, found);
    }
    return found;
  }

  private byRules(found: Rules, { offset, registers, read }: Callee): CallerOf {
    const names = REGISTER_NAMES[this.arch];
    const rules = this.rulesAt(found, offset);
    if (!names) return undefined;
    const { word } = names;
    // Some writers put a dollar sign before a register, others do not.
    const variables = new Map(
      [...registers].flatMap(
        ([name, value]) =>
          [
            [name, value],
            [`$${name}`, value],
          ] as const,
      ),
    );
    const run = (program: string | undefined): bigint | undefined =>
      program === undefined ? undefined : runPostfix(program, variables, { read, word })?.at(-1);
    const cfa = run(rules.get('.cfa'));
    if (cfa === undefined) return undefined;
    variables.set('.cfa', cfa);
    const back = run(rules.get('.ra'));
    if (back === undefined) return rules.get('.ra') === '.undef' ? 'outermost' : undefined;
    const caller: Registers = keptOf(registers, names);
    caller.set(names.sp, cfa);
    for (const [name, program] of rules) {
      const value = name.startsWith('.') ? undefined : run(program);
      if (value !== undefined) caller.set(name.replace(/^\$/, ''), value);
    }
    caller.set(names.ip, back);
    return { registers: caller, interrupted: false, parameterBytes: 0 };
  }

  callerOf(callee: Callee): CallerOf {
    const rules = rangeAt(this.rules, callee.offset);
    if (rules) return this.byRules(rules, callee);
    if (this.arch !== 'x86') return undefined;
    const frame = rangeAt(this.frames.program, callee.offset) ?? rangeAt(this.frames.plain, callee.offset);
    return frame && callerByFrame(frame, callee);
  }
}
