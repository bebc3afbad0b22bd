/** The harness: PID 1, the scanner and the seccomp profile, read once, hashed, and used from those very bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Digest, digestOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { packageFile } from '../base/package-files.ts';

export interface Harness {
  init: Buffer;
  initSha256: Digest;
  /** The profile as engines take it, without white space. */
  seccomp: string;
  /** The file’s own text, which the digest is of. */
  seccompText: string;
  seccompSha256: Digest;
  /** The host-side scanner of overlay folders. */
  scanner: string;
}

/** ELF's numbers of processors, and the engines' names for them. */
const MACHINES: Readonly<Record<number, string[]>> = { 62: ['x86_64', 'amd64'], 183: ['aarch64', 'arm64'] };

/** Throws a Fault where PID 1 is built for another processor than the engine's: no replay could start. */
export function assertRunsOn({ init }: Harness, architecture: string): void {
  const machine = init.length >= 20 ? init.readUInt16LE(18) : 0;
  const names = MACHINES[machine] ?? [`ELF machine ${machine}`];
  if (!names.includes(architecture))
    throw new Fault(
      'unsupported_platform',
      `the harness is built for ${names[0]}, and the engine runs on ${architecture}`,
    );
}

/** The harness of these bytes; the scanner runs on this machine, and is always this release's own. */
export function harnessOf(init: Buffer, seccompText: string, scanner: string): Harness {
  return {
    init,
    initSha256: digestOf(init),
    seccomp: JSON.stringify(JSON.parse(seccompText)),
    seccompText,
    seccompSha256: digestOf(seccompText),
    scanner,
  };
}

/** Reads the harness; a checkout where it was not built yet is told how to. */
export function loadHarness(folder: string = packageFile('harness/')): Harness {
  try {
    const init = readFileSync(join(folder, 'bin', 'init'));
    const seccomp = readFileSync(join(folder, 'seccomp.json'), 'utf8');
    return harnessOf(init, seccomp, join(folder, 'bin', 'scan'));
  } catch (error) {
    throw asFault(
      'engine_failed',
      'the harness is not built; run harness/build.sh (Debian: apt-get install musl-tools)',
      error,
    );
  }
}
