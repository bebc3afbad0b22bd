/** One form for the names that readers give one function: with or without clones' endings, hashes, return type, parameters. */

export interface FunctionName {
  /** Qualified, with template arguments; without return type, calling convention, clone endings and Rust hashes. */
  name: string;
  /** Such as `(int,char const*)const`; null where the reader gives none. */
  parameters: string | null;
  /** The linker's name without clone endings, if it spells out parameters or a hash; equal ones are one function. */
  linkage: string | null;
  /** True if nothing tells it apart from other functions of the same name: an overload, or an instantiation. */
  partial: boolean;
  /** The number or hash that told functions apart that are local to their files. */
  local: string | null;
}

/** What two names that count as equal leave open: which overload or instantiation, or which file's function. */
export type Lost = 'overload' | 'file';

/** Longer names stay as they are. */
const MOST_LENGTH = 4096;

/** Parts that GCC and LLVM split off a function, or its copies for certain arguments: all belong to one function of the source. */
const CLONE = /\.(?:cold(?:\.\d+)?|(?:constprop|isra|part)\.\d+|localalias(?:\.\d+)?)$/;
/** Functions local to a file that became visible to others, with a number or hash that tells them apart. */
const LOCAL = /\.(?:lto_priv\.\d+|llvm\.\d+|__uniq\.\d+)$/;
/** Go keeps two entries of a function, by how arguments are passed. */
const GO_ABI = /\.abi(?:0|internal)$/;
/** The same endings as GNU's and LLVM's demanglers, and gdb, write them. */
const SHOWN_CLONE = /(?: ?\[clone (\.[A-Za-z0-9_.]+)\]| \((\.[A-Za-z0-9_.]+)\)|\[(cold)\])$/;

/** Takes the endings off, from the last to the first. */
function stemOf(raw: string): { stem: string; local: string | null } {
  // 32-bit Windows and macOS put an underscore before every name.
  let [stem, local]: [string, string | null] = [raw.replace(/^__Z/, '_Z'), null];
  for (;;) {
    const shown = SHOWN_CLONE.exec(stem);
    if (shown) {
      const ending = shown[1] ?? shown[2] ?? `.${shown[3]}`;
      stem = stem.slice(0, shown.index);
      if (LOCAL.test(ending)) local = `${ending}${local ?? ''}`;
      continue;
    }
    const found = CLONE.exec(stem) ?? GO_ABI.exec(stem) ?? LOCAL.exec(stem);
    // An ending that is the whole name stays: a name is never empty.
    if (!found || found.index === 0) return { stem, local };
    if (LOCAL.test(found[0])) local = `${found[0]}${local ?? ''}`;
    stem = stem.slice(0, found.index);
  }
}

const RUST_ESCAPES: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/** A path of Rust's first mangling (rustc-demangle, legacy.rs), without its hash; null where it is none. */
function rustPath(linkage: string): string | null {
  const [, inner] = /^_{1,3}ZN(.+)17h[0-9a-f]{16}E$/.exec(linkage) ?? [];
  if (inner === undefined) return null;
  const parts: string[] = [];
  for (let at = 0; at < inner.length; ) {
    const digits = /^\d{1,6}/.exec(inner.slice(at, at + 6))?.[0];
    if (digits === undefined) return null;
    const part = inner.slice(at + digits.length, at + digits.length + Number(digits));
    if (part.length < Number(digits)) return null;
    at += digits.length + part.length;
    parts.push(
      part
        .replace(/^_\$/, '$')
        .replaceAll('..', '::')
        .replace(/\$([A-Z]{1,2}|u[0-9a-f]{1,6})\$/g, (whole, code: string) => {
          if (code.startsWith('u') && Number.parseInt(code.slice(1), 16) <= 0x10ffff)
            return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
          return RUST_ESCAPES[code] ?? whole;
        }),
    );
  }
  return parts.join('::');
}

const OPENING = '([{<';
const CLOSING = ')]}>';

/** How deep each character lies in brackets; null where they do not pair up. Brackets in names of operators do not count. */
function depthsOf(text: string): Int32Array | null {
  const depths = new Int32Array(text.length);
  const open: string[] = [];
  for (let at = 0; at < text.length; ) {
    const operator = /^operator(?:\(\)|\[\]|<=>|->\*?|<<=?|>>=?|<=?|>=?)/.exec(text.slice(at, at + 12))?.[0];
    if (operator !== undefined && !/\w/.test(text[at - 1] ?? '')) {
      depths.fill(open.length, at, at + operator.length);
      at += operator.length;
      continue;
    }
    const one = text[at]!;
    if (one === '`') open.push("'");
    else if (OPENING.includes(one)) open.push(CLOSING[OPENING.indexOf(one)]!);
    depths[at] = open.length;
    if (one === open.at(-1)) open.pop();
    else if (CLOSING.includes(one) && !(one === '>' && text[at - 1] === '-')) return null;
    at++;
  }
  return open.length === 0 ? depths : null;
}

/** Where the parameters begin: at the last pair of round brackets, behind which are only qualifiers. */
function parametersAt(text: string, depths: Int32Array): number {
  const end = text.replace(/(?: ?(?:const|volatile|noexcept|&&?))*$/, '').length;
  if (text[end - 1] !== ')' || depths[end - 1] !== 1) return -1;
  let at = end - 1;
  while (at > 0 && !(text[at] === '(' && depths[at] === 1)) at--;
  // In `A::(anonymous namespace)` and Go's `main.(*T)` it is a part of the name.
  return at > 0 && !/[:.]$/.test(text.slice(0, at)) ? at : -1;
}

/** Words that name something other than the function behind them. */
const KIND = /^(?:\[thunk\]: ?|(?:[a-zA-Z-]+ )*(?:thunk to|function for|variable for|vtable for) )/;

/** The name behind a return type: from the last space outside of brackets, which no operator's name has. */
function withoutReturnType(text: string, depths: Int32Array): string {
  const kind = KIND.exec(text)?.[0] ?? '';
  const operator = /(?<![\w$])operator(?![\w$])/g;
  let limit = text.length;
  for (const found of text.matchAll(operator)) if (depths[found.index] === 0) limit = found.index;
  let at = limit - 1;
  while (at >= kind.length && !(text[at] === ' ' && depths[at] === 0)) at--;
  return `${kind}${text.slice(Math.max(kind.length, at + 1))}`;
}

/** LLVM's demangler writes `'lambda0'(int)` where GNU's writes `{lambda(int)#2}`. */
function plainLambdas(text: string): string {
  let found = text;
  for (const match of [...text.matchAll(/'(lambda|unnamed)(\d*)'/g)].toReversed()) {
    const [whole, kind, number] = match;
    const at = match.index + whole.length;
    const count = number === '' ? 1 : Number(number) + 2;
    let [end, depth] = [at, 0];
    if (found[at] === '(')
      do {
        if (found[end] === '(') depth++;
        if (found[end] === ')') depth--;
        end++;
      } while (depth > 0 && end < found.length);
    const what = kind === 'lambda' ? 'lambda' : 'unnamed type';
    found = `${found.slice(0, match.index)}{${what}${found.slice(at, end)}#${count}}${found.slice(end)}`;
  }
  return found;
}

/** One spelling of what demanglers spell in several ways: anonymous namespaces, kinds of types, integers, spaces. */
function spelled(text: string): string {
  return plainLambdas(text)
    .replace(/`anonymous[ -]namespace'|\{anonymous\}/g, '(anonymous namespace)')
    .replace(/\b__(?:cdecl|stdcall|fastcall|thiscall|vectorcall|clrcall|ptr64|restrict)\b/g, '')
    .replace(/\b(?:class|struct|union|enum) (?=[\w`$<(])/g, '')
    .replace(/\b(?:unsigned )?__int64\b/g, (type) => type.replace('__int64', 'long long'))
    .replace(/(?<=[\w>}])\[[0-9a-f]{8,16}\](?=::|$)/g, '')
    .replace(/ +/g, ' ')
    .replace(/ (?![\w$])|(?<![\w$]) /g, '')
    .replace(/\(void\)/g, '()');
}

/** Whether a linker's name tells which overload or instantiation it belongs to. */
const TELLING = /^(?:_{1,4}Z|_R|\?)/;

/**
 * The one form of a function's name: `raw` as a reader gave it, `demangled` is its stem as demangle.ts gives it, `format`
 * that of the symbols (those of PDBs bear no parameters), `arch` x86 of a Windows program, whose C names are decorated.
 */
export function functionName(
  raw: string,
  more: { demangled?: string | undefined; format?: string | undefined; windowsX86?: boolean } = {},
): FunctionName {
  if (raw.length > MOST_LENGTH)
    return { name: raw, parameters: null, linkage: null, partial: true, local: null };
  const { stem, local } = stemOf(raw);
  const isLinkage = TELLING.test(stem);
  const rust = isLinkage ? rustPath(stem) : null;
  const linkage = isLinkage ? stem : null;
  if (rust !== null) return { name: spelled(rust), parameters: null, linkage, partial: true, local };
  if (isLinkage && more.demangled === undefined)
    return { name: stem, parameters: null, linkage, partial: false, local };
  // MSVC's C names carry how they are called: _f, _f@8, @f@8, f@@16.
  const plain = more.windowsX86
    ? stem.replace(/^[_@]([A-Za-z_]\w*)@\d+$|^(\w+)@@\d+$|^_(\w+)$/, (_, a, b, c) => a ?? b ?? c)
    : stem;
  const text = more.demangled ?? plain;
  const depths = depthsOf(text);
  const at = depths === null ? -1 : parametersAt(text, depths);
  if (depths === null || at < 0) {
    const partial = stem.startsWith('_R') ? false : more.format === 'pdb' || text.includes('::');
    return { name: spelled(text), parameters: null, linkage, partial, local };
  }
  const name = spelled(withoutReturnType(text.slice(0, at), depths));
  return { name, parameters: spelled(text.slice(at)), linkage, partial: false, local };
}

/** The linker's name to demangle: without endings, which not all demanglers know. Null where it is not one. */
export function mangledStem(raw: string): string | null {
  if (raw.length > MOST_LENGTH) return null;
  const { stem } = stemOf(raw);
  return TELLING.test(stem) && rustPath(stem) === null ? stem : null;
}

/** What two names leave open although they count as one function; null: they name different functions. */
export function sameFunction(a: FunctionName, b: FunctionName): Lost[] | null {
  const sameLinkage = a.linkage !== null && a.linkage === b.linkage;
  if (!sameLinkage && a.name !== b.name) return null;
  const both = a.parameters !== null && b.parameters !== null;
  if (!sameLinkage && both && a.parameters !== b.parameters) return null;
  const lost: Lost[] = [];
  if (!sameLinkage && (a.partial || b.partial || (a.parameters === null) !== (b.parameters === null)))
    lost.push('overload');
  if (a.local !== b.local) lost.push('file');
  return lost;
}

/** The same as one text, for signatures: a name with parameters stays different from the same name without them. */
export function functionKey({ name, parameters }: FunctionName): string {
  return `${name}${parameters ?? ''}`;
}
