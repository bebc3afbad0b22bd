/** Reads a trace from a file, compressed or not: a core piece by piece, all other forms from their bytes. */
import { open, readFile } from 'node:fs/promises';

import { asFault } from '../base/fault.ts';
import { readObject } from '../objects/object.ts';
import { NO_SOURCES, type ProgramSources } from './core/program-files.ts';
import { CORE_HEAD_BYTES, fromCore, isCore } from './formats/core.ts';
import { checked, TRACE_LIMITS, type Trace, type TraceImage, wrongTrace } from './model/trace.ts';
import { packingOf, type Readers, readPacked } from './packed.ts';
import { readTrace } from './read.ts';
import { UnwindFiles } from './unwind-files/files.ts';

/** Forms that hold stacks as memory. */
const UNWALKED = ['minidump', 'microdump'];

/** Symbol files and programs with tables to unwind stacks that are not walked yet, or a function that finds them for a trace's images. */
export type UnwindSources = string[] | ((images: TraceImage[]) => Promise<string[]>);

/** A dump names its images first, and its stacks are walked by their tables afterwards: it is read a second time where there are any. */
async function walkedBy(
  bytes: Buffer,
  path: string,
  sources: UnwindSources,
  { executables }: ProgramSources,
): Promise<Trace> {
  const trace = readTrace(bytes, path);
  if (!UNWALKED.includes(trace.format)) return trace;
  // The user named this file on purpose, so it is an error if it cannot be read or belongs to no image.
  for (const named of executables) readObject(named);
  const [stranger] = new UnwindFiles(executables).strangers(trace.images);
  if (stranger !== undefined)
    throw wrongTrace(path, `${stranger} is not what crashed: the dump names no module of that build`);
  const stored = Array.isArray(sources) ? sources : await sources(trace.images);
  const files = [...executables, ...stored];
  return files.length === 0 ? trace : readTrace(bytes, path, new UnwindFiles(files).of);
}

/** Programs in the store may unwind stacks that the programs at hand cannot. */
async function coreWalkedBy(
  path: string,
  name: string,
  unwind: UnwindSources,
  programs: ProgramSources,
): Promise<Trace> {
  const trace = fromCore(path, name, programs);
  if (trace.threads.every(({ ended }) => ended?.outermost)) return trace;
  const stored = Array.isArray(unwind) ? unwind : await unwind(trace.images);
  return stored.length === 0 ? trace : fromCore(path, name, { ...programs, stored });
}

/** Reads a trace of any form from a file that the user named. */
export async function readTraceFile(
  path: string,
  unwind: UnwindSources = [],
  programs: ProgramSources = NO_SOURCES,
): Promise<Trace> {
  const readers: Readers<Trace> = {
    core: async (core) => checked(await coreWalkedBy(core, path, unwind, programs), path),
    bytes: (bytes) => walkedBy(bytes, path, unwind, programs),
  };
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CORE_HEAD_BYTES), 0, CORE_HEAD_BYTES, 0);
      const head = buffer.subarray(0, bytesRead);
      // A core may be larger than any text.
      if (isCore(head)) return await readers.core(path);
      const packing = packingOf(head);
      if (packing !== undefined) return await readPacked(path, packing, readers);
      const { size } = await file.stat();
      if (size > TRACE_LIMITS.fileBytes)
        throw wrongTrace(path, `${size} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
      return await readers.bytes(await readFile(path));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asFault('trace_invalid', `${path} cannot be read`, error);
  }
}
