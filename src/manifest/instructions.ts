/** Splits run_instructions by shell word rules; no shell is involved, so its operators are refused, not ignored. */
import type { Problem } from '../base/json.ts';

/** Inside quotes or not, only $seed is a variable: any other would silently stay text. */
const VARIABLE = /^\$(?:seed(?![A-Za-z0-9_])|\{seed\})/;

type State = 'plain' | 'single' | 'double';

class Splitter {
  readonly words: string[] = [];
  readonly problems: string[] = [];
  private word: string | undefined;
  private state: State = 'plain';
  private readonly text: string;
  private readonly seed: string;
  constructor(text: string, seed: number) {
    this.text = text;
    this.seed = String(seed);
  }

  run(): void {
    for (let at = 0; at < this.text.length; ) at += this.step(at);
    if (this.state !== 'plain') this.problems.push(`a ${this.state} quote is not closed`);
    this.endWord();
    if (this.words.length === 0) this.problems.push('no command is named');
  }

  private endWord(): void {
    if (this.word !== undefined) this.words.push(this.word);
    this.word = undefined;
  }

  private add(text: string): void {
    this.word = (this.word ?? '') + text;
  }

  /** Consumes what stands at `at` and returns its length. */
  private step(at: number): number {
    const char = this.text[at]!;
    if (this.state === 'single') {
      if (char === "'") this.state = 'plain';
      else this.add(char);
      return 1;
    }
    if (char === '\\') return this.escape(at);
    if (char === '$') return this.variable(at);
    if (char === '`') this.problems.push("a backtick would need a shell: write sh -c '…'");
    if (this.state === 'double') {
      if (char === '"') this.state = 'plain';
      else this.add(char);
      return 1;
    }
    if (char === "'" || char === '"') {
      this.state = char === "'" ? 'single' : 'double';
      this.add('');
    } else if (/[ \t\n]/.test(char)) this.endWord();
    else {
      if (/[|&;<>()]/.test(char))
        this.problems.push(`"${char}" would need a shell: write sh -c '…', or quote it`);
      this.add(char);
    }
    return 1;
  }

  private escape(at: number): number {
    const next = this.text[at + 1];
    if (next === undefined) this.problems.push('it ends in a backslash');
    else if (this.state === 'double' && !'$`"\\\n'.includes(next)) this.add(`\\${next}`);
    else if (next !== '\n') this.add(next);
    return 2;
  }

  private variable(at: number): number {
    const found = VARIABLE.exec(this.text.slice(at));
    if (!found) {
      this.problems.push("only $seed is substituted: put single quotes around any other '$'");
      this.add('$');
      return 1;
    }
    this.add(this.seed);
    return found[0].length;
  }
}

/** The argument vector of run_instructions, or every problem with it. */
export function splitInstructions(text: string, seed: number): { argv: string[]; problems: Problem[] } {
  const splitter = new Splitter(text, seed);
  splitter.run();
  const unique = [...new Set(splitter.problems)];
  return {
    argv: splitter.words,
    problems: unique.map((message) => ({ path: '$.run_instructions', message })),
  };
}

/** One word quoted so that splitInstructions gives it back unchanged. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
