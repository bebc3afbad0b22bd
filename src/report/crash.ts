/** A crash site in a line: which signal, where, and at what address. */
import { type Crash, showPlace } from '../sandbox/crash.ts';

/** Callers that are named after the place of the crash. */
const CALLERS = 3;

/** Such as "SIGSEGV in /lib/libfoo.so+0x123 at null+0x8, called from /bin/app+0x40". The paths are the guest's words. */
export function crashText({ signal, fault, frames }: Crash): string {
  const [site, ...callers] = frames.slice(0, CALLERS + 1).map(showPlace);
  // An instruction's own address says nothing more.
  const at = fault && showPlace(fault) !== site ? ` at ${showPlace(fault)}` : '';
  return `${signal} in ${site}${at}${callers.length > 0 ? `, called from ${callers.join(' < ')}` : ''}`;
}
