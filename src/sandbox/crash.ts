/** The crash record: what PID 1 saw right before a signal ended the program, parsed as hostile input, since it is made of such. */
import { type Digest, digestFromHex } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { memberOf, type Problem, parseJson, showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import {
  array,
  closed,
  described,
  dictionary,
  digestText,
  type Infer,
  integer,
  nullable,
  oneOf,
  read,
  type Shape,
  string,
} from '../base/shape.ts';
import * as words from './crash-descriptions.ts';
import { signalName } from './trailer.ts';

const AREAS = ['unmapped', 'null', 'module', 'file', 'stack', 'heap', 'anonymous', 'kernel'] as const;
const WALK_ENDS = [
  'outermost',
  'unaligned',
  'not_upwards',
  'unmapped',
  'not_code',
  'not_after_call',
  'no_table',
  'limit',
] as const;
const FOUND_BY = [
  'counter',
  'frame_pointer',
  'unwind_table',
  'signal_frame',
  'call',
  'instructions',
] as const;
/** How many crashes of other processes PID 1 keeps (harness/supervisor/crash/crash.c). */
export const MOST_OTHER_CRASHES = 16;
const NOT_HASHED = ['deleted', 'unreadable', 'too_large'] as const;

/** Where an address lies: an offset from the lowest address of its module or mapping, so that hosts can be compared. */
export interface CodePlace {
  area: (typeof AREAS)[number];
  /** The module's path. */
  module: string | null;
  build_id: string | null;
  /** Hexadecimal; null where nothing is mapped. */
  offset: string | null;
}

export interface CrashModule {
  /** A path that is not UTF-8 stands as "hex:" and its bytes. */
  path: string;
  base: string;
  build_id: string | null;
  sha256: Digest | null;
  not_hashed: (typeof NOT_HASHED)[number] | null;
}

/** Which process it was; what it executed is a path of the guest's choosing. */
export interface CrashedProcess {
  pid: number;
  /** 1 where PID 1 started it, or it was orphaned. */
  parent: number;
  program: string;
}

export interface Crash {
  /** Records from before children's crashes were seen do not say it: it was the program's. */
  process?: CrashedProcess;
  signal: string;
  /** si_code, of sigaction(2). */
  code: number;
  /** null where the signal is no fault, or the processor named no address. */
  fault: (CodePlace & { address: string }) | null;
  thread: number;
  threads: number[];
  thread_count: number;
  /** Innermost first: where it stood, then return addresses. */
  frames: (CodePlace & {
    by: (typeof FOUND_BY)[number];
    /** By the symbols of the file, which are unverified; null where they name none, absent where they were not read. */
    function?: { name: string; offset: string } | null;
  })[];
  walk_ended: (typeof WALK_ENDS)[number];
  modules: CrashModule[];
  modules_left_out: number;
  registers: Record<string, string>;
  core: { size: number; sha256: Digest } | null;
}

const text = string({ max: 4096 });
const digest = digestText();
const bareDigest = string({ pattern: /^[0-9a-f]{64}$/ });
const hex = string({ pattern: /^(?:[0-9a-f]{2}){1,1024}$/ });
const buildId = nullable(string({ pattern: /^(?:[0-9a-f]{2}){1,64}$/ }));
const address = string({ pattern: /^0x[0-9a-f]{1,16}$/ });
const tid = integer(1, 2 ** 22);
const parent = integer(0, 2 ** 22);
const count = integer(0, 1_000_000);
const registers = dictionary(/^[a-z][a-z0-9_]{1,15}$/, address);
const bytes = integer(0, LIMITS.coreBytes);

/** The fields that both forms share. */
const COMMON = {
  code: integer(-(2 ** 31), 2 ** 31 - 1),
  thread: tid,
  threads: array(tid, { max: 64 }),
  thread_count: count,
  walk_ended: oneOf(...WALK_ENDS),
  modules_left_out: count,
  registers,
};

const wirePlace = {
  area: oneOf(...AREAS),
  module: nullable(integer(0, 127)),
  offset: nullable(address),
};

// A harness from before them says neither process nor function: a bundle is replayed with its own.
const wireShape = closed(
  {
    ...COMMON,
    process: closed({ pid: tid, parent, program_hex: hex }),
    signal: integer(1, 64),
    fault: nullable(closed({ ...wirePlace, address })),
    frames: array(
      closed(
        {
          ...wirePlace,
          by: oneOf(...FOUND_BY),
          function: nullable(closed({ name_hex: hex, offset: address })),
        },
        ['function'],
      ),
      { min: 1, max: 256 },
    ),
    modules: array(
      closed({
        path_hex: hex,
        base: address,
        build_id: buildId,
        sha256: nullable(bareDigest),
        not_hashed: oneOf(...NOT_HASHED, null),
      }),
      { max: 128 },
    ),
    core: nullable(closed({ size: bytes, sha256: bareDigest })),
  },
  ['process'],
);

/** PID 1's report of all crashes of a replay. */
const wireCrashesShape = closed({
  program: nullable(wireShape),
  others: array(wireShape, { max: MOST_OTHER_CRASHES }),
  others_left_out: count,
});

const place = described(words.PLACE, {
  area: oneOf(...AREAS),
  module: nullable(text),
  build_id: buildId,
  offset: nullable(address),
});

/** A crash as it stands in a replay record. */
export const crashShape: Shape<Crash> = closed(
  described(words.CRASH, {
    ...COMMON,
    process: closed(described(words.PROCESS, { pid: tid, parent, program: text })),
    signal: string({ pattern: /^SIG[A-Z0-9+]{1,12}$/ }),
    fault: nullable(closed({ ...place, ...described(words.FAULT, { address }) })),
    frames: array(
      closed(
        {
          ...place,
          ...described(words.FRAME, {
            by: oneOf(...FOUND_BY),
            function: nullable(closed(described(words.FUNCTION, { name: text, offset: address }))),
          }),
        },
        ['function'],
      ),
      { min: 1, max: 256 },
    ),
    modules: array(
      closed(
        described(words.MODULE, {
          path: text,
          base: address,
          build_id: buildId,
          sha256: nullable(digest),
          not_hashed: oneOf(...NOT_HASHED, null),
        }),
      ),
      { max: 128 },
    ),
    core: nullable(closed(described(words.CORE, { size: bytes, sha256: digest }))),
  }),
  ['process'],
);

type Wire = Infer<typeof wireShape>;
type WirePlace = Pick<Wire['frames'][number], 'area' | 'module' | 'offset'>;

/** The guest chooses these bytes; those that are not text stay hexadecimal. */
function textOf(bytesHex: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytesHex, 'hex'));
  } catch {
    return `hex:${bytesHex}`;
  }
}

/** The crashes of one replay: that of the program which was started, and those of other processes. */
export interface Crashes {
  program: Crash | undefined;
  /** In the order of their ends; of more than 16, or than fit, the first ones. */
  others: Crash[];
  othersLeftOut: number;
}

/** Refuses places that name a missing module, or an area without one. */
function checkPlaces({ frames, fault, modules }: Wire, problems: Problem[]): void {
  for (const { area, module } of [...frames, ...(fault ? [fault] : [])])
    if ((area === 'module') !== (module !== null) || (module !== null && !modules[module]))
      problems.push({ path: '$', message: `names the module ${module} in the area ${area}` });
}

function crashFrom(wire: Wire): Crash {
  const { process, ...common } = wire;
  const modules = wire.modules.map(({ path_hex, sha256, ...rest }) => ({
    path: textOf(path_hex),
    ...rest,
    sha256: sha256 === null ? null : digestFromHex(sha256),
  }));
  const placed = ({ area, module, offset }: WirePlace): CodePlace => {
    const found = module === null ? undefined : modules[module];
    return { area, module: found?.path ?? null, build_id: found?.build_id ?? null, offset };
  };
  return {
    ...(process
      ? { process: { pid: process.pid, parent: process.parent, program: textOf(process.program_hex) } }
      : {}),
    ...common,
    signal: signalName(wire.signal),
    fault: wire.fault && { ...placed(wire.fault), address: wire.fault.address },
    frames: wire.frames.map(({ by, function: named, ...at }) => ({
      ...placed(at),
      by,
      ...(named === undefined
        ? {}
        : { function: named && { name: textOf(named.name_hex), offset: named.offset } }),
    })),
    modules,
    core: wire.core && { size: wire.core.size, sha256: digestFromHex(wire.core.sha256) },
  };
}

function unreadable(problems: Problem[]): Fault {
  const shown = problems.slice(0, 3).map(showProblem).join('; ');
  return new Fault('supervisor_lost', `PID 1 wrote a crash record that cannot be read: ${shown}`);
}

/** Reads PID 1's crash record, whose HMAC was checked; one that is not in its form is a Fault. */
export function parseCrashes(record: Buffer): Crashes {
  const json = parseJson(record, { sizeBytes: LIMITS.crashBytes, depth: 8 });
  // A harness from before children's crashes were recorded reports only the program's.
  const isAlone = json.ok && memberOf(json.value, 'signal') !== undefined;
  const parsed = json.ok
    ? read(wireCrashesShape, isAlone ? { program: json.value, others: [], others_left_out: 0 } : json.value)
    : json;
  if (!parsed.ok) throw unreadable(parsed.problems);
  const wire = parsed.value;
  const problems: Problem[] = [];
  for (const one of [...(wire.program ? [wire.program] : []), ...wire.others]) checkPlaces(one, problems);
  if (problems.length > 0) throw unreadable(problems);
  return {
    program: wire.program ? crashFrom(wire.program) : undefined,
    others: wire.others.map(crashFrom),
    othersLeftOut: wire.others_left_out,
  };
}

/** The place in words, such as /lib/libfoo.so+0x123. */
export function showPlace({ area, module, offset }: CodePlace): string {
  if (offset === null) return area;
  return `${module ?? area}+${offset}`;
}
