/** A timestamp authority of one's own, made with openssl: replies, and the trusted root that names it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempFolder } from './world.ts';

const CONFIG = `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test Timestamps
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa_config]
serial = $ENV::TSA_SERIAL
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
`;

export interface TimestampAuthority {
  /** A reply (DER) about these bytes. */
  stamp(bytes: Uint8Array | string, o?: { certificates?: boolean }): Buffer;
  /** A Sigstore trusted root in which this is the only authority. */
  root: string;
}

export function makeAuthority(): TimestampAuthority {
  const folder = tempFolder();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('c.cnf'), CONFIG);
  writeFileSync(file('serial'), '01\n');
  const env = { ...process.env, TSA_SERIAL: file('serial') };
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { env, stdio: 'pipe' });
  for (const name of ['ca', 'tsa'])
    openssl(
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-out',
      file(`${name}.key`),
    );
  const request = ['req', '-new', '-config', file('c.cnf')];
  const dates = ['-days', '3650', '-sha256', '-extfile', file('c.cnf')];
  openssl(...request, '-key', file('ca.key'), '-subj', '/CN=Test CA', '-out', file('ca.csr'));
  openssl(
    'x509',
    '-req',
    '-in',
    file('ca.csr'),
    '-signkey',
    file('ca.key'),
    ...dates,
    '-extensions',
    'ca',
    '-out',
    file('ca.pem'),
  );
  openssl(...request, '-key', file('tsa.key'), '-out', file('tsa.csr'));
  const issuer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-set_serial', '7'];
  openssl(
    'x509',
    '-req',
    '-in',
    file('tsa.csr'),
    ...issuer,
    ...dates,
    '-extensions',
    'tsa',
    '-out',
    file('tsa.pem'),
  );
  const der = (name: string): string =>
    openssl('x509', '-in', file(name), '-outform', 'DER').toString('base64');
  return {
    stamp(bytes, { certificates = true } = {}) {
      writeFileSync(file('data'), bytes);
      const asked = certificates ? ['-cert'] : [];
      openssl('ts', '-query', '-data', file('data'), '-sha256', ...asked, '-out', file('q'));
      const signer = ['-signer', file('tsa.pem'), '-inkey', file('tsa.key'), '-chain', file('ca.pem')];
      openssl(
        'ts',
        '-reply',
        '-queryfile',
        file('q'),
        '-config',
        file('c.cnf'),
        '-section',
        'tsa_config',
        ...signer,
        '-out',
        file('r'),
      );
      return readFileSync(file('r'));
    },
    root: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [],
      ctlogs: [],
      certificateAuthorities: [],
      timestampAuthorities: [
        {
          certChain: { certificates: [{ rawBytes: der('tsa.pem') }, { rawBytes: der('ca.pem') }] },
          validFor: { start: '2020-01-01T00:00:00Z' },
        },
      ],
    }),
  };
}
