/** An ELF core: its notes name threads, signal and modules; each stack is walked by unwind tables of files that are proven to be the loaded ones. */

import { Fault } from '../../base/fault.ts';
import { hex } from '../../base/hex.ts';
import { itemAt, present } from '../../base/list.ts';
import { FileBytes } from '../../objects/common/bytes.ts';
import { debugIdOf } from '../../objects/common/identity.ts';
import { signalName } from '../../sandbox/trailer.ts';
import { CoreFile } from '../core/memory.ts';
import { type CoreModule, modulesOf } from '../core/modules.ts';
import { type CoreNotes, type CoreThread, readNotes } from '../core/notes.ts';
import { type Located, ProgramFiles, type ProgramSources } from '../core/program-files.ts';
import { ModuleTables } from '../core/tables.ts';
import { CoreWalker, type WalkedFrame, type WalkedModule } from '../core/walk.ts';
import {
  type Frame,
  imageFinder,
  type Thread,
  type Trace,
  type TraceImage,
  traceImage,
} from '../model/trace.ts';
import { type Processor, processorOf } from '../unwind/processor.ts';

const ET_CORE = 4;
const AT_ENTRY = 9;
/** As many bytes as it takes to tell a core from other files. */
export const CORE_HEAD_BYTES = 20;
/** QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS: what ends a process with a core (signal(7)). */
const FATAL: readonly number[] = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31];
/** ILL, TRAP, BUS, FPE, SEGV: the kernel gives an address with these where it sent them itself. */
const FAULTS: readonly number[] = [4, 5, 7, 8, 11];

/** Whether a file that begins like this is a core; `head` is as long as CORE_HEAD_BYTES. */
export function isCore(head: Buffer): boolean {
  if (head.length < CORE_HEAD_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF') return false;
  return (head[5] === 2 ? head.readUInt16BE(16) : head.readUInt16LE(16)) === ET_CORE;
}

/** The id that the core states; without one, that of a file which the user named and nothing contradicts. */
function imageOf(module: CoreModule, located: Located | undefined, cpu: Processor): TraceImage {
  const id = module.buildId ?? located?.file?.buildId ?? null;
  return traceImage({
    id: id === null ? null : `elf:${id}`,
    debug_id: id === null ? null : debugIdOf(Buffer.from(id, 'hex'), cpu.little),
    path: module.path,
    arch: cpu.arch,
    base: hex(module.base),
    size: Number(module.end - module.base),
  });
}

/** What ended the process, and in which thread; a core of a process that lives on has no such thread. */
function signalOf({ threads, info }: CoreNotes): { crashed: CoreThread | undefined; of: Partial<Trace> } {
  const fatal = (number: number): boolean => FATAL.includes(number);
  const crashed =
    threads.find(({ signal }) => fatal(signal)) ?? (info && fatal(info.signal) ? threads[0] : undefined);
  if (!crashed) return { crashed, of: { signal: null } };
  const signal = fatal(crashed.signal) ? crashed.signal : present(info).signal;
  const said = info?.signal === signal ? info : undefined;
  const isFault = said !== undefined && said.code > 0 && FAULTS.includes(signal);
  return {
    crashed,
    of: {
      signal: signalName(signal),
      ...(said ? { code: said.code } : {}),
      ...(isFault ? { fault_address: hex(said.address) } : {}),
    },
  };
}

/** The byte behind a module's end may be where its last call comes back to. */
function frameOf(
  { address, activation, trust }: WalkedFrame,
  modules: CoreModule[],
  loaded: CoreModule[],
  find: (address: bigint) => number | null,
): Frame {
  const at = find(activation || address === 0n ? address : address - 1n);
  const module = at === null ? undefined : itemAt(modules, at);
  const of = module?.again ?? module;
  // In a second mapping, the distance is that in the first.
  const base = module?.again ? present(module.bias) + present(of).base - present(of).bias! : module?.base;
  return {
    image: of ? loaded.indexOf(of) : null,
    rel_addr: base === undefined ? null : hex(address - base),
    ...{ ip: hex(address), activation, trust, claimed: null },
  };
}

/** Files of this machine count only if their build-id is that in the core; those of `sources` count unless something contradicts them. */
function read(core: CoreFile, sources: ProgramSources): Trace {
  const cpu = processorOf(core.header.machine, core.layout);
  if (!cpu)
    throw core.file.wrong(
      `a core of processor ${core.header.machine}: those of x86-64, x86, arm64 and 64-bit RISC-V are read`,
    );
  const notes = readNotes(core, cpu);
  if (notes.threads.length === 0)
    throw core.file.wrong('no thread is in this core: it is damaged, or cut off before its notes');
  const modules = modulesOf(core, notes);
  const files = new ProgramFiles(core, modules, sources);
  try {
    const walked = modules.map(
      (module): WalkedModule => ({
        module,
        tables: new ModuleTables(core, module, () => files.of(module)),
      }),
    );
    const space = imageFinder(
      modules.map(({ base, end }) => traceImage({ base: hex(base), size: Number(end - base) })),
    );
    const walker = new CoreWalker(core, cpu, notes.auxiliary.get(AT_ENTRY), (address) => {
      const at = space(address);
      return at === null ? undefined : walked[at];
    });
    const loaded = modules.filter(({ again }) => again === null);
    const { crashed, of } = signalOf(notes);
    const threads = notes.threads.map((thread): Thread => {
      const { frames, ended } = walker.walk(thread.registers);
      return {
        ...{ id: thread.id, crashed: thread === crashed },
        frames: frames.map((frame) => frameOf(frame, modules, loaded, space)),
        ended,
      };
    });
    const images = loaded.map((module) => imageOf(module, files.known(module), cpu));
    return { format: 'core', signal: null, ...of, images, threads };
  } finally {
    files.close();
  }
}

/** `name` is what messages call the file. Throws a Fault where it is no core that can be read, or a file of `sources` is none of its programs. */
export function fromCore(path: string, name: string, sources: ProgramSources): Trace {
  const file = new FileBytes(path, name);
  try {
    return read(new CoreFile(file), sources);
  } catch (error) {
    if (error instanceof Fault && error.code === 'object_malformed')
      throw new Fault('trace_invalid', error.message, error);
    throw error;
  } finally {
    file.close();
  }
}
