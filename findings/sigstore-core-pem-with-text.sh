#!/usr/bin/env bash
# Sigstore's JavaScript core cannot read a certificate that has its text above it, as `openssl x509 -text` writes it.
#
# What:     @sigstore/core 4.0.1, X509Certificate.parse(pem) and pem.toDER.
# Expected: RFC 7468, section 2: "Data before the encapsulation boundaries are permitted, and parsers MUST NOT malfunction
#           when processing such data". Node's own X509Certificate and OpenSSL read both files alike.
# Seen:     all lines but the two boundaries are taken for base64, the text as well:
#             certificate alone:             parsed
#             the same with its text above:  Error: length exceeds 6 byte limit
# Hurts:    roots of private instances are kept with comments or text in CA bundles. The message names no file and no PEM,
#           and the certificate is good for every other tool.
. "$(dirname "$0")/common.sh"

npm_packages @sigstore/core@4.0.1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/alone.pem" \
  -subj /CN=finding -days 1 2>"$work/log"
openssl x509 -in "$work/alone.pem" -text >"$work/text.pem"
cat >"$work/parse.mjs" <<'JS'
import { X509Certificate as NodeCertificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import core from '@sigstore/core';

const [, , library, file] = process.argv;
const text = readFileSync(file, 'utf8');
try {
  if (library === 'node') new NodeCertificate(text);
  else core.X509Certificate.parse(text);
  console.log('parsed');
} catch (error) {
  console.log(error.message);
}
JS
parse() { (cd "$work" && node parse.mjs "$@"); }
seen 'alone, Node' "$(parse node alone.pem)" parsed
seen 'alone, @sigstore/core' "$(parse sigstore alone.pem)" parsed
seen 'with text, Node' "$(parse node text.pem)" parsed
seen 'with text, @sigstore/core' "$(parse sigstore text.pem)" 'length exceeds 6 byte limit'
