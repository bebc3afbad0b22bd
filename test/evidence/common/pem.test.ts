/** Keys in PEM files as tools write them: text around the one block, any line ending; never a choice between several. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { parsePublicKey } from '../../../src/evidence/common/keys.ts';
import { pemBlocks } from '../../../src/evidence/common/pem.ts';
import { makeKey } from '../../support/keys.ts';
import { tempFolder } from '../../support/world.ts';

const { publicKey, privateKey } = makeKey('ecdsa-p256-sha256');
const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
const secret = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const folder = tempFolder();
const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder }).toString();

function certificate(): string {
  writeFileSync(join(folder, 'key.pem'), secret);
  return openssl('req', '-x509', '-new', '-key', 'key.pem', '-subj', '/CN=x', '-days', '1', '-text');
}

describe('a public key', () => {
  const { fingerprint } = parsePublicKey(Buffer.from(pem), 'key');

  it.each<[string, string]>([
    ['with text before it', `Public Key Information:\n\tCurve: SECP256R1\n\n${pem}`],
    ['with text after it', `${pem}\nBag Attributes: none\n`],
    ['as openssl -text writes it', `Public-Key: (256 bit)\npub:\n    04:aa:bb\nASN1 OID: prime256v1\n${pem}`],
    ['with CRLF', pem.replaceAll('\n', '\r\n')],
    ['with text and CRLF', `Comment: x\r\n\r\n${pem.replaceAll('\n', '\r\n')}`],
    ['with CR alone', pem.replaceAll('\n', '\r')],
    ['with a byte-order mark', `\ufeff${pem}`],
    ['with spaces at the ends of lines', pem.replaceAll('\n', '  \n')],
    ['without a last line break', pem.trimEnd()],
    ['in one line', pem.replace(/\n(?=.*\n)(?!-----)/g, '').replace('KEY-----', 'KEY-----\n')],
    ['after the curve’s parameters', `${parameters}${pem}`],
  ])('%s', (_name, text) => {
    expect(parsePublicKey(Buffer.from(text), 'key').fingerprint).toBe(fingerprint);
  });

  it('as openssl and its text make it', () => {
    writeFileSync(join(folder, 'key.pem'), secret);
    const text = openssl('ec', '-in', 'key.pem', '-pubout', '-text');
    expect(() => parsePublicKey(Buffer.from(text), 'key')).not.toThrow();
  });

  it.each<[string, string, RegExp]>([
    ['two keys', `${pem}${pem}`, /holds PUBLIC KEY, PUBLIC KEY, and one public key/],
    ['a key with its private key', `${secret}${pem}`, /holds PRIVATE KEY, PUBLIC KEY/],
    ['a key beside a certificate', `${certificate()}${pem}`, /holds CERTIFICATE, PUBLIC KEY/],
    ['a certificate', certificate(), /it is a CERTIFICATE: openssl x509 -pubkey/],
    ['a private key with text', `text\n${secret}`, /it is a PRIVATE KEY: openssl pkey -pubout/],
    ['a block without an end', pem.replace(/-----END.*\n/, ''), /PUBLIC KEY block has no end/],
    ['a block within a block', pem.replace('-----\n', `-----\n${pem}`), /not closed before the next/],
    ['another end', pem.replace('END PUBLIC', 'END PRIVATE'), /has no end/],
    ['noise inside', pem.replace('M', '!'), /not base64/],
    ['nothing inside', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n', /not base64/],
    ['a block in the middle of a line', `> ${pem}`, /no PEM block|no end/],
    ['parameters alone', parameters, /no PEM block/],
  ])('is not taken from %s', (_name, text, message) => {
    expect(() => parsePublicKey(Buffer.from(text), 'key')).toThrow(message);
    expect(() => parsePublicKey(Buffer.from(text), 'key')).toThrow(
      expect.objectContaining({ code: 'trust_key_malformed' }),
    );
  });
});

it('blocks are read in their order, in time proportional to the text', () => {
  const [one, two] = pemBlocks(`${certificate()}\n${pem}`);
  expect([one!.label, two!.label]).toEqual(['CERTIFICATE', 'PUBLIC KEY']);
  expect(pemBlocks('-----BEGIN \n'.repeat(100_000))).toEqual([]);
});
