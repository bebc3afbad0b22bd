/** Whether replays crashed as they should: each is compared with the expected crash, or they are compared with each other. */
import {
  type CrashKind,
  type ExpectedCrash,
  type FunctionsId,
  type SignatureId,
  shortId,
} from '../manifest/crash-signature.ts';
import type { SameCrash } from '../policy/shape.ts';
import type { Crash } from '../sandbox/crash.ts';
import { type SignedCrash, signCrash } from './crash-signature.ts';
import { moduleName } from './frame-owner.ts';

/** The crashes in a replay's row. */
export interface ReplayCrashes {
  index: number;
  /** That of the program which was started. */
  crash?: Crash | undefined;
  /** Those of other processes, in the order of their ends. */
  other_crashes?: { crashes: Crash[]; left_out: number } | undefined;
  /** The replay whose crashes are the same to the byte: they are written there. */
  crash_as?: number | undefined;
}

/** One crash of a replay, as it is compared. */
export interface ProcessCrash extends SignedCrash {
  /** File name of what the process executed; null: the program that was started. */
  process: string | null;
}

/** The same in a record, so that its readers need not compute it. */
export interface CrashSummary {
  process: string | null;
  id: SignatureId;
  functions_id: FunctionsId | null;
  walk: 'whole' | 'cut';
  /** The frame that names the crash, as the signature writes it; null where none is the program's. */
  site: string | null;
}

/** All crashes of one replay; `others_missing`: more crashed than are known. */
export interface SignedReplay {
  crashes: ProcessCrash[];
  othersMissing: boolean;
}

/** The program's crash first, then those of its children. */
function signReplay({ crash, other_crashes }: ReplayCrashes): SignedReplay {
  const named = (one: Crash): string => moduleName(one.process?.program ?? '');
  return {
    crashes: [
      ...(crash ? [{ process: null, ...signCrash(crash) }] : []),
      ...(other_crashes?.crashes ?? []).map((one) => ({ process: named(one), ...signCrash(one) })),
    ],
    othersMissing: (other_crashes?.left_out ?? 0) > 0,
  };
}

/** Makes the signatures of each replay's crashes; a row that refers to a row without crashes, or to one that refers on, has none. */
export function signReplays(replays: ReplayCrashes[]): Map<ReplayCrashes, SignedReplay> {
  const known = new Map(
    replays.filter(({ crash_as }) => crash_as === undefined).map((one) => [one.index, signReplay(one)]),
  );
  const nothing: SignedReplay = { crashes: [], othersMissing: false };
  return new Map(replays.map((one) => [one, known.get(one.crash_as ?? one.index) ?? nothing]));
}

/** The program's own crash of each replay, in their order, also where it stands in another's row. */
export function programCrashes(replays: ReplayCrashes[]): (Crash | undefined)[] {
  const written = new Map(replays.map(({ index, crash }) => [index, crash]));
  return replays.map(({ index, crash_as }) => written.get(crash_as ?? index));
}

/** One text for all crashes of a replay, to compare replays with each other; empty: nothing crashed. */
export function crashKey({ crashes, othersMissing }: SignedReplay, mode: SameCrash): string {
  const one = ({ process, signature }: ProcessCrash): string =>
    `${process ?? ''} ${mode === 'function' ? (signature.functions_id ?? signature.id) : signature.id}`;
  return [...crashes.map(one), ...(othersMissing ? ['and others'] : [])].join('\n');
}

/** The crash that an expectation is about; undefined where that process did not crash, as far as is known. */
export function crashMeant({ crashes }: SignedReplay, expected: ExpectedCrash): ProcessCrash | undefined {
  return crashes.find(({ process }) => process === (expected.process ?? null));
}

function sameKind(expected: ExpectedCrash, actual: CrashKind): boolean {
  const fields = ['signal', 'code', 'fault'] as const;
  return fields.every((field) => expected[field] === undefined || expected[field] === actual[field]);
}

/** Whether a signature shows where a crash was: if its walk was cut inside libraries, many crashes share it. */
export function tellsWhere({ signature, siteText }: Pick<ProcessCrash, 'signature' | 'siteText'>): boolean {
  return signature.walk === 'whole' || siteText !== null;
}

/** The expectation that this very crash meets: what capture writes. */
export function expectationOf(crash: ProcessCrash): ExpectedCrash {
  const { process, signal, code, fault, signature } = crash;
  return {
    ...(process === null ? {} : { process }),
    signal,
    code,
    fault,
    ...(tellsWhere(crash) ? { signature } : {}),
  };
}

/** Exactly, or by its functions where a policy accepts that; an expectation without a signature names only the kind. */
export function isExpected(
  expected: ExpectedCrash,
  actual: ProcessCrash | undefined,
  mode: SameCrash,
): boolean {
  if (!actual) return false;
  const { signature } = expected;
  if (signature && signature.id === actual.signature.id) return sameKind(expected, actual);
  if (!signature) return sameKind(expected, actual);
  if (mode !== 'function' || signature.functions_id === null) return false;
  return signature.functions_id === actual.signature.functions_id;
}

/** Such as "v1:0123456789ab"; a signature of a cut walk is marked, since it proves less. */
export function nameCrash({ signature }: Pick<SignedCrash, 'signature'>): string {
  return `${shortId(signature.id)}${signature.walk === 'cut' ? ' as far as known (its walk was cut)' : ''}`;
}

/** Such as "SIGSEGV, code 1, fault at null". */
export function kindText({ signal, code, fault }: Partial<CrashKind>): string {
  return [signal, code === undefined ? '' : `code ${code}`, fault ? `fault at ${fault}` : '']
    .filter(Boolean)
    .join(', ');
}

/** The first difference of two crashes: kind, then frames from the innermost, then whether a walk was cut. */
export function crashDifference(
  expected: ExpectedCrash,
  actual: ProcessCrash | undefined,
): { expected: string; actual: string } {
  if (!actual)
    return {
      expected: kindText(expected),
      actual: `no crash${expected.process ? ` of ${expected.process}` : ''}`,
    };
  const { signature } = expected;
  if (!signature || !sameKind(expected, actual))
    return { expected: kindText(expected), actual: kindText(actual) };
  const [a, b] = [signature.frames, actual.signature.frames];
  const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i] !== b[i]);
  const ended = ({ walk, frames }: Pick<typeof signature, 'walk' | 'frames'>): string =>
    walk === 'cut'
      ? `unknown behind ${frames.length} frames, where its walk was cut`
      : `the end, behind ${frames.length} frames`;
  if (at === undefined) return { expected: ended(signature), actual: ended(actual.signature) };
  const frame = (one: typeof signature, other: string | undefined): string =>
    `frame ${at + 1}: ${other ?? ended(one)}`;
  return { expected: frame(signature, a[at]), actual: frame(actual.signature, b[at]) };
}
