/** Backtraces of Rust as its standard library prints them (std::backtrace, RUST_BACKTRACE=1 or full), with addresses where they are full. */
import { hex } from '../../base/hex.ts';
import type { Trace } from '../model/trace.ts';
import { cutBy } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

const FRAME = /^\s{0,8}(\d{1,6}): +(?:0x([0-9a-f]{1,16}) - )?(.{1,4096})$/;
const PLACE = /^\s+at (.{1,4096})$/;
const BEGIN = /^(?:stack backtrace:|Stack backtrace:)$/;
const PANIC = /^thread '.*?' (?:\(\d{1,10}\) )?panicked at /;
const OMITTED = /^\s*\[\.\.\. omitted (\d{1,6}) frames? \.\.\.\]$/;

function fromRust(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  let panicked = false;
  /** A frame whose place may stand in the next line. */
  let open: { address: string | undefined; name: string } | null = null;
  const take = (source: string | null): void => {
    if (!open) return;
    const { address, name } = open;
    open = null;
    // The outermost frame is what lies before the first function.
    if (address !== undefined && BigInt(`0x${address}`) === 0n) return;
    // A panic is no fault: every address is where a call comes back to.
    const ip = address === undefined ? null : hex(BigInt(`0x${address}`));
    stacks.addPhysical(ip, { name, source }, () => ({ ip, activation: false }));
  };
  for (const line of linesOf(file.text)) {
    const [, number, address, name] = FRAME.exec(line) ?? [];
    const [, source] = PLACE.exec(line) ?? [];
    if (source !== undefined && open) take(source);
    else if (number !== undefined) {
      take(null);
      if (Number(number) === 0) stacks.begin(panicked && stacks.threads.length === 0);
      if (stacks.threads.length > 0) open = { address, name: name! };
    } else {
      take(null);
      if (PANIC.test(line)) panicked = true;
      const [, omitted] = OMITTED.exec(line) ?? [];
      const thread = stacks.threads.at(-1);
      if (omitted !== undefined && thread) thread.ended = cutBy('Rust', line.trim(), Number(omitted));
    }
  }
  take(null);
  return stacks.trace('rust', panicked ? 'panic' : null);
}

export const rust: TraceFormat = {
  name: 'rust',
  title: 'a backtrace of Rust',
  recognise: ({ head }) => {
    let begun = false;
    if (!/[sS]tack backtrace:/.test(head)) return false;
    for (const line of linesOf(head)) {
      if (begun && FRAME.test(line)) return true;
      begun = BEGIN.test(line);
    }
    return false;
  },
  parse: fromRust,
};
