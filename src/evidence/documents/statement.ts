/** in-toto statements: which digests a signer speaks about, and what is said (github.com/in-toto/attestation). */

import { memberOf } from '../../base/json.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { array, dictionary, string } from '../../base/shape.ts';
import { Refusal } from '../common/refusal.ts';
import { checkedAs, openObject, readJson } from '../common/strict.ts';
import type { Envelope } from './dsse.ts';

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_V1 = 'https://in-toto.io/Statement/v1';
const STATEMENT_TYPES: readonly string[] = [STATEMENT_V1, 'https://in-toto.io/Statement/v0.1'];

export interface Subject {
  name: string | null;
  digest: Record<string, string>;
}

export interface Statement {
  type: string;
  predicateType: string;
  subjects: Subject[];
  predicate: unknown;
}

/** Hex digits of the algorithms a subject may be matched by; others may be listed but prove nothing here. */
export const DIGEST_HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Unknown members are ignored, as the specification says; they are signed along with the others. */
const statementShape = openObject(
  {
    _type: string({ max: 256 }),
    predicateType: string({ pattern: /^\S+$/, max: 1024 }),
    subject: array(
      openObject({ name: string(), digest: dictionary(/^[\x21-\x7e]{1,64}$/, string({ max: 1024 })) }, [
        'digest',
      ]),
      { max: EVIDENCE_LIMITS.subjects },
    ),
  },
  ['_type', 'predicateType', 'subject'],
);

function parseSubjects(subjects: { name?: string; digest: Record<string, string> }[]): Subject[] {
  if (subjects.length === 0) throw new Refusal('subject_malformed', 'the statement has no subject');
  return subjects.map(({ name = null, digest }, index) => {
    const where = `$.subject[${index}].digest`;
    if (Object.keys(digest).length === 0)
      throw new Refusal('subject_malformed', `${where} is empty: a name alone proves nothing`);
    for (const [algorithm, length] of Object.entries(DIGEST_HEX_LENGTH)) {
      const hex = Object.hasOwn(digest, algorithm) ? digest[algorithm] : undefined;
      if (hex !== undefined && (hex.length !== length || !/^[0-9a-f]*$/.test(hex)))
        throw new Refusal(
          'subject_malformed',
          `${where}.${algorithm} is not ${length} lower-case hex digits`,
        );
    }
    return { name, digest };
  });
}

/** The statement in a verified envelope; only the payload's own bytes are read. */
export function parseStatement(envelope: Pick<Envelope, 'payload' | 'payloadType'>): Statement {
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE)
    throw new Refusal(
      'statement_not_in_toto',
      `the payload type is ${JSON.stringify(envelope.payloadType.slice(0, 120))}, not ${IN_TOTO_PAYLOAD_TYPE}`,
    );
  const limits = { sizeBytes: EVIDENCE_LIMITS.fileBytes, depth: EVIDENCE_LIMITS.depth };
  const value = readJson(envelope.payload, 'the statement', limits, 'statement_malformed');
  const json = checkedAs(statementShape, value, 'the statement', 'statement_malformed');
  if (!STATEMENT_TYPES.includes(json._type))
    throw new Refusal('statement_not_in_toto', `_type is ${JSON.stringify(json._type.slice(0, 120))}`);
  return {
    type: json._type,
    predicateType: json.predicateType,
    subjects: parseSubjects(json.subject),
    predicate: memberOf(value, 'predicate') ?? null,
  };
}
