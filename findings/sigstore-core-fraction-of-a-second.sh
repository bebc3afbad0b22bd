#!/usr/bin/env bash
# @sigstore/core cannot read one in ten timestamps of an authority whose clock tells milliseconds.
#
# What:     @sigstore/core 4.0.1, RFC3161Timestamp.parse(reply).signingTime; replies of OpenSSL 3.0's own `openssl ts` with
#           clock_precision_digits = 3.
# Expected: the time, with its milliseconds. RFC 3161 allows a fraction, and DER says that its zeros at the end are left out, so
#           that .030 is written as .03.
# Seen:     `openssl ts -reply -text` reads each reply, and `-verify` accepts it; @sigstore/core:
#             three digits left:      the time, with .000 in place of the fraction
#             two digits, or one:     Error: invalid time
# Hurts:    one bundle in ten of such an authority is refused, with an error that is none of the library's classes, so that it
#           ends a verifier that handles those alone. A test with one reply nine times in ten shows nothing; asked again, the
#           authority gives a reply that works.
. "$(dirname "$0")/common.sh"

needs openssl 3.0.19-1~deb12u2
npm_packages @sigstore/core@4.0.1

cd "$work"
cat >authority.cnf <<'CNF'
[tsa]
default_tsa = one
[one]
serial = ./serial
crypto_device = builtin
signer_cert = ./authority.pem
signer_key = ./key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
clock_precision_digits = 3
ess_cert_id_alg = sha256
CNF
echo 01 >serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out authority.pem -days 2 \
  -subj /CN=authority -addext extendedKeyUsage=critical,timeStamping -addext keyUsage=critical,digitalSignature 2>openssl.log
openssl ts -query -data authority.cnf -sha256 -cert -out question.tsq 2>>openssl.log
# Asks until a reply's time has this many digits behind the point.
reply() {
  until openssl ts -reply -in "$1.tsr" -text 2>/dev/null | grep -qE "Time stamp: .*:[0-9]{2}\.[0-9]{$1} "; do
    openssl ts -reply -config authority.cnf -section one -queryfile question.tsq -out "$1.tsr" 2>>openssl.log
  done
  openssl ts -verify -in "$1.tsr" -queryfile question.tsq -CAfile authority.pem 2>>openssl.log
}
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { RFC3161Timestamp } from '@sigstore/core';

try {
  const time = RFC3161Timestamp.parse(readFileSync(process.argv[2])).signingTime;
  console.log(`read, ${time.getUTCMilliseconds()} ms`);
} catch (error) {
  console.log(`${error.constructor.name}: ${error.message}`);
}
JS
for digits in 3 2; do
  seen "$digits digits, openssl" "$(reply $digits)" 'Verification: OK'
  wanted='read, 0 ms'
  [ $digits = 3 ] || wanted='Error: invalid time'
  seen "$digits digits, @sigstore/core" "$(node read.mjs $digits.tsr)" "$wanted"
done
