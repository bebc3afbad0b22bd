/** Checkpoints: a log's signed statement of its length and its root (c2sp.org/tlog-checkpoint). */
import { decodePaddedBase64 } from '../../base/base64.ts';
import { Refusal } from '../common/refusal.ts';
import { isSignedBy, type NoteKey, parseNote } from './note.ts';

export interface Checkpoint {
  /** The log's name. */
  origin: string;
  /** Leaves. */
  size: number;
  root: Buffer;
}

export interface VerifiedCheckpoint extends Checkpoint {
  /** Of the log's key, hex. */
  keyId: string;
  /** Names of the witnesses whose cosignatures were verified. */
  witnesses: string[];
}

export interface CheckpointTrust {
  key: NoteKey;
  /** Rekor v1 appends " - <tree id>" to its name; every other log's origin is the name itself. */
  origins: 'exact' | 'rekor-v1';
  witnesses: { keys: NoteKey[]; min: number } | null;
}

/** Untrusted note text to a checkpoint; what is signed is not checked here. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = parseNote(text).text.slice(0, -1).split('\n');
  const bytes = decodePaddedBase64(root);
  const wrong =
    origin === ''
      ? 'no origin'
      : !/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))
        ? 'no size in canonical decimal digits, at most 2^53-1'
        : bytes?.length !== 32
          ? 'no root hash of 32 bytes in base64'
          : extensions.includes('')
            ? 'an empty line among its extensions'
            : undefined;
  if (wrong) throw new Refusal('log_checkpoint', `the checkpoint has ${wrong}`);
  return { origin, size: Number(size), root: bytes! };
}

function originFits(origin: string, { key, origins }: CheckpointTrust): boolean {
  if (origin === key.name) return true;
  return (
    origins === 'rekor-v1' &&
    origin.startsWith(`${key.name} - `) &&
    /^[0-9]{1,20}$/.test(origin.slice(key.name.length + 3))
  );
}

/** One key may stand under several names: a quorum counts keys. */
function cosigners(text: string, witnesses: NonNullable<CheckpointTrust['witnesses']>): string[] {
  const note = parseNote(text);
  const found = new Map<string, string>();
  for (const witness of witnesses.keys)
    if (isSignedBy(note, witness))
      found.set(witness.key.export({ type: 'spki', format: 'der' }).toString('hex'), witness.name);
  if (found.size < witnesses.min)
    throw new Refusal(
      'log_witness',
      `${witnesses.min} witnesses must have signed the checkpoint, and ${found.size} have`,
    );
  return [...found.values()];
}

/** Verifies that a checkpoint is one log's own: signed by its key, under its name, and by enough witnesses. */
export function verifyCheckpoint(text: string, trust: CheckpointTrust): VerifiedCheckpoint {
  const checkpoint = parseCheckpoint(text);
  const { key, witnesses } = trust;
  if (!isSignedBy(parseNote(text), key))
    throw new Refusal(
      'log_key',
      `${key.name} (key ${key.keyId.toString('hex')}) has not signed the checkpoint`,
    );
  if (!originFits(checkpoint.origin, trust))
    throw new Refusal(
      'log_checkpoint',
      `the checkpoint is of ${JSON.stringify(checkpoint.origin.slice(0, 120))}, and the key is ${key.name}’s`,
    );
  return {
    ...checkpoint,
    keyId: key.keyId.toString('hex'),
    witnesses: witnesses ? cosigners(text, witnesses) : [],
  };
}
