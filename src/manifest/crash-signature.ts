/** The crash signature: which crash it was, in a form that is hashed, quoted, expected and compared (docs/crash-signature.md). */
import { canonicalDigest } from '../base/canonical-json.ts';
import { hexOf } from '../base/digest.ts';
import type { Problem } from '../base/json.ts';
import {
  array,
  field,
  integer,
  nullable,
  object,
  oneOf,
  type Shape,
  spelling,
  string,
} from '../base/shape.ts';

/** "v1:" and the 64 hex digits of the SHA-256 of the signature's content. */
export type SignatureId = `v1:${string}`;
/** The same of its functions alone, which a rebuilt program keeps. */
export type FunctionsId = `v1f:${string}`;

/** Where the address of a fault lies; `stack_overflow`: at the stack pointer, where no stack is; `not_canonical`: no address at all. */
const FAULT_KINDS = [
  'null',
  'unmapped',
  'stack_overflow',
  'not_canonical',
  'module',
  'file',
  'stack',
  'heap',
  'anonymous',
  'kernel',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Of which crash a signature is; everything in it but the identities is hashed. */
export interface CrashSignature {
  id: SignatureId;
  /** null where the first frame of the program has no name. */
  functions_id: FunctionsId | null;
  /** `cut`: the stack goes on behind the last frame, so that less is compared. */
  walk: 'whole' | 'cut';
  /** Innermost first: `NAME@IDENTITY+0xOFFSET`, `[AREA]`, or `[signal]` between a handler and what it interrupted. */
  frames: string[];
  /** `MODULE!FUNCTION` of the program, each once, from its first frame on. */
  functions: string[];
}

/** What identifies a crash beside its stack. */
export interface CrashKind {
  signal: string;
  /** si_code, of sigaction(2). */
  code: number;
  /** null where the signal was sent, so that nothing faulted. */
  fault: FaultKind | null;
}

/** The crash that each replay must end in. */
export interface ExpectedCrash extends Partial<CrashKind> {
  signal: string;
  /** File name of the program whose crash is meant; left out: the program that was started, whatever it executed since. */
  process?: string;
  signature?: CrashSignature;
}

/** Of frames a walk has at most 256, and of a chain of signals as many marks at most. */
const MOST_FRAMES = 512;
/** Functions by which rebuilt programs are compared: those near the crash. */
export const MOST_FUNCTIONS = 8;

export function signatureId(
  { signal, code, fault }: CrashKind,
  { walk, frames }: Pick<CrashSignature, 'walk' | 'frames'>,
): SignatureId {
  return `v1:${hexOf(canonicalDigest({ version: 1, signal, code, fault, walk, frames }))}`;
}

/** The signal alone goes with the functions: codes and kinds of addresses change with the layout. */
export function functionsId(signal: string, functions: string[]): FunctionsId | null {
  if (functions[0]?.endsWith('!?') ?? true) return null;
  return `v1f:${hexOf(canonicalDigest({ version: 1, signal, functions }))}`;
}

/** What people quote: the version and the first twelve digits. */
export function shortId(id: SignatureId | FunctionsId): string {
  return id.slice(0, id.indexOf(':') + 13);
}

export const signalShape: Shape<string> = string({
  pattern: /^SIG[A-Z0-9+]{1,12}$/,
  hint: 'a signal’s name, such as SIGSEGV',
});

const signatureShape: Shape<CrashSignature> = object(
  {
    id: field(
      'Digest of signal, code, fault, walk and frames',
      spelling<SignatureId>({ pattern: /^v1:[0-9a-f]{64}$/, hint: 'v1: and 64 lower-case hex digits' }),
    ),
    functions_id: field(
      'Digest of signal and functions, which a rebuilt program keeps; null where the first has no name',
      nullable(spelling<FunctionsId>({ pattern: /^v1f:[0-9a-f]{64}$/, hint: 'v1f: and 64 hex digits' })),
    ),
    walk: field(
      'whole: the stack was read to its end; cut: it goes on behind the last frame',
      oneOf('whole', 'cut'),
    ),
    frames: field(
      'Innermost first: NAME@IDENTITY+0xOFFSET, [AREA], or [signal] between a handler and what it interrupted',
      array(
        string({
          max: 4096,
          pattern: /^(?:\[[a-z_]{1,16}\]|[\s\S]+@[^@]+\+0x[0-9a-f]{1,16}|\[null\]\+0x[0-9a-f]{1,4})$/,
        }),
        { min: 1, max: MOST_FRAMES },
      ),
    ),
    functions: field(
      'MODULE!FUNCTION of the program, each once, from its first frame on',
      array(string({ max: 8192, pattern: /^[\s\S]+![\s\S]+$/ }), { max: MOST_FUNCTIONS }),
    ),
  },
  ['id', 'functions_id', 'walk', 'frames', 'functions'],
  'The stack of the crash (docs/crash-signature.md), as capture writes it',
);

export const expectedCrashShape: Shape<ExpectedCrash> = object(
  {
    process: field(
      'File name of the program whose crash is meant; left out: the program that was started',
      string({ pattern: /^[^/]{1,1100}$/, hint: 'the file name of a program, such as worker' }),
      { examples: ['worker'] },
    ),
    signal: field('The signal that ended it', signalShape, { examples: ['SIGSEGV'] }),
    code: integer(-(2 ** 31), 2 ** 31 - 1, 'si_code, of sigaction(2)'),
    fault: field(
      'Where the address of the fault lies; null: the signal was sent, and nothing faulted',
      oneOf(...FAULT_KINDS, null),
    ),
    signature: signatureShape,
  },
  ['signal'],
  'The crash that every replay must end in',
);

/** A signature whose identities do not follow from its content was edited by hand, or made up: no crash could ever match it. */
export function checkExpectedCrash(crash: ExpectedCrash, path: string): Problem[] {
  const { signal, code, fault, signature } = crash;
  if (!signature) return [];
  const problems: Problem[] = [];
  const wrong = (field: string, message: string): void =>
    void problems.push({
      path: `${path}.${field}`,
      message,
      hint: 'capture again, or remove signature, and signal, code and fault alone are compared',
    });
  if (code === undefined) wrong('code', 'is missing, and the signature is made of it');
  if (fault === undefined) wrong('fault', 'is missing, and the signature is made of it');
  if (code === undefined || fault === undefined) return problems;
  if (signatureId({ signal, code, fault }, signature) !== signature.id)
    wrong('signature.id', 'is not the digest of signal, code, fault, walk and frames');
  if (functionsId(signal, signature.functions) !== signature.functions_id)
    wrong('signature.functions_id', 'is not the digest of signal and functions');
  return problems;
}
