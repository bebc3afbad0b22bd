/** Takes contents out of a bundle: the new bundle names their commitments, and nothing inside reveals them. */

import { createHmac } from 'node:crypto';
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import type { JoinDocument } from '../../join/document.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import type { FinalState } from '../../state/final-state.ts';
import type { BlobStore } from '../../store/blobs.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { Descriptor, Withheld } from '../format/format.ts';
import { manifestDescriptor, TRACE_ROLES } from '../format/format.ts';
import { globFits } from '../format/glob.ts';
import type { Opened } from '../read/open.ts';
import type { Collected, Source } from '../write/collect.ts';
import { programsOf, withoutCrashes, withoutSignature } from './redact-crash.ts';
import { guard } from './redact-guard.ts';

/** "hmac-sha256:" and 64 hex digits, in place of a digest: no function that asks for a digest takes it. */
type Commitment = `hmac-sha256:${string}`;

/** The commitment to a withheld thing: with the thing and the secret it can be computed again; without the secret no guess can be tested. */
function commit(secret: Buffer, thing: { sha256: string; size?: number | null }): Commitment {
  return `hmac-sha256:${createHmac('sha256', secret).update(canonicalJson(thing)).digest('hex')}`;
}

/** The result of a redaction: what to pack, and what to report about it. */
export interface Redaction {
  collected: Collected;
  subject: Descriptor;
  withheld: Withheld[];
  /** Every name that a dropped content had in the original. */
  names: string[];
}

/** The names a content can be asked for by: what the program read, printed and wrote. */
function namesOf(state: FinalState): [string, Digest, number | null][] {
  return [
    ['stdout', state.stdout.sha256, state.stdout.size],
    ['stderr', state.stderr.sha256, state.stderr.size],
    ...state.files.flatMap(({ path, path_hex, sha256, size }): [string, Digest, number | null][] =>
      sha256 ? [[`files${path ?? `/${path_hex}`}`, sha256, size ?? 0]] : [],
    ),
  ];
}

/** Roles whose bytes may be taken out. */
const CONTENTS: readonly string[] = ['input', 'content', 'trace-source', 'trace'];

class Redactor {
  /** The replacement of each digest that may not be inside. */
  readonly replaced = new Map<string, string>();
  readonly withheld: Withheld[] = [];
  /** Names of what was chosen, each with its digest. */
  readonly names = new Map<string, Digest>();
  private readonly opened: Opened;
  private readonly secret: Buffer;

  constructor(opened: Opened, secret: Buffer) {
    this.opened = opened;
    this.secret = secret;
  }

  json<T>(sha256: Digest): T {
    const bytes = this.opened.kept.get(sha256);
    if (!bytes)
      throw new Fault(
        'record_invalid',
        `${sha256} is over ${LIMITS.documentBytes} bytes: it cannot be redacted`,
      );
    return JSON.parse(bytes.toString('utf8')) as T;
  }

  get states(): Map<Digest, FinalState> {
    const items = this.opened.document.items.filter(({ role }) => role === 'state');
    return new Map(items.map(({ sha256 }) => [sha256, this.json<FinalState>(sha256)]));
  }

  /** Chooses the contents that match a pattern; the same bytes under another name are the same content, and are taken out as well. */
  choose(patterns: string[]): void {
    const inputs = this.opened.document.items.flatMap(
      ({ role, name, sha256, size }): [string, Digest, number][] => {
        if (!CONTENTS.includes(role) || role === 'content') return [];
        return [[role === 'input' ? `input/${name}` : role, sha256, size]];
      },
    );
    const all = [...inputs, ...[...this.states.values()].flatMap(namesOf)];
    const named = all.filter(([, sha256]) => !sha256.startsWith('hmac-'));
    for (const pattern of patterns) {
      const found = named.filter(([name]) => globFits(pattern, name));
      if (found.length === 0)
        throw new Fault(
          'usage',
          `--drop ${pattern} fits nothing inside: names are input/PATH, files/PATH, stdout, stderr, trace and trace-source`,
        );
      for (const [, sha256, size] of found) this.replaced.set(sha256, commit(this.secret, { sha256, size }));
    }
    for (const [name, sha256] of named) if (this.replaced.has(sha256)) this.names.set(name, sha256);
    const { items } = this.opened.document;
    const needed = items.find(({ role, sha256 }) => !CONTENTS.includes(role) && this.replaced.has(sha256));
    if (needed)
      throw new Fault(
        'usage',
        `${[...this.names.keys()].join(', ')}: the same bytes are the bundle’s ${needed.role}, which cannot be taken out`,
      );
  }

  /** Chosen contents that are not inside, although their digests are. */
  withholdAbsent(): void {
    const inside = new Set(this.opened.document.items.map(({ sha256 }) => sha256));
    const absent = new Map([...this.names].map(([name, sha256]) => [sha256, name]));
    for (const [sha256, name] of absent)
      if (!inside.has(sha256))
        this.withheld.push({
          role: 'content',
          name: name.slice(0, 1024),
          commitment: present(this.replaced.get(sha256)),
        });
  }

  /** Replaces a document by its redacted form; an unchanged one keeps its digest. */
  rewrite(role: Source['role'], sha256: Digest, changed: unknown): Source | undefined {
    const bytes = Buffer.from(canonicalJson(changed));
    const now = digestOf(bytes);
    if (now === sha256) return undefined;
    this.replaced.set(sha256, now);
    return { role, sha256: now, size: bytes.length, from: bytes };
  }

  /** Takes a thing out because it would reveal a withheld one. */
  withhold(sha256: Digest): void {
    this.replaced.set(sha256, commit(this.secret, { sha256 }));
  }

  /** A value in which every digest that may not be inside is replaced, and the sizes beside them are gone. */
  blank<T>(value: T): T {
    if (typeof value === 'string') return (this.replaced.get(value) ?? value) as T;
    if (Array.isArray(value)) return value.map((one) => this.blank(one)) as T;
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, one]) => [key, this.blank(one)] as const);
    const result = Object.fromEntries(entries) as Record<string, unknown>;
    const { sha256 } = result;
    if (typeof sha256 === 'string' && sha256.startsWith('hmac-')) {
      if ('size' in result) result.size = null;
      // A file's attributes are as private as its content.
      delete result.xattrs;
    }
    return result as T;
  }
}

/** A manifest with commitments for what was withheld; evidence and signature, which would reveal it, are not named. */
function redactManifest(r: Redactor, manifest: Manifest): Manifest {
  const { dsse_envelope: _envelope, rekor_tile_ref: _reference, ...rest } = r.blank(manifest);
  return withoutSignature(rest);
}

/** Whether a manifest names what was withheld: as an input, or as a program of the crash it expects. */
function namesWithheld(r: Redactor, manifest: Manifest): boolean {
  if (programsOf(manifest).some((sha256) => r.replaced.has(sha256))) return true;
  return canonicalJson(r.blank(manifest)) !== canonicalJson(manifest);
}

/** Where replays part, without excerpts: these could hold parts of a withheld content under any name. */
function redactDivergence(
  divergence: ReplayRecord['divergence'],
  stateChanged: boolean,
): ReplayRecord['divergence'] {
  if (divergence?.kind === 'crash') return { ...divergence, expected: '(withheld)', actual: '(withheld)' };
  if (!divergence || !stateChanged || divergence.kind === 'ending') return divergence;
  const { context: _context, offset: _offset, ...rest } = divergence;
  return { ...rest, expected: '(withheld)', actual: '(withheld)' };
}

function redactRecord(
  r: Redactor,
  opened: Opened,
  manifest: Manifest | undefined,
  stateChanged: boolean,
): ReplayRecord {
  // Excerpts of data may reveal what was withheld.
  const { desync: _desync, ...shown } = opened.shown;
  const replays = withoutCrashes(shown.replays);
  const record = r.blank({ ...shown, replays, divergence: redactDivergence(shown.divergence, stateChanged) });
  if (!manifest) return record;
  return {
    ...record,
    manifest_subject_sha256: manifestSubject(manifest),
    evidence: { ...record.evidence, record: null, custody: null },
  };
}

/** Contents are listed without names: the first name that a state has for a content shows people which one it was. */
function nameOf(first: Map<Digest, string>, role: string, sha256: Digest): { name?: string } {
  const found = first.get(sha256);
  return role === 'content' && found !== undefined ? { name: found.slice(0, 1024) } : {};
}

/** Frames with commitments for what was withheld; `source` where that changes them. */
interface RedactedTrace {
  join: JoinDocument;
  source: Source | undefined;
}

/**
 * Withholds what goes with a trace: all of it where the trace was chosen, and always the records of earlier
 * reproductions, whose crash sites are excerpts of memory.
 */
function redactTrace(r: Redactor, { document, traced }: Opened): RedactedTrace | undefined {
  const dropped = traced !== undefined && r.replaced.has(traced.join.trace_id);
  const others = new Set(
    document.items.flatMap(({ role, sha256 }) => (TRACE_ROLES.includes(role) ? [] : [sha256])),
  );
  for (const { role, sha256 } of document.items)
    if (role === 'reproduction' || (dropped && TRACE_ROLES.includes(role) && !others.has(sha256)))
      if (!r.replaced.has(sha256)) r.withhold(sha256);
  const item = document.items.find(({ role }) => role === 'join');
  if (dropped || !traced || !item) return undefined;
  const join = r.blank(traced.shown);
  const source = r.rewrite('join', item.sha256, join);
  return { join, source: source && { ...source, name: 'join.json' } };
}

const EVIDENCE: readonly Source['role'][] = ['evidence', 'evidence-record', 'custody'];

/** Redacts an opened bundle whose contents lie in `store`: drops the contents that match the patterns. */
export function redactBundle(
  opened: Opened,
  store: BlobStore,
  patterns: string[],
  secret: Buffer,
): Redaction {
  const r = new Redactor(opened, secret);
  r.choose(patterns);
  const { items } = opened.document;
  const sources: Source[] = [];
  const add = (source: Source | undefined): boolean => source !== undefined && sources.push(source) > 0;
  for (const [sha256, state] of r.states) add(r.rewrite('state', sha256, r.blank(state)));
  const { record, shown } = opened;
  // A state that is not inside may contain what is withheld, so its digest would allow guesses to be tested.
  const expected = record.expected_state_sha256;
  const stateChanged = sources.length > 0;
  if (expected && !items.some(({ sha256 }) => sha256 === expected)) r.withhold(expected);
  const old = record.manifest_sha256;
  const before = old ? r.json<Manifest>(old) : undefined;
  let manifest: Manifest | undefined;
  if (old && before && namesWithheld(r, before)) {
    manifest = redactManifest(r, before);
    add({ ...present(r.rewrite('manifest', old, manifest)), name: record.name });
    for (const item of items) if (EVIDENCE.includes(item.role)) r.withhold(item.sha256);
    // Of a manifest without evidence it is the digest that was replaced just now.
    const subject = record.manifest_subject_sha256;
    if (subject && !r.replaced.has(subject)) r.withhold(subject);
  }
  // The nonce is new for each redaction: else a bundle could be built from one that withholds more, and guesses tested against it.
  const made = canonicalJson([opened.root, [...r.names.keys()].sort()]);
  r.replaced.set(shown.nonce, commit(secret, { sha256: `${shown.nonce} ${digestOf(made)}` }));
  const trace = redactTrace(r, opened);
  add(trace?.source);
  const next = redactRecord(r, opened, manifest, stateChanged);
  const bytes = Buffer.from(canonicalJson(next));
  const recordSha256 = digestOf(bytes);
  add({ role: 'record', sha256: recordSha256, size: bytes.length, name: record.name, from: bytes });
  r.replaced.set(opened.document.record_sha256, recordSha256);
  const named = [...r.names].sort(([a], [b]) => (a < b ? 1 : -1));
  const first = new Map(named.map(([name, sha256]) => [sha256, name]));
  for (const { role, name, sha256, size } of items) {
    const instead = r.replaced.get(sha256);
    const named = name === undefined ? {} : { name };
    // The report is made again from what is left.
    const gone = role === 'report' || (!trace && TRACE_ROLES.includes(role));
    if (instead === undefined && !gone)
      sources.push({ role, sha256, size, ...named, from: { path: store.path(sha256) } });
    else if (instead?.startsWith('hmac-'))
      r.withheld.push({ role, ...named, ...nameOf(first, role, sha256), commitment: instead });
  }
  r.withholdAbsent();
  guard(r.replaced, sources, store);
  const withheld = [...(opened.document.withheld ?? []), ...r.withheld].sort((a, b) =>
    canonicalJson(a) < canonicalJson(b) ? -1 : 1,
  );
  return {
    collected: {
      record: next,
      recordSha256,
      manifest: manifest ?? opened.shownManifest,
      image: opened.document.image,
      sources,
      join: trace?.join,
    },
    subject: manifestDescriptor(opened.rootText),
    withheld,
    names: [...r.names.keys()].sort(),
  };
}
