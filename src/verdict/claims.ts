/** Sets what a manifest claims about kernel, libc and compiler beside what was observed. */
import { keysOf } from '../base/table.ts';
import type { Manifest } from '../manifest/definition.ts';
import type { Observed } from '../sandbox/probe.ts';
import type { Claim } from './record.ts';

/** "5.x" fits 5.10.3 and "glibc 2.36" fits "glibc 2.36": x stands for any number, and a shorter version for longer ones. */
export function claimFits(claimed: string, observed: string): boolean {
  const pattern = claimed
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/(?<=^|\.|\s)[xX](?=$|\\\.|\s)/g, '\\d+');
  return new RegExp(`^${pattern}(?![0-9])`, 'i').test(observed.trim());
}

/** A compiler is claimed as "gcc 12.2"; binaries say "gcc (Debian 12.2.0-14) 12.2.0" in pieces. */
function compilerFits(claimed: string, observed: string): boolean {
  const parts = (text: string): { family: string; version: string } => ({
    family: /clang/i.test(text) ? 'clang' : /gcc|g\+\+/i.test(text) ? 'gcc' : text,
    version: /\d+(?:\.\d+)*/.exec(text)?.[0] ?? '',
  });
  const [a, b] = [parts(claimed), parts(observed)];
  return a.family === b.family && claimFits(a.version, b.version);
}

const FITS = { kernel_version: claimFits, libc_version: claimFits, compiler: compilerFits } as const;

/** The same entries, made again from what the record says was observed: the record itself does not decide what matches. */
export function claimsAgain(manifest: Manifest, recorded: Claim[]): Claim[] {
  return keysOf<Claim['name']>(FITS).flatMap((name) => {
    const claimed = manifest[name];
    if (claimed === undefined) return [];
    const observed = recorded.find((claim) => claim.name === name)?.observed ?? null;
    return [{ name, claimed, observed, match: observed === null ? null : FITS[name](claimed, observed) }];
  });
}

/** One entry for each claim the manifest makes; `match` is null where nothing was observed. */
export function compareClaims(manifest: Manifest, observed: Observed): Claim[] {
  const pairs = [
    ['kernel_version', observed.kernel],
    ['libc_version', observed.libc],
    ['compiler', observed.compiler],
  ] as const;
  return pairs.flatMap(([name, seen]) => {
    const claimed = manifest[name];
    if (claimed === undefined) return [];
    return [
      { name, claimed, observed: seen ?? null, match: seen === undefined ? null : FITS[name](claimed, seen) },
    ];
  });
}
