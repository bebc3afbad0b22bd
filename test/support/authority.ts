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
digests = sha1, sha256, sha384, sha512
signer_digest = $ENV::TSA_DIGEST
clock_precision_digits = $ENV::TSA_DIGITS
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
`;

export interface TimestampAuthority {
  /** A reply (DER) about these bytes. */
  stamp(bytes: Uint8Array | string, o?: StampOptions): Buffer;
  /** A Sigstore trusted root in which this is the only authority. */
  root: string;
}

interface StampOptions {
  certificates?: boolean;
  /** Of what is stamped; the signature's is the authority's own. */
  hash?: string;
}

interface AuthorityOptions {
  /** As openssl genpkey takes it: EC:P-256 …, RSA, ED25519. */
  key?: string;
  digest?: string;
  /** Of the certificate that issues its own. */
  issuer?: string;
  /** Digits of a second's fraction; zeros at their end are left out. */
  digits?: number;
  startsAt?: string;
}

export function makeAuthority(o: AuthorityOptions = {}): TimestampAuthority {
  const { key = 'EC:P-256', digest = 'sha256', issuer: issuerName = '/CN=Test CA', digits = 0 } = o;
  const [type = '', curve] = key.split(':');
  const folder = tempFolder();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('c.cnf'), CONFIG);
  writeFileSync(file('serial'), '01\n');
  const env = {
    ...process.env,
    TSA_SERIAL: file('serial'),
    TSA_DIGEST: digest,
    TSA_DIGITS: String(digits),
  };
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { env, stdio: 'pipe' });
  for (const name of ['ca', 'tsa'])
    openssl(
      ...['genpkey', '-algorithm', type, '-out', file(`${name}.key`)],
      ...(curve ? ['-pkeyopt', `ec_paramgen_curve:${curve}`] : []),
    );
  const request = ['req', '-utf8', '-new', '-config', file('c.cnf')];
  const dates = ['-days', '3650', ...(type === 'ED25519' ? [] : [`-${digest}`]), '-extfile', file('c.cnf')];
  openssl(...request, '-key', file('ca.key'), '-subj', issuerName, '-out', file('ca.csr'));
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
    stamp(bytes, { certificates = true, hash = 'sha256' } = {}) {
      writeFileSync(file('data'), bytes);
      const asked = certificates ? ['-cert'] : [];
      openssl('ts', '-query', '-data', file('data'), `-${hash}`, ...asked, '-out', file('q'));
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
          validFor: { start: o.startsAt ?? '2020-01-01T00:00:00Z' },
        },
      ],
    }),
  };
}
