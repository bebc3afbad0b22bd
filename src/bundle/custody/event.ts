/** Custody events of a bundle: who had it and what was done, each signed, each naming the one before. */
import { type Digest, digestOf, hexOf, isDigest } from '../../base/digest.ts';
import { type Problem, parseJson, showProblem } from '../../base/json.ts';
import { closed, integer, nullable, oneOf, read, type Shape, string } from '../../base/shape.ts';
import { type PublicKey, parsePublicKey } from '../../evidence/common/keys.ts';
import { Refusal } from '../../evidence/common/refusal.ts';
import { matchSignatures, parseEnvelope } from '../../evidence/documents/dsse.ts';
import { type SigningKey, signStatement } from '../../evidence/documents/sign.ts';
import { parseStatement } from '../../evidence/documents/statement.ts';
import { digest } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import { ATTACHED_BYTES } from './attached.ts';

const EVENT_TYPE = 'urn:reenact:custody-event:v1';

/** What may be done with a bundle. */
export const ACTIONS = ['exported', 'received', 'reviewed', 'redacted'] as const;
export type Action = (typeof ACTIONS)[number];

/** What a person says was done; null as time: no time is stated, but a timestamp may prove one. */
export interface EventClaim {
  action: Action;
  actor: string;
  reason: string;
  time: string | null;
}

/** An event as it stands in a bundle. */
export interface CustodyEvent extends EventClaim {
  /** 1, 2, 3 … of this bundle. */
  sequence: number;
  /** Digest of the envelope before; null for the first. */
  previous: Digest | null;
  /** Digest of this event's envelope: what the next one names, and what a receipt is. */
  sha256: Digest;
  envelope: Buffer;
  key: PublicKey;
  /** Digest of the file the key is in. */
  keySha256: Digest;
  /** Whether the key beside it made its signature; the owner of the key is not checked here. */
  signed: boolean;
}

/** Of an actor's name and of a reason. */
export const TEXT_CHARACTERS = 2048;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
const eventShape: Shape<EventClaim & Pick<CustodyEvent, 'sequence' | 'previous'>> = closed({
  sequence: integer(1, 1_000_000),
  previous: nullable(digest),
  action: oneOf(...ACTIONS),
  actor: string({ max: TEXT_CHARACTERS }),
  reason: string({ max: TEXT_CHARACTERS }),
  time: nullable(string({ pattern: TIME })),
});

/** The next event after `last`, signed. Ed25519 only: its signatures are the same each time they are made. */
export function signEvent(
  root: Digest,
  last: { sequence: number; sha256: Digest } | undefined,
  claim: EventClaim,
  key: SigningKey,
): { envelope: Buffer; key: Buffer; sha256: Digest } {
  const predicate = { ...claim, sequence: (last?.sequence ?? 0) + 1, previous: last?.sha256 ?? null };
  const text = signStatement(key, [{ name: 'bundle', sha256: root }], EVENT_TYPE, predicate);
  const pem = String(key.public.key.export({ type: 'spki', format: 'pem' }));
  return { envelope: Buffer.from(text), key: Buffer.from(pem), sha256: digestOf(text) };
}

function refused(where: string, problems: Problem[]): Refused {
  return new Refused('manifest_form', `${where}: ${problems.slice(0, 5).map(showProblem).join('; ')}`);
}

/** Reads an event of the bundle with this root; whether its signature is valid is a field of it, not a condition. */
export function parseEvent(envelope: Buffer, keyBytes: Buffer, root: Digest, where: string): CustodyEvent {
  try {
    const parsed = parseJson(envelope, { sizeBytes: ATTACHED_BYTES, depth: 16 });
    if (!parsed.ok) throw refused(where, parsed.problems);
    const dsse = parseEnvelope(parsed.value, where);
    const { subjects, predicate, predicateType } = parseStatement(dsse);
    if (predicateType !== EVENT_TYPE)
      throw new Refused('manifest_form', `${where} is a ${predicateType}, not a custody event`);
    const claim = read(eventShape, predicate, '$.predicate');
    if (!claim.ok) throw refused(where, claim.problems);
    if (subjects.length !== 1 || subjects[0]?.digest.sha256 !== hexOf(root))
      throw new Refused('custody_broken', `${where} is about another bundle than ${root}`);
    const key = parsePublicKey(keyBytes, `${where}, its key`);
    // Signatures of other algorithms differ each time, and VERIFY.txt's commands know this one.
    if (key.algorithm !== 'ed25519' || dsse.signatures.length !== 1)
      throw new Refused('manifest_form', `${where} must have one signature, with an Ed25519 key`);
    return {
      ...claim.value,
      sha256: digestOf(envelope),
      envelope,
      key,
      keySha256: digestOf(keyBytes),
      signed: matchSignatures(dsse, [key]).every((match) => match !== undefined),
    };
  } catch (error) {
    if (error instanceof Refusal) throw new Refused('manifest_form', error.message, error);
    throw error;
  }
}

/** What is wrong with a chain of events: a signature, a number, a link; a missing end can be seen only by the holder of a receipt. */
export function checkEvents(events: CustodyEvent[], receipts: Receipt[] = []): string[] {
  const wrong: string[] = [];
  let previous: Digest | null = null;
  for (const [i, event] of events.entries()) {
    const where = `custody event ${i + 1} (${event.sha256})`;
    if (!event.signed) wrong.push(`${where} is not signed with the key beside it`);
    if (event.sequence !== i + 1 || event.previous !== previous)
      wrong.push(`${where} does not follow the one before it`);
    previous = event.sha256;
  }
  for (const { sequence, sha256 } of receipts)
    if (events[sequence - 1]?.sha256 !== sha256)
      wrong.push(`the receipt’s event ${sequence} (${sha256}) is not in the chain of ${events.length}`);
  return wrong;
}

/** An event that a reader was shown earlier: with it, a chain that was cut afterwards is recognised. */
export interface Receipt {
  sequence: number;
  sha256: Digest;
}

/** "2:sha256:…", as `custody add` prints it; undefined when it is no receipt. */
export function parseReceipt(text: string): Receipt | undefined {
  const [, sequence, sha256] = /^([1-9]\d{0,5}):(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  return sequence && sha256 && isDigest(sha256) ? { sequence: Number(sequence), sha256 } : undefined;
}
