/** Stack traces of Java and related languages as Throwable prints them (java.lang.Throwable, printStackTrace): classes, files and lines. */
import { present } from '../../base/list.ts';
import type { Frame, Trace } from '../model/trace.ts';
import { cutAt } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

/** `at MODULE/CLASS.METHOD(FILE:LINE)`; a class loader, a module and its version may stand before. */
const FRAME =
  /^\s*at ((?:[\w.$@<>+-]{1,512}\/{1,2}){0,2})([^\s()/]{1,1024})\.([^\s().]{1,512})\(([^()]{1,512})\)(?: ~?\[[^\]]{1,512}\])?$/;
/** A text without one of these holds no frames. */
const HINT =
  /\((?:Native Method|Unknown Source|SourceFile|[^():\n]{1,256}\.(?:java|kt|scala|groovy|clj|kts))\b/;
const LINE = /^(.+):(\d{1,10})$/;
const NAMES =
  /^(?:.+\.(?:java|kt|scala|groovy|clj|kts)(?::\d{1,10})?|Native Method|Unknown Source|SourceFile(?::\d{1,10})?)$/;
const ERROR = /^(?:Exception in thread ".*?" )?((?:[A-Za-z_$][\w$]*\.)+[A-Za-z_$][\w$]*)(?::|$)/;
const CAUSE = /^\s*(?:Caused by|Suppressed): /;
const MORE = /^\s*\.\.\. (\d{1,6}) (?:more|common frames omitted)$/;

/** The default of MaxJavaStackTraceDepth. */
const MOST_FRAMES = 1024;

/** A file is named without its folder, which follows from the class's package. */
function pathOf(type: string, file: string): string {
  const dots = type.lastIndexOf('.');
  return dots < 0 ? file : `${type.slice(0, dots).replaceAll('.', '/')}/${file}`;
}

function placeOf(stacks: Stacks, type: string, place: string): Partial<Frame> {
  const [, file, line] = LINE.exec(place) ?? [];
  // Native code, and what was compiled without lines.
  if (file === undefined) return { activation: true };
  return stacks.script('java', pathOf(type, file), Number(line));
}

/** The frames of a cause end where those of what it caused go on: `... N more` are its last N. */
function addCommon(stacks: Stacks, enclosing: Frame[], count: number): void {
  for (const { claimed, ...frame } of count === 0 ? [] : enclosing.slice(-count))
    stacks.add({ ...frame, name: claimed });
}

function fromJava(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  let [signal, inside]: [string | null, boolean] = [null, false];
  for (const line of linesOf(file.text)) {
    const [, module, type, method, place] = FRAME.exec(line) ?? [];
    if (type !== undefined && NAMES.test(present(place))) {
      if (!inside) stacks.begin(stacks.threads.length === 0);
      inside = true;
      stacks.add({ ...placeOf(stacks, type, present(place)), name: `${module}${type}.${method}` });
      continue;
    }
    const [, more] = MORE.exec(line) ?? [];
    if (more !== undefined && inside) addCommon(stacks, stacks.threads.at(-2)?.frames ?? [], Number(more));
    else if (stacks.threads.length === 0) signal = ERROR.exec(line)?.[1] ?? signal;
    if (more !== undefined || CAUSE.test(line) || line === '' || ERROR.test(line)) inside = false;
  }
  cutAt(stacks.threads, 'Java', MOST_FRAMES);
  return stacks.trace('java', signal);
}

export const java: TraceFormat = {
  name: 'java',
  title: 'a stack trace of Java',
  recognise: ({ head }) => {
    if (!HINT.test(head)) return false;
    for (const line of linesOf(head)) if (NAMES.test(FRAME.exec(line)?.[4] ?? '')) return true;
    return false;
  },
  parse: fromJava,
};
