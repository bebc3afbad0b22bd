/** What the store holds, as people read it: a line for each thing in a list, a block for one. */
import type { Digest } from '../base/digest.ts';
import type { Signer } from '../evidence/documents/record.ts';
import type { StoredArtifact, StoredContent, StoredSymbols, StoredTrace } from '../join/store/listing.ts';
import { levelOfRank } from '../objects/quality.ts';
import { safeLine } from './human.ts';
import { rowText } from './lines.ts';

/** As many digits as people compare, and other commands take. */
const DIGITS = 12;

function short(digest: Digest): string {
  return digest.slice('sha256:'.length).slice(0, DIGITS);
}

function block(title: string, rows: readonly (readonly [label: string, text: string | null])[]): string {
  const shown = rows.flatMap(([label, text]) => (text === null ? [] : [rowText(label, safeLine(text), 15)]));
  return `${safeLine(title)}\n${shown.join('')}`;
}

function signedBy(signers: readonly Signer[]): string {
  const names = signers.map(
    ({ authority, identity, key_fingerprint }) => `${authority} (${identity ?? key_fingerprint})`,
  );
  return names.length === 0 ? 'NOT: no evidence about it was accepted' : [...new Set(names)].join(', ');
}

function vouchedRows(one: StoredSymbols | StoredArtifact): [string, string | null][] {
  const { signers, attestation, signed_at, log_entry } = one;
  return [
    ['signed', signedBy(signers)],
    ['by', attestation],
    ['time', signers.length === 0 ? null : (signed_at ?? 'none but the signer’s own')],
    ['log entry', log_entry],
  ];
}

/** A line for each trace. */
export function tracesText(all: readonly StoredTrace[]): string {
  return all
    .map(({ trace_id, signal, frames, format, reproduction }) => {
      const count = `${frames} ${frames === 1 ? 'frame' : 'frames'}`;
      return safeLine(
        `${short(trace_id)}  ${(signal ?? 'no signal').padEnd(10)}${count.padEnd(14)}${format.padEnd(14)}${reproduction ?? 'not reproduced yet'}`,
      );
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** A line for each symbol file. */
export function symbolsText(all: readonly StoredSymbols[]): string {
  return all
    .map(({ sha256, name, format, arch, quality, id }) =>
      safeLine(
        `${short(sha256)}  ${format.padEnd(10)}${arch.padEnd(9)}${(levelOfRank(quality) ?? '').padEnd(11)}${id.slice(0, 16).padEnd(18)}${name}`,
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** A line for each artifact. */
export function artifactsText(all: readonly StoredArtifact[]): string {
  return all
    .map(({ sha256, kind, size_bytes, name, signers }) =>
      safeLine(
        `${short(sha256)}  ${kind.padEnd(16)}${String(size_bytes).padStart(12)}  ${(signers.length > 0 ? 'signed' : 'not signed').padEnd(12)}${name}`,
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** One symbol file. */
export function symbolFileText(one: StoredSymbols): string {
  const { name, sha256, file_sha256, format, arch, id, quality, lacks } = one;
  return block(name, [
    ['symbols', sha256],
    ['file', file_sha256 === sha256 ? null : file_sha256],
    ['format', `${format}, ${arch}`],
    ['id', id],
    ['quality', [levelOfRank(quality) ?? String(quality), ...lacks].join(', ').replaceAll('_', ' ')],
    ...vouchedRows(one),
  ]);
}

/** Contents that are shown; --json has all. */
const SHOWN = 20;

/** One artifact, with what lies in it. */
export function artifactText(one: StoredArtifact & { contents: readonly StoredContent[] }): string {
  const { name, sha256, kind, size_bytes, builder, builder_commit, compiler, contents } = one;
  const more = contents.length - SHOWN;
  return block(name, [
    ['digest', sha256],
    ['kind', `${kind.replaceAll('_', ' ')}, ${size_bytes} bytes`],
    ...vouchedRows(one),
    ['builder', builder],
    ['commit', builder_commit],
    ['compiler', compiler],
    ...contents
      .slice(0, SHOWN)
      .map(({ path, sha256: inner }, n): [string, string] => [
        n === 0 ? 'holds' : '',
        `${short(inner)}  ${path}`,
      ]),
    ['', more > 0 ? `and ${more} more: --json has them all` : null],
  ]);
}
