/** What --json and --jsonl print, of every command: a fault is data there, too, so that a program reads one form alone. */

/** A fault or a refusal as programs read it: no result has all three. */
export interface JsonFault {
  code: string;
  message: string;
  next: string;
}

/** One array; a line for each object, at once; or, for one release, what each command printed before. */
type JsonForm = 'array' | 'lines' | 'compat';

/** Nothing is printed behind the end: an array that is closed stays whole when a command is cut off. */
export class JsonOutput {
  readonly #form: JsonForm;
  readonly #write: (text: string) => void;
  readonly #objects: unknown[] = [];
  #ended = false;

  constructor(form: JsonForm, write: (text: string) => void) {
    this.#form = form;
    this.#write = write;
  }

  /** The only result that a command has. */
  one(result: unknown): void {
    if (this.#form === 'compat') this.#write(`${JSON.stringify(result, null, 2)}\n`);
    else this.#add(result);
  }

  /** All results of a command that may have several, or none. */
  list(results: readonly unknown[]): void {
    if (this.#form === 'compat') this.#write(`${JSON.stringify(results, null, 2)}\n`);
    else for (const result of results) this.#add(result);
  }

  /** The next of several results, as soon as it is known. */
  next(result: unknown): void {
    if (this.#form === 'compat') this.#write(`${JSON.stringify(result)}\n`);
    else this.#add(result);
  }

  /** What went wrong, behind all that was found before it; the old forms say it on stderr alone. */
  fault({ code, message, next }: JsonFault): void {
    if (this.#form !== 'compat') this.#add({ code, message, next });
  }

  /** Prints the array; to be called once all is said, whether the command succeeded or not. */
  end(): void {
    if (this.#form === 'array' && !this.#ended) this.#write(`${JSON.stringify(this.#objects, null, 2)}\n`);
    this.#ended = true;
  }

  #add(object: unknown): void {
    if (this.#ended) return;
    if (this.#form === 'lines') this.#write(`${JSON.stringify(object)}\n`);
    else this.#objects.push(object);
  }
}

/** Of one word; a form that there is not is refused as an array. */
function formOf(word: string): JsonForm | undefined {
  if (word === '--jsonl') return 'lines';
  if (word === '--json=compat') return 'compat';
  return word === '--json' || word.startsWith('--json=') ? 'array' : undefined;
}

/** The form that a command line asks for, the last of several, or undefined. It is read from the words alone: a
 * command line that cannot be read otherwise is refused as JSON, too. */
export function jsonOutput(
  args: readonly string[],
  write: (text: string) => void = (text) => process.stdout.write(text),
): JsonOutput | undefined {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const form = own.flatMap((word) => formOf(word) ?? []).at(-1);
  return form && new JsonOutput(form, write);
}
