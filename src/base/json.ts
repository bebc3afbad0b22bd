/** A strict JSON parser (RFC 8259): duplicate keys, a byte-order mark, bad UTF-8 and deep nesting are refused. */

/** A place in a document and what is wrong there; the path is JSONPath, "$" the root. */
export interface Problem {
  path: string;
  message: string;
  hint?: string;
}

/** A problem as one line: where, what, and what would be right. */
export function showProblem({ path, message, hint }: Problem): string {
  return `${path} ${message}${hint ? ` (${hint})` : ''}`;
}

export interface JsonLimits {
  sizeBytes: number;
  depth: number;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

const TOKEN =
  /[ \t\n\r]*(?:([{}[\]:,"])|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))/y;
/** What ends or interrupts the plain part of a string; control characters may not stand in one. */
const SPECIAL = /["\\\u0000-\u001f]/g;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class JsonSyntaxError extends Error {}

/** JSONPath of a member, bracketed where a dot would be ambiguous. */
export function memberPath(path: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/** Repeated names and lone surrogates that are listed. */
const MAX_PROBLEMS = 1000;

/** More would be a way to make a reader busy: 33 MB can hold sixteen million zeros. */
const MAX_VALUES = 2_000_000;

function pathOf(parent: string, key: string | number | null): string {
  if (key === null) return parent;
  return typeof key === 'number' ? `${parent}[${key}]` : memberPath(parent, key);
}

class Parser {
  readonly problems: Problem[] = [];
  private at = 0;
  private values = 0;
  private readonly text: string;
  private readonly maxDepth: number;
  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  document(): unknown {
    const value = this.value('$', null, 0, this.token());
    if (/[^ \t\n\r]/.test(this.text.slice(this.at))) throw this.error('data after the end of the document');
    return value;
  }

  private error(message: string): JsonSyntaxError {
    const before = this.text.slice(0, this.at);
    const line = before.split('\n').length;
    return new JsonSyntaxError(`${message} at line ${line}, column ${this.at - before.lastIndexOf('\n')}`);
  }

  private token(): string {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (!found) throw this.error(this.at >= this.text.length ? 'the document ends too early' : 'not JSON');
    this.at = TOKEN.lastIndex;
    return found[1] === '"' ? this.string() : (found[1] ?? found[2] ?? found[3] ?? '');
  }

  /** The rest of a string, piece by piece: one expression over all of it would exhaust the stack. */
  private string(): string {
    const start = this.at - 1;
    for (;;) {
      SPECIAL.lastIndex = this.at;
      const special = SPECIAL.exec(this.text);
      if (!special) throw this.error('a string does not end');
      this.at = special.index;
      if (special[0] === '"') return this.text.slice(start, ++this.at);
      ESCAPE.lastIndex = this.at;
      if (!ESCAPE.test(this.text)) throw this.error('not JSON');
      this.at = ESCAPE.lastIndex;
    }
  }

  private value(parent: string, key: string | number | null, depth: number, token: string): unknown {
    if (depth > this.maxDepth) throw this.error(`nested deeper than ${this.maxDepth} levels`);
    if (++this.values > MAX_VALUES) throw this.error(`more than ${MAX_VALUES} values`);
    if (token === '{') return this.object(pathOf(parent, key), depth);
    if (token === '[') return this.array(pathOf(parent, key), depth);
    if (/^[}\]:,]$/.test(token)) throw this.error(`unexpected ${token}`);
    const value: unknown = JSON.parse(token);
    if (typeof value === 'string' && !value.isWellFormed() && this.problems.length < MAX_PROBLEMS)
      this.problems.push({ path: pathOf(parent, key), message: 'has a lone surrogate' });
    return value;
  }

  private object(path: string, depth: number): Record<string, unknown> {
    // A null prototype keeps a key named __proto__ an ordinary member.
    const result: Record<string, unknown> = Object.create(null);
    let token = this.token();
    while (token !== '}') {
      if (token[0] !== '"') throw this.error('expected a member name');
      const key: string = JSON.parse(token);
      if (Object.hasOwn(result, key) && this.problems.length < MAX_PROBLEMS)
        this.problems.push({
          path: memberPath(path, key),
          message: 'is given twice',
          hint: 'readers disagree on which one counts: keep one',
        });
      if (this.token() !== ':') throw this.error('expected ":"');
      result[key] = this.value(path, key, depth + 1, this.token());
      token = this.token();
      if (token === ',') {
        token = this.token();
        if (token === '}') throw this.error('a comma before "}"');
      } else if (token !== '}') throw this.error('expected "," or "}"');
    }
    return result;
  }

  private array(path: string, depth: number): unknown[] {
    const result: unknown[] = [];
    let token = this.token();
    while (token !== ']') {
      result.push(this.value(path, result.length, depth + 1, token));
      token = this.token();
      if (token === ',') {
        token = this.token();
        if (token === ']') throw this.error('a comma before "]"');
      } else if (token !== ']') throw this.error('expected "," or "]"');
    }
    return result;
  }
}

/** Whether a value has members: an object that is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a value that no shape has checked; of anything but an object: none. */
export function membersOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** A member that an object has itself, of a value that no shape has checked. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The same of lists, too, whose items have their numbers for names. */
export function ownOf(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

/** The items of a value that no shape has checked; of anything but an array: none. */
export function itemsOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Parses bytes into a JSON value with null-prototype objects, or says everything that is wrong. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): Parsed<unknown> {
  const fail = (message: string, hint?: string): Parsed<unknown> => ({
    ok: false,
    problems: [{ path: '$', message, ...(hint ? { hint } : {}) }],
  });
  if (bytes.length > limits.sizeBytes)
    return fail(`is ${bytes.length} bytes, over the limit of ${limits.sizeBytes}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('is not valid UTF-8');
  }
  if (text.startsWith('\ufeff')) return fail('starts with a byte-order mark', 'save it as UTF-8 without one');
  const parser = new Parser(text, limits.depth);
  try {
    const value = parser.document();
    return parser.problems.length > 0 ? { ok: false, problems: parser.problems } : { ok: true, value };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { ok: false, problems: [...parser.problems, { path: '$', message: error.message }] };
  }
}
