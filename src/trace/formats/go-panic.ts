/** What Go's runtime prints when a program panics (package runtime, GOTRACEBACK): a stack for each goroutine, by function, file and line. */
import { hex } from '../../base/hex.ts';
import { present } from '../../base/list.ts';
import type { Frame, Trace } from '../model/trace.ts';
import { cutAt, cutBy } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

const GOROUTINE = /^goroutine (\d{1,15}) (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[([^\]]{1,256})\]:$/;
const PLACE =
  /^\t(\S.{0,4096}):(\d{1,10})(?: \+0x[0-9a-f]{1,8})?(?: fp=0x[0-9a-f]+ sp=0x[0-9a-f]+ pc=0x([0-9a-f]{1,16}))?$/;
const SIGNAL =
  /^\[signal (SIG[A-Z0-9]{2,10})(?::.{0,128})? code=(0x[0-9a-f]{1,8}|-?\d{1,9}) addr=0x([0-9a-f]{1,16}) pc=0x[0-9a-f]{1,16}\]$/;
/** _TracebackMaxFrames is 100, frames of the runtime that are not printed included; before 1.21 nothing shows whether there were more. */
const MOST_FRAMES = 97;
const ELIDED = /^\.\.\.(?:additional|(\d{1,9})) frames elided\.\.\.$/;
/** Calls that the runtime puts in: the frame below them was interrupted and made no call. */
const INJECTED = /^runtime\.(?:sigpanic|sigpanic0|asyncPreempt)\(/;

const MOST_INLINED = 32;

interface State {
  stacks: Stacks;
  /** The function's line, which stands before that of its place. */
  named: string | null;
  injected: boolean;
  /** Calls that were inlined into the next one that has an address, as `(...)` in the place of arguments says. */
  inlined: string[];
}

/** Without pc= there is no address: the offset behind the line counts from the function's beginning. */
function addFrame({ stacks, named, injected, inlined }: State, source: string, pc: string | undefined): void {
  const first = stacks.threads.at(-1)?.frames.length === 0;
  const place: Partial<Frame> = { activation: first || injected };
  if (pc !== undefined) place.ip = hex(BigInt(`0x${pc}`));
  const names = [...inlined.splice(0), `${bare(named ?? '')} ${source}`];
  stacks.add({ ...place, name: names.join(', inlined in ') });
}

/** Without its arguments, which are words of memory. */
function bare(call: string): string {
  const open = call.lastIndexOf('(');
  return open > 0 ? call.slice(0, open) : call;
}

function keepInlined({ inlined, named }: State, source: string): void {
  if (inlined.length < MOST_INLINED) inlined.push(`${bare(named ?? '')} ${source}`);
}

/** Of a long stack the first and the last frames are printed and, since Go 1.21, how many lie between them. */
function elided({ threads }: Stacks, line: string): void {
  const count = Number(present(ELIDED.exec(line))[1] ?? 0);
  const thread = threads.at(-1);
  if (thread) thread.ended = cutBy('Go', line, count);
}

function fromGo(file: TraceFile): Trace {
  const state: State = { stacks: new Stacks(file), named: null, injected: false, inlined: [] };
  const { stacks } = state;
  let [signal, panicked, inside]: [RegExpExecArray | null, boolean, boolean] = [null, false, false];
  for (const line of linesOf(file.text)) {
    if (/^(?:panic|fatal error|runtime: |unexpected fault|SIG[A-Z]+: )/.test(line)) panicked = true;
    signal ??= SIGNAL.exec(line);
    const [, goroutine] = GOROUTINE.exec(line) ?? [];
    const [, path, number, pc] = PLACE.exec(line) ?? [];
    if (goroutine !== undefined) {
      // The first is the one that panicked: it is printed before all others.
      stacks.begin(panicked && stacks.threads.length === 0, Number(goroutine));
      [inside, state.named, state.injected, state.inlined] = [true, null, false, []];
    } else if (ELIDED.test(line)) elided(stacks, line);
    else if (line === '') inside = false;
    else if (inside && path !== undefined && state.named !== null) {
      if (state.named.endsWith('(...)')) keepInlined(state, `${path}:${number}`);
      else {
        addFrame(state, `${path}:${number}`, pc);
        state.injected = INJECTED.test(state.named);
      }
      state.named = null;
    } else if (inside) {
      // The place that started the goroutine is no frame of its own stack.
      state.named = line.startsWith('created by ') ? null : line;
    }
  }
  cutAt(stacks.threads, 'Go', MOST_FRAMES);
  const [, name, , address] = signal ?? [];
  return stacks.trace(
    'go',
    name ?? (panicked ? 'panic' : null),
    address === undefined ? {} : { fault_address: hex(BigInt(`0x${address}`)) },
  );
}

export const goPanic: TraceFormat = {
  name: 'go',
  title: 'a panic of Go',
  recognise: ({ head }) => /^goroutine \d{1,15} [^\n]{0,512}\]:\r?\n[^\n]{1,8192}\n\t\S/m.test(head),
  parse: fromGo,
};
