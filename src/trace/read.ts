/** Recognises the form of a trace by its content, and reads its threads into our one model. */
import { TraceFile } from './formats/format.ts';
import { FORMATS } from './formats/formats.ts';
import { checked, TRACE_LIMITS, type Trace, wrongTrace } from './model/trace.ts';
import type { UnwindTables } from './unwind-files/files.ts';

/** Reads a trace of any form that is known; `unwind` has tables for stacks that are not walked yet. Throws a Fault that names the file and what is wrong in it. */
export function readTrace(bytes: Buffer, name: string, unwind?: UnwindTables): Trace {
  if (bytes.length > TRACE_LIMITS.fileBytes)
    throw wrongTrace(name, `${bytes.length} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
  const file = new TraceFile(bytes, name, unwind);
  const form = FORMATS.find(({ recognise }) => recognise(file));
  if (form) return checked(form.parse(file), name);
  const known = FORMATS.map(({ title }) => title).join(', ');
  throw wrongTrace(name, `none of the forms that are read: ${known}`);
}
