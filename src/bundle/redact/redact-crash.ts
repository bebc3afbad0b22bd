/** What a redaction leaves of crashes: the fact of a crash, without memory or digests that would reveal withheld contents. */
import type { Manifest } from '../../manifest/definition.ts';
import type { ReplayResult } from '../../verdict/replay-result.ts';

/** Registers, digests of modules and excerpts of data may reveal what was withheld; a signature would allow guesses to be tested. */
export function withoutCrashes(replays: ReplayResult[]): ReplayResult[] {
  return replays.map(
    ({ crash: _crash, other_crashes: _others, crash_as: _as, crash_signatures: _signatures, ...rest }) =>
      rest,
  );
}

/** The kind of the expected crash stays. */
export function withoutSignature(manifest: Manifest): Manifest {
  if (manifest.expect?.crash === undefined) return manifest;
  const { signature: _signature, ...crash } = manifest.expect.crash;
  return { ...manifest, expect: { ...manifest.expect, crash } };
}

/** Digests of the programs and libraries that the expected stack names. */
export function programsOf({ expect }: Manifest): string[] {
  const frames = expect?.crash?.signature?.frames ?? [];
  return frames.flatMap((frame) => /@(sha256:[0-9a-f]{64})\+0x[0-9a-f]+$/.exec(frame)?.[1] ?? []);
}
