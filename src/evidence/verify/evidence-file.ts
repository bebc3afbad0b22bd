/** What a file of evidence holds: a bundle, an envelope, a list or document of them, or a log's proof. */

import { type Digest, digestOf } from '../../base/digest.ts';
import { memberOf } from '../../base/json.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { Refusal } from '../common/refusal.ts';
import { readJson } from '../common/strict.ts';
import { type Envelope, parseEnvelope } from '../documents/dsse.ts';
import { foreignBytes, foreignForm } from '../documents/foreign.ts';
import { type Bundle, parseBundle } from '../documents/sigstore-bundle.ts';
import { parseTlogProof, TLOG_PROOF_HEADER, type TlogProof } from '../log/tlog-proof.ts';
import { asRefusal } from './checks.ts';

/** One signed thing and where it was found. */
export interface Evidence {
  name: string;
  /** Of the exact bytes of its file: what `dsse:` references name. */
  sha256: Digest;
  content: { kind: 'bundle'; bundle: Bundle } | { kind: 'envelope'; envelope: Envelope };
}

/** An item of a list that is not evidence: it does not affect the items beside it. */
export interface Unread {
  name: string;
  sha256: Digest;
  refusal: Refusal;
}

export type EvidenceFile =
  | { kind: 'evidence'; list: (Evidence | Unread)[] }
  | { kind: 'proof'; name: string; proof: TlogProof };

/** A part of a file and its name; a line is parsed only when it is reached. */
interface Item {
  where: string;
  value: () => unknown;
}

const LIMITS = { sizeBytes: EVIDENCE_LIMITS.fileBytes, depth: EVIDENCE_LIMITS.depth };

/** An envelope remains one with any further members: unknown members cannot make it something else. */
function isEnvelope(value: unknown): boolean {
  return ['payload', 'payloadType', 'signatures'].every((name) => memberOf(value, name) !== undefined);
}

/** The bundle in an item of a registry's answer; the members beside it are not signed, and are ignored. */
function unwrap(value: unknown, where: string): unknown {
  // A value that is evidence itself is read as it is: an unknown member is refused, not followed.
  if (memberOf(value, 'mediaType') !== undefined || memberOf(value, 'payloadType') !== undefined)
    return value;
  const inner = memberOf(value, 'attestation') ?? value;
  const bundle = memberOf(inner, 'bundle');
  if (typeof bundle === 'object' && bundle !== null) return bundle;
  if (typeof memberOf(inner, 'bundle_url') === 'string')
    throw new Refusal(
      'evidence_unreadable',
      `${where} holds only the address of its bundle (bundle_url)`,
      undefined,
      'get the bundles themselves: gh attestation download FILE --repo OWNER/NAME',
    );
  return inner;
}

/** The items of a document as the npm registry (`attestations`) and GitHub's API (also by digest) answer; else the value itself. */
function itemsOf(value: unknown, name: string): Item[] {
  const listed = (list: unknown[], at: string): Item[] =>
    list.map((item, index) => ({ where: `${name}${at}[${index}]`, value: () => item }));
  if (Array.isArray(value)) return listed(value, '');
  if (isEnvelope(value)) return [{ where: name, value: () => value }];
  const attestations = memberOf(value, 'attestations');
  if (Array.isArray(attestations)) return listed(attestations, ' attestations');
  const byDigest = memberOf(value, 'attestations_subject_digests');
  if (typeof byDigest === 'object' && byDigest !== null)
    return Object.entries(byDigest).flatMap(([digest, list]) =>
      Array.isArray(list) ? listed(list, ` ${digest.slice(0, 80)}`) : [],
    );
  return [{ where: name, value: () => value }];
}

function contentOf(given: unknown, name: string): Evidence['content'] {
  const value = unwrap(given, name);
  if (isEnvelope(value)) return { kind: 'envelope', envelope: parseEnvelope(value, name) };
  if (memberOf(value, 'mediaType') !== undefined && memberOf(value, 'layers') === undefined)
    return { kind: 'bundle', bundle: parseBundle(value, name) };
  if (memberOf(value, 'payloadType') !== undefined)
    return { kind: 'envelope', envelope: parseEnvelope(value, name) };
  throw foreignForm(value, name);
}

/** JSON Lines: more than one line, each of which begins an object; undefined for anything else. */
function linesOf(bytes: Buffer, name: string): Item[] | undefined {
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line, index) => ({
      text: line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''),
      where: `${name} line ${index + 1}`,
    }))
    .filter(({ text }) => text !== '');
  if (lines.length < 2 || !lines.every(({ text }) => text.startsWith('{'))) return undefined;
  return lines.map(({ text, where }) => ({
    where,
    value: () => readJson(Buffer.from(text, 'latin1'), where, LIMITS, 'evidence_unreadable'),
  }));
}

/** Reads a file's bytes as evidence of any form; `name` is what messages call it. An error in one item of a list affects only that item. */
export function parseEvidenceFile(bytes: Buffer, name: string): EvidenceFile {
  if (bytes.length > EVIDENCE_LIMITS.fileBytes)
    throw new Refusal(
      'evidence_too_large',
      `${name} is ${bytes.length} bytes, over the limit of ${EVIDENCE_LIMITS.fileBytes}`,
    );
  if (bytes.subarray(0, TLOG_PROOF_HEADER.length).equals(Buffer.from(TLOG_PROOF_HEADER)))
    return { kind: 'proof', name, proof: parseTlogProof(bytes, name) };
  const foreign = foreignBytes(bytes, name);
  if (foreign) throw foreign;
  const sha256 = digestOf(bytes);
  const items = linesOf(bytes, name) ?? itemsOf(readJson(bytes, name, LIMITS, 'evidence_unreadable'), name);
  if (items.length === 0 || items.length > EVIDENCE_LIMITS.envelopes)
    throw new Refusal(
      'evidence_unreadable',
      `${name} lists ${items.length} items (1 to ${EVIDENCE_LIMITS.envelopes})`,
    );
  return {
    kind: 'evidence',
    list: items.map(({ where, value }): Evidence | Unread => {
      try {
        return { name: where, sha256, content: contentOf(value(), where) };
      } catch (error) {
        if (items.length === 1) throw error;
        return { name: where, sha256, refusal: asRefusal(error) };
      }
    }),
  };
}
