/** Reads a trace from a file: a core by elfutils, all other forms from their bytes. */
import { open, readFile } from 'node:fs/promises';

import { asFault } from '../base/fault.ts';
import { CORE_HEAD_BYTES, fromCore, isCore } from './from/core.ts';
import { readTrace } from './read.ts';
import { checked, TRACE_LIMITS, type Trace, wrongTrace } from './trace.ts';

/** Reads a trace of any form from a file that a person named. */
export async function readTraceFile(path: string): Promise<Trace> {
  try {
    const file = await open(path);
    try {
      // A core is read by others, and may be larger than any text.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CORE_HEAD_BYTES), 0, CORE_HEAD_BYTES, 0);
      if (isCore(buffer.subarray(0, bytesRead))) return checked(await fromCore(path), path);
      const { size } = await file.stat();
      if (size > TRACE_LIMITS.fileBytes)
        throw wrongTrace(path, `${size} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
      return readTrace(await readFile(path), path);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asFault('trace_invalid', `${path} cannot be read`, error);
  }
}
