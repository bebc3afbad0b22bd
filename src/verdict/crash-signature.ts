/** Makes the signature of a crash: which of its frames count, and which of them names it (docs/crash-signature.md). */
import { lastItem, present } from '../base/list.ts';
import {
  type CrashKind,
  type CrashSignature,
  type FaultKind,
  functionsId,
  MOST_FUNCTIONS,
  signatureId,
} from '../manifest/crash-signature.ts';
import type { Crash } from '../sandbox/crash.ts';
import { moduleName, type Owner, ownerOf, plainFunction } from './frame-owner.ts';

type Frame = Crash['frames'][number];

/** Frames before the one that names the crash, counted by owner. */
type Passed = Record<Exclude<Owner, 'program'> | 'handler', number>;

/** A signature, and facts about its making for people. */
export interface SignedCrash extends CrashKind {
  signature: CrashSignature;
  /** The frame that names the crash: the first of the program; null where no frame is the program's. */
  site: Frame | null;
  /** The same as the signature writes it. */
  siteText: string | null;
  passed: Passed;
}

/** A fault this near to the stack pointer means that the stack is exhausted: one page of probes, and a large frame. */
const STACK_REACH = 65_536n;

/** The processor names no address where it is not canonical: si_code is SI_KERNEL. */
const SI_KERNEL = 128;

function faultKind({ signal, code, fault, registers }: Crash): FaultKind | null {
  if (!fault) return signal === 'SIGSEGV' && code === SI_KERNEL ? 'not_canonical' : null;
  const { area, address } = fault;
  const stack = registers.rsp;
  if (signal === 'SIGSEGV' && (area === 'unmapped' || area === 'anonymous') && stack !== undefined) {
    const above = BigInt(address) - BigInt(stack);
    if (above >= -STACK_REACH && above <= STACK_REACH) return 'stack_overflow';
  }
  return area;
}

/** A signal that was sent, by the program itself or another: no fault happened where it arrived. */
function wasSent({ code }: Crash): boolean {
  return code <= 0;
}

/** Frames between one signal and the next: those of the last handler first, those of the interrupted program last. */
function byHandlers(frames: Frame[]): Frame[][] {
  const parts: Frame[][] = [[]];
  for (const frame of frames) {
    if (frame.by === 'signal_frame') parts.push([]);
    lastItem(parts).push(frame);
  }
  return parts;
}

/** The kernel's own page differs between kernels, and is no part of any build. */
function counts({ area }: Frame): boolean {
  return area !== 'kernel';
}

/** Without the C library's and the runtime's frames in which a signal was sent. */
function behindLibraries(frames: Frame[]): Frame[] {
  const first = frames.findIndex((frame) => ownerOf(frame) === 'program');
  return first < 0 ? [] : frames.slice(first);
}

/** A frame as it is hashed. Offsets in other areas than modules belong to one machine. */
function frameText(frame: Frame, digests: Map<string, string>): string {
  const { area, module, build_id, offset } = frame;
  if (area === 'null') return `[null]+${offset}`;
  if (area !== 'module' || module === null) return `[${area}]`;
  const identity = build_id !== null ? `elf:${build_id}` : (digests.get(module) ?? 'unknown');
  return `${moduleName(module)}@${identity}+${offset}`;
}

function functionText({ area, module, function: named }: Frame): string {
  if (area !== 'module' || module === null) return `[${area}]!?`;
  return `${moduleName(module)}!${named ? plainFunction(named.name) : '?'}`;
}

/** A frame that can name a crash: code of the program, wherever it lies. */
function siteIn(frames: Frame[]): Frame | null {
  return (
    frames.find(
      (frame) => ['module', 'file', 'anonymous'].includes(frame.area) && ownerOf(frame) === 'program',
    ) ?? null
  );
}

/** Frames in front of the site; those of another part than it belong to handlers. */
function countPassed(parts: Frame[][], site: Frame | null): Passed {
  const passed = { c_library: 0, runtime: 0, handler: 0 };
  for (const part of site ? parts : [])
    for (const frame of part) {
      if (frame === site) return passed;
      const owner = part.includes(present(site)) ? ownerOf(frame) : 'handler';
      if (owner !== 'program') passed[owner]++;
    }
  return passed;
}

/** The signature of one crash. Pure, and made only of what PID 1 saw; never throws. */
export function signCrash(crash: Crash): SignedCrash {
  const frames = crash.frames.filter(counts);
  const parts = byHandlers(frames);
  // A sent signal arrives in the C library, perhaps through a handler: the frames that led there are behind those.
  const sent = wasSent(crash);
  const kept = sent ? parts.map(behindLibraries) : parts;
  const sites = kept.map(siteIn).filter((frame) => frame !== null);
  const site = (sent ? sites.at(-1) : sites[0]) ?? null;
  const shown = kept.some((part) => part.length > 0) ? kept : parts;
  const digests = new Map(crash.modules.flatMap(({ path, sha256 }) => (sha256 ? [[path, sha256]] : [])));
  const texts = shown.flatMap((part, i) => [
    ...(i > 0 ? ['[signal]'] : []),
    ...part.map((frame) => frameText(frame, digests)),
  ]);
  const from = site ? frames.indexOf(site) : frames.length;
  const functions = new Set(
    frames
      .slice(from)
      .filter((frame) => ownerOf(frame) === 'program')
      .map(functionText),
  );
  const kind: CrashKind = { signal: crash.signal, code: crash.code, fault: faultKind(crash) };
  const walk = crash.walk_ended === 'outermost' ? 'whole' : 'cut';
  const content = { walk, frames: texts, functions: [...functions].slice(0, MOST_FUNCTIONS) } as const;
  return {
    ...kind,
    signature: {
      id: signatureId(kind, content),
      functions_id: functionsId(kind.signal, content.functions),
      ...content,
      functions: [...content.functions],
      frames: texts,
    },
    site,
    siteText: site && frameText(site, digests),
    passed: countPassed(parts, site),
  };
}
