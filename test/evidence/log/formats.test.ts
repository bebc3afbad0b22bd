/** Checkpoints, notes, proofs in files, references: what is refused, and with which code. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import {
  formatLogReference,
  parseEnvelopeReference,
  parseLogReference,
} from '../../../src/evidence/documents/reference.ts';
import { parseCheckpoint, verifyCheckpoint } from '../../../src/evidence/log/checkpoint.ts';
import { parseNote, parseVerifierKey } from '../../../src/evidence/log/note.ts';
import { tilePath } from '../../../src/evidence/log/tiles.ts';
import { formatTlogProof, parseTlogProof } from '../../../src/evidence/log/tlog-proof.ts';
import { TestLog } from '../../support/log.ts';

const log = new TestLog({ witnesses: 3 }).grow(300);
const key = parseVerifierKey(log.verifierKey);
const witnesses = { keys: log.witnessKeys.map(parseVerifierKey), min: 2 };
const trust = { key, origins: 'exact' as const, witnesses };

function codeOf(check: () => unknown): string {
  try {
    check();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code;
  }
}

describe('checkpoints', () => {
  const good = log.checkpoint();
  const lines = good.split('\n');
  const replaceLine = (index: number, text: string): string =>
    lines.map((line, i) => (i === index ? text : line)).join('\n');

  it('accepts a log’s own, with its witnesses', () => {
    const verified = verifyCheckpoint(good, trust);
    expect(verified).toMatchObject({ origin: log.origin, size: 300, keyId: key.keyId.toString('hex') });
    expect(verified.witnesses.length).toBe(3);
  });

  it('passes over signatures of others, wherever they stand', () => {
    const other = new TestLog({ origin: 'other.example' }).grow(1).checkpoint().split('\n').at(-2)!;
    const mixed = [...lines.slice(0, 4), other, ...lines.slice(4)].join('\n');
    expect(verifyCheckpoint(mixed, trust).size).toBe(300);
  });

  it.each([
    ['log_checkpoint', 'another size', replaceLine(1, '301')],
    ['log_checkpoint', 'another root', replaceLine(2, Buffer.alloc(32).toString('base64'))],
    ['log_checkpoint', 'a root of 31 bytes', replaceLine(2, Buffer.alloc(31).toString('base64'))],
    ['log_checkpoint', 'a size in hex', replaceLine(1, '0x12c')],
    ['log_checkpoint', 'a size with a leading zero', replaceLine(1, '0300')],
    ['log_checkpoint', 'a size over 2^53', replaceLine(1, '9007199254740993')],
    ['log_checkpoint', 'no signatures', `${lines.slice(0, 3).join('\n')}\n`],
    ['log_checkpoint', 'garbage after the signatures', `${good}garbage\n`],
    ['log_checkpoint', 'no newline at the end', good.slice(0, -1)],
    ['log_checkpoint', 'a carriage return', good.replace('\n', '\r\n')],
    ['log_checkpoint', 'another origin, signed by the key', log.checkpoint(300, { origin: 'log.example' })],
    ['log_checkpoint', 'another shard', log.checkpoint(300, { origin: `${log.origin} - 12` })],
    ['log_key', 'a shortened signature name', good.replace(`— ${log.origin} `, '— log.example ')],
    ['log_key', 'a log of the same name with another key', new TestLog().grow(300).checkpoint()],
    ['log_witness', 'too few witnesses', `${lines.slice(0, 6).join('\n')}\n`],
    ['log_checkpoint', 'a witness whose signature is damaged', good.replace(lines[6]!, damage(lines[6]!))],
  ])('%s: %s', (code, _name, text) => {
    expect(codeOf(() => verifyCheckpoint(text, trust))).toBe(code);
  });

  it('counts one witness key under two names once', () => {
    const [first] = witnesses.keys;
    const twice = { keys: [first!, { ...first!, name: 'other' }], min: 2 };
    expect(codeOf(() => verifyCheckpoint(good, { ...trust, witnesses: twice }))).toBe('log_witness');
  });

  it('takes Rekor v1’s name with its tree id, and nothing else', () => {
    const rekor = { ...trust, origins: 'rekor-v1' as const, witnesses: null };
    const named = (origin: string): string =>
      codeOf(() => verifyCheckpoint(log.checkpoint(300, { origin }), rekor));
    expect(named(`${log.origin} - 2605736670972794746`)).toBe('accepted');
    expect(named(`${log.origin} - x`)).toBe('log_checkpoint');
    expect(named(`${log.origin}.evil - 1`)).toBe('log_checkpoint');
  });
});

describe('verifier keys', () => {
  const ecdsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'der',
  });
  it.each([
    ['no plus signs', 'log.example'],
    ['a hash that is not the key’s', log.verifierKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    [
      'an unknown type',
      `x+00000000+${Buffer.concat([Buffer.from([9]), Buffer.alloc(32)]).toString('base64')}`,
    ],
    [
      'an ECDSA key with another hash',
      `x+00000000+${Buffer.concat([Buffer.from([2]), ecdsa]).toString('base64')}`,
    ],
  ])('log_key: %s', (_name, text) => {
    expect(codeOf(() => parseVerifierKey(text))).toBe('log_key');
  });
});

describe('tlog-proof files', () => {
  const text = log.tlogProof(7, { body: true });
  const parse = (changed: string): unknown => parseTlogProof(Buffer.from(changed), 'a.tlog-proof');

  it('reads back what it writes', () => {
    expect(formatTlogProof(parseTlogProof(Buffer.from(text), 'a'))).toBe(text);
    expect(parseTlogProof(Buffer.from(text), 'a').extra?.toString()).toBe('entry 7');
  });

  it.each([
    ['another header', text.replace('@v1', '@v2')],
    ['no index', text.replace(/index.*\n/, '')],
    ['an index with a leading zero', text.replace('index 7', 'index 07')],
    ['an index over 2^53', text.replace('index 7', 'index 9007199254740993')],
    ['extra that is not base64', text.replace('extra ', 'extra !')],
    ['a short hash', text.replace(/\n[A-Za-z0-9+/]{43}=\n/, '\nAAAA\n')],
    ['no blank line', text.replaceAll('\n\n', '\n')],
    ['a byte-order mark', `\ufeff${text}`],
  ])('evidence_malformed: %s', (_name, changed) => {
    expect(codeOf(() => parse(changed))).toBe('evidence_malformed');
  });
});

describe('references', () => {
  const reference = log.reference(7);
  it('has one spelling', () => {
    expect(formatLogReference(parseLogReference(reference))).toBe(reference);
    expect(parseLogReference(reference)).toMatchObject({ origin: log.origin, index: 7, size: 300 });
  });

  it.each([
    ['an origin that is not encoded', reference.replace('%2F', '/')],
    ['lower-case percent-encoding', reference.replace('%2F', '%2f')],
    ['upper-case hex', reference.replace(/root=.*/, (hex) => hex.toUpperCase().replace('ROOT', 'root'))],
    ['a short root', reference.slice(0, -1)],
    ['an index with a leading zero', reference.replace('/7@', '/07@')],
    ['an index outside the tree', reference.replace('/7@', '/300@')],
    ['bad percent-encoding', reference.replace('%2F', '%zz')],
    ['something after it', `${reference}&x=1`],
  ])('log_reference: %s', (_name, text) => {
    expect(codeOf(() => parseLogReference(text))).toBe('log_reference');
  });

  it('names envelopes by digest only', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(parseEnvelopeReference(`dsse:${digest}`)).toBe(digest);
    for (const text of ['dsse:crash.json', `dsse:${digest.toUpperCase()}`, `sha256:${digest}`])
      expect(codeOf(() => parseEnvelopeReference(text))).toBe('evidence_malformed');
  });
});

it('names tiles as the specification does', () => {
  expect(tilePath(0, 1_234_067)).toBe('tile/0/x001/x234/067');
  expect(tilePath('entries', 5, 17)).toBe('tile/entries/005.p/17');
});

describe('fuzz: only Refusals, whatever comes', () => {
  const texts = [log.checkpoint(), log.tlogProof(3), log.reference(3), log.verifierKey];
  const mutated = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ unit: 'binary', maxLength: 4 }), fc.nat(4))
    .map(([text, at, insert, cut]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + insert + text.slice(i + cut);
    });
  it.each([
    ['notes', (text: string) => parseNote(text)],
    ['checkpoints', (text: string) => parseCheckpoint(text)],
    ['checkpoint signatures', (text: string) => verifyCheckpoint(text, trust)],
    ['proofs', (text: string) => parseTlogProof(Buffer.from(text), 'x')],
    ['references', (text: string) => parseLogReference(text)],
    ['verifier keys', (text: string) => parseVerifierKey(text)],
  ])('%s', (_name, parse) => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' })), (text) => void codeOf(() => parse(text))),
      {
        numRuns: 500,
      },
    );
  });
});

function damage(line: string): string {
  const [dash, name, text] = line.split(' ') as [string, string, string];
  const bytes = Buffer.from(text, 'base64');
  bytes[20]! ^= 1;
  return `${dash} ${name} ${bytes.toString('base64')}`;
}
