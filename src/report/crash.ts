/** A crash in a line: its signature, its signal, its place, and the frames that were skipped before that. */
import { keysOf } from '../base/table.ts';
import { shortId } from '../manifest/crash-signature.ts';
import { type Crash, showPlace } from '../sandbox/crash.ts';
import { type SignedCrash, signCrash } from '../verdict/crash-signature.ts';

/** Callers that are named after the place of the crash. */
const CALLERS = 3;

/** Such as "SIGSEGV in /lib/libfoo.so+0x123 at null+0x8, called from /bin/app+0x40". The paths are the guest's words. */
export function crashText({ signal, fault, frames }: Crash): string {
  const [site, ...callers] = frames.slice(0, CALLERS + 1).map(showPlace);
  // An instruction's own address says nothing more.
  const at = fault && showPlace(fault) !== site ? ` at ${showPlace(fault)}` : '';
  return `${signal} in ${site}${at}${callers.length > 0 ? `, called from ${callers.join(' < ')}` : ''}`;
}

const PASSED = {
  c_library: 'the C library',
  runtime: 'the runtime',
  handler: 'a handler',
} as const;

function passedText({ passed }: SignedCrash): string {
  const parts = keysOf<keyof typeof PASSED>(PASSED)
    .filter((owner) => passed[owner] > 0)
    .map((owner) => `${passed[owner]} of ${PASSED[owner]}`);
  const frames = Object.values(passed).reduce((sum, count) => sum + count, 0);
  return frames === 0 ? '' : `, past ${parts.join(', ')}`;
}

/** Such as "v1:0123456789ab in parse (app+0x40), past 3 of the C library": what people quote. Names are the guest's words. */
export function signatureText(crash: Crash): string {
  const signed = signCrash(crash);
  const { site, signature } = signed;
  const place = site ? showPlace({ ...site, module: site.module?.split('/').at(-1) ?? null }) : '';
  const where = !site
    ? 'in no code of the program'
    : `in ${site.function ? `${site.function.name} (${place})` : place}`;
  const cut = signature.walk === 'cut' ? '; its stack is known in part' : '';
  return `${shortId(signature.id)} ${where}${passedText(signed)}${cut}`;
}

/** The process of a crash that is not the program's: file name and number, the first of which is the guest's word. */
export function processText({ process }: Crash): string {
  return process ? `${process.program.split('/').at(-1)} [${process.pid}]` : 'a process';
}
