/** How a form of trace describes itself, and the file that each form is asked about. To add a form: one file beside this one, and one line in formats.ts. */
import { parseJson, showProblem } from '../../base/json.ts';
import { TRACE_LIMITS, type Trace, wrongTrace } from '../model/trace.ts';
import type { UnwindTables } from '../unwind-files/files.ts';
import { type Members, members } from './foreign.ts';

/** How many bytes at the beginning of a text are searched to recognise its form. */
export const HEAD_BYTES = 65_536;
const FIRST_LINE_BYTES = 4096;

export interface TraceFormat {
  /** What the trace's `format` says. */
  name: string;
  /** What people call it, with an article: it stands in the message that lists what is read. */
  title: string;
  /** Whether a file is of this form, by its beginning or its members; asked in the order of formats.ts. */
  recognise: (file: TraceFile) => boolean;
  /** Reads what was recognised. Throws a Fault that names the file and what in it is wrong. */
  parse: (file: TraceFile) => Trace;
}

/** A file's bytes, and the views of them that several forms ask for, each made once. */
export class TraceFile {
  readonly bytes: Buffer;
  /** As messages call it. */
  readonly name: string;
  /** Tables to walk stacks by, where the file holds stacks that are not walked yet. */
  readonly unwind: UnwindTables;
  private object: Members | undefined;
  private decoded: string | undefined;
  private begun: string | undefined;

  constructor(bytes: Buffer, name: string, unwind: UnwindTables = () => undefined) {
    this.bytes = bytes;
    this.name = name;
    this.unwind = unwind;
  }

  /** The first 64 KiB as text. */
  get head(): string {
    this.begun ??= this.bytes.toString('utf8', 0, HEAD_BYTES);
    return this.begun;
  }

  get text(): string {
    this.decoded ??= this.bytes.toString('utf8');
    return this.decoded;
  }

  /** Where the first line ends; -1 where there is but one. */
  get firstEnd(): number {
    return this.bytes.indexOf(10);
  }

  get firstLine(): string {
    const end = this.firstEnd < 0 ? this.bytes.length : this.firstEnd;
    return this.bytes.toString('latin1', 0, Math.min(end, FIRST_LINE_BYTES));
  }

  /** The members of the JSON object in the file; none where the file does not begin like an object. */
  get members(): Members {
    this.object ??= /^\s*\{/.test(this.firstLine) ? members(this.json(this.bytes)) : {};
    return this.object;
  }

  has(member: string): boolean {
    return Object.hasOwn(this.members, member);
  }

  /** A piece of the file as JSON, with the limits that hold for all. */
  json(piece: Buffer): unknown {
    const parsed = parseJson(piece, { sizeBytes: TRACE_LIMITS.fileBytes, depth: TRACE_LIMITS.jsonDepth });
    if (parsed.ok) return parsed.value;
    throw this.wrong(parsed.problems.slice(0, 3).map(showProblem).join('; '));
  }

  /** A Fault that names the file. */
  wrong(what: string): Error {
    return wrongTrace(this.name, what);
  }
}
