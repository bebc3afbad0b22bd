/** An ELF core, as elfutils reads it: eu-unstrip names the modules, eu-stack walks each thread. Both read hostile bytes in processes of their own. */
import { exec } from '../../base/exec.ts';
import { asFault } from '../../base/fault.ts';
import { elfIds } from '../identity.ts';
import {
  frameAt,
  hex,
  imageFinder,
  type Thread,
  type Trace,
  type TraceImage,
  traceImage,
  wrongTrace,
} from '../trace.ts';

/** Without debuginfod's servers: a core must not make this machine ask the network for anything. */
const LIMITS = { timeoutMs: 120_000, outputBytes: 64 << 20, env: { DEBUGINFOD_URLS: '' } };
const ET_CORE = 4;
/** As many as tell a core from other files. */
export const CORE_HEAD_BYTES = 20;
/** More than any stack that is not endless. */
const FRAMES = 4096;
const MODULE = /^0x([0-9a-f]{1,16})\+0x([0-9a-f]{1,16}) (?:([0-9a-f]{2,128})@0x[0-9a-f]+|-) (\S+) \S+ (.+)$/;
const THREAD = /^TID (\d{1,9}):$/;
const FRAME = /^#(\d{1,6})\s+0x([0-9a-f]{1,16})/;

/** Whether a file that begins like this is a core; `head` is as long as CORE_HEAD_BYTES. */
export function isCore(head: Buffer): boolean {
  if (head.length < CORE_HEAD_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF') return false;
  return (head[5] === 2 ? head.readUInt16BE(16) : head.readUInt16LE(16)) === ET_CORE;
}

async function linesOf(program: string, args: string[], path: string): Promise<string[]> {
  try {
    // A walk that ends in a function without unwind information is an error to it; what it found stands.
    const { stdout } = await exec(program, args, LIMITS);
    return Buffer.from(stdout).toString('utf8').split('\n');
  } catch (error) {
    throw asFault('trace_invalid', `${path}: ${program} (Debian: elfutils) cannot read this core`, error);
  }
}

function imageOf(line: string): TraceImage[] {
  const [, from, size, buildId, file, name] = MODULE.exec(line) ?? [];
  if (from === undefined) return [];
  const base = hex(BigInt(`0x${from}`));
  const path = file!.startsWith('/') ? file! : name!;
  return [traceImage({ ...elfIds(buildId), path, base, size: Number(BigInt(`0x${size}`)) })];
}

/** Cores tell of the thread that crashed first. eu-stack prints return addresses as they stand. */
export async function fromCore(path: string): Promise<Trace> {
  const images = (await linesOf('eu-unstrip', ['-n', `--core=${path}`], path)).flatMap(imageOf);
  const find = imageFinder(images);
  const threads: Thread[] = [];
  for (const line of await linesOf('eu-stack', ['-n', String(FRAMES), `--core=${path}`], path)) {
    const [, id] = THREAD.exec(line) ?? [];
    if (id !== undefined) threads.push({ id: Number(id), crashed: threads.length === 0, frames: [] });
    const [, number, address] = FRAME.exec(line) ?? [];
    const activation = Number(number) === 0;
    const trust = activation ? ('context' as const) : ('cfi' as const);
    if (number !== undefined)
      threads
        .at(-1)
        ?.frames.push(frameAt(BigInt(`0x${address}`), images, find, { activation, trust, claimed: null }));
  }
  if (threads.length === 0)
    throw wrongTrace(
      path,
      'eu-stack found no thread in this core: it is damaged, or of a processor that elfutils here does not know',
    );
  return { format: 'core', signal: null, images, threads };
}
