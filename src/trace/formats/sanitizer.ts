/** Reports of AddressSanitizer and related tools (LLVM, compiler-rt; GCC, libsanitizer): an error, and below it a stack for each place that is involved. */

import { hex } from '../../base/hex.ts';
import { lastItem, present } from '../../base/list.ts';
import { elfIds } from '../../objects/common/identity.ts';
import type { Frame, Trace, TraceImage } from '../model/trace.ts';
import { cutAt } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, returnAddress, Stacks } from './stacks.ts';

const REPORT =
  /(?:==\d{1,10}==\s?(?:ERROR|WARNING): \w+Sanitizer:?|WARNING: ThreadSanitizer: |:\d{1,10}:\d{1,10}: runtime error: )/;
const FATAL = /^==\d{1,10}==\s?(?:ERROR|WARNING): (\w+)Sanitizer:? (?:attempting )?(.*)$/;
const FRAME = /^\s*#(\d{1,6}) (?:0x([0-9a-f]{1,16})\s+)?(.*)$/;
const BUILD_ID = /^(.*) \(BuildId: ([0-9a-f]{2,128})\)$/;
const SIGNALS = ['SEGV', 'BUS', 'FPE', 'ILL', 'ABRT', 'TRAP'];
const ARCH = /^(.+):(x86_64h?|arm64e?|i386|armv7s?)$/;
/** A report's stack is that of the crashing thread only where the program cannot have gone on. */
const NOT_FATAL = ['Leak', 'Thread'];

/** kStackTraceMax is 255 or 256, of which those of the report itself are not printed. */
const MOST_FRAMES = 245;

interface ModulePlace {
  module: string | null;
  offset: bigint;
  buildId: string | undefined;
  /** What stands before the module: the function, and where in the source. */
  text: string;
}

/** Where the brackets with the module open; -1 where there are none. */
function bracketOf(line: string, plus: number): number {
  // Without a name the module is all there is; its path may have brackets of its own, and so may a function's name.
  if (line.startsWith('(/')) return 0;
  const absolute = line.lastIndexOf(' (/', plus);
  const open = absolute >= 0 ? absolute : line.lastIndexOf(' (', plus);
  if (open >= 0) return open + 1;
  return line.startsWith('(') ? 0 : -1;
}

/** `TEXT (MODULE+OFFSET) (BuildId: ID)`. */
function placeOf(rest: string): ModulePlace {
  const [, before, buildId] = BUILD_ID.exec(rest) ?? [];
  const line = before ?? rest;
  const plus = line.endsWith(')') ? line.lastIndexOf('+0x') : -1;
  const digits = line.slice(plus + 3, -1);
  const open = plus < 0 || !/^[0-9a-f]{1,16}$/.test(digits) ? -1 : bracketOf(line, plus);
  if (open < 0) return { module: null, offset: 0n, buildId: undefined, text: line };
  return {
    ...{ module: line.slice(open + 1, plus), offset: BigInt(`0x${digits}`), buildId },
    text: line.slice(0, open),
  };
}

/** On Apple's systems the build-id is the UUID, followed by digits that are no part of it. */
function imageOf(module: string, buildId: string | undefined): Partial<TraceImage> {
  const [, path, arch] = ARCH.exec(module) ?? [];
  if (arch === undefined) return { path: module, ...elfIds(buildId) };
  const uuid = buildId !== undefined && buildId.length >= 32 ? buildId.slice(0, 32) : null;
  return {
    path: present(path),
    arch,
    id: uuid && `macho:${uuid}`,
    debug_id: uuid && `${uuid.toUpperCase()}0`,
  };
}

/** Windows' own addresses count from the image's preferred base, which no report gives. */
function isUnplaced({ module }: ModulePlace): boolean {
  return module === null || /^[A-Za-z]:\\/.test(module);
}

/**
 * Return addresses are printed as the byte before the one that a call comes back to, and the address of a fault as it is.
 * Offsets in ELF files are the linker's addresses: address minus offset is where the image lies, which is 0 for
 * programs that are not moved, and stands for "not said" where no address is printed.
 */
function frameOf(
  stacks: Stacks,
  activation: boolean,
  address: string | undefined,
  place: ModulePlace,
): Partial<Frame> {
  const moved = (printed: bigint): string => (activation ? hex(printed) : returnAddress(printed));
  const printed = address === undefined ? null : BigInt(`0x${address}`);
  const ip = printed === null ? null : moved(printed);
  if (isUnplaced(place)) return { ip, activation };
  const { module, offset, buildId } = place;
  const base = hex(printed === null || printed < offset ? 0n : printed - offset);
  const image = stacks.image({ ...imageOf(present(module), buildId), base });
  return { ip, activation, image, rel_addr: moved(offset) };
}

function nameOf(place: ModulePlace): string {
  const { text, module, offset } = place;
  const name = text
    .replace(/^in /, '')
    .replace(/<null>/g, '')
    .trim();
  return module !== null && isUnplaced(place) ? `${name} ${module}+${hex(offset)}`.trim() : name;
}

function errorOf(kind: string): Pick<Trace, 'signal' | 'fault_address'> {
  const [, name = ''] = /^([\w-]{1,64})/.exec(kind) ?? [];
  const [, fault] = /unknown address 0x([0-9a-f]{1,16})/.exec(kind) ?? [];
  return {
    signal: SIGNALS.includes(name) ? `SIG${name}` : name || null,
    ...(fault === undefined ? {} : { fault_address: hex(BigInt(`0x${fault}`)) }),
  };
}

function fromSanitizer(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  let error: ReturnType<typeof errorOf> | null = null;
  let [isFatal, inside] = [false, false];
  for (const line of linesOf(file.text)) {
    const [, number, address, rest] = FRAME.exec(line) ?? [];
    if (number === undefined) {
      const [, tool, kind] = FATAL.exec(line) ?? [];
      if (tool !== undefined && !NOT_FATAL.includes(tool) && error === null)
        [error, isFatal] = [errorOf(present(kind)), true];
      inside = false;
      continue;
    }
    // Each report counts its frames from 0; the first stack is that of the error itself.
    if (!inside || (Number(number) === 0 && stacks.threads.at(-1)?.frames.length !== 0))
      stacks.begin(isFatal);
    [inside, isFatal] = [true, false];
    const place = placeOf(present(rest));
    const at = address ?? `${place.module}+${place.offset}`;
    const innermost = lastItem(stacks.threads).frames.length === 0;
    stacks.addPhysical(at, { name: nameOf(place) }, () => frameOf(stacks, innermost, address, place));
  }
  if (stacks.threads.length === 0)
    throw file.wrong(
      'a report of a sanitizer without a stack: UBSAN_OPTIONS=print_stacktrace=1 has it printed',
    );
  cutAt(stacks.threads, 'the sanitizer', MOST_FRAMES);
  return stacks.trace(
    'sanitizer',
    error?.signal ?? null,
    error?.fault_address === undefined ? {} : { fault_address: error.fault_address },
  );
}

export const sanitizer: TraceFormat = {
  name: 'sanitizer',
  title: 'a report of a sanitizer',
  recognise: ({ head }) => REPORT.test(head),
  parse: fromSanitizer,
};
