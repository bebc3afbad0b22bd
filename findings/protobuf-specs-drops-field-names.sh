#!/usr/bin/env bash
# Sigstore's JavaScript reader of protobuf JSON drops every field that is written by its name in the .proto file.
#
# What:     @sigstore/protobuf-specs 0.5.2: Bundle.fromJSON, Envelope.fromJSON and the others (made by ts-proto).
# Expected: the JSON mapping of protobuf demands that "parsers accept both the lowerCamelCase name … and the original proto
#           field name"; Go's protojson, Java's JsonFormat and Python's json_format do. Or an error for a name not known.
# Seen:     a DSSE envelope as json_format.MessageToDict(…, preserving_proto_field_name=True) writes it, without error:
#             payloadType:  {"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[…]}
#             payload_type: {"payload":"e30=","signatures":[…]}, type ""
#             a Bundle with media_type, verification_material and dsse_envelope: {}
#             its signature: true under the type as written, false under the type as read
# Hurts:    the payload type is part of what a DSSE signature covers: the valid signature of such a file is reported as
#           invalid, not the file as unreadable, so people look for a forger; and a tool that reads a bundle and writes it
#           again writes an empty one over it.
. "$(dirname "$0")/common.sh"

npm_packages @sigstore/protobuf-specs@0.5.2

cat >"$work/read.mjs" <<'JS'
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { Bundle, Envelope } from '@sigstore/protobuf-specs';

const rest = { payload: 'e30=', signatures: [{ sig: 'AAAA', keyid: 'k' }] };
const type = 'application/vnd.in-toto+json';
const files = {
  camel: () => Envelope.toJSON(Envelope.fromJSON({ ...rest, payloadType: type })),
  original: () => Envelope.toJSON(Envelope.fromJSON({ ...rest, payload_type: type })),
  bundle: () =>
    Bundle.toJSON(
      Bundle.fromJSON({
        media_type: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verification_material: { public_key: { hint: 'k' } },
        dsse_envelope: { ...rest, payload_type: type },
      }),
    ),
};
if (process.argv[2] !== 'signature') console.log(JSON.stringify(files[process.argv[2]]()));
else {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const covered = (payloadType) => Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} 2 {}`);
  const sig = sign(null, covered(type), privateKey);
  const read = Envelope.fromJSON({ payload: 'e30=', payload_type: type, signatures: [{ sig: sig.toString('base64') }] });
  const holds = (payloadType) => verify(null, covered(payloadType), publicKey, read.signatures[0].sig);
  console.log(holds(type), holds(read.payloadType));
}
JS
read_again() { (cd "$work" && node read.mjs "$1"); }
signatures='"signatures":[{"sig":"AAAA","keyid":"k"}]'
seen payloadType "$(read_again camel)" "{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",$signatures}"
seen payload_type "$(read_again original)" "{\"payload\":\"e30=\",$signatures}"
seen 'a bundle' "$(read_again bundle)" '{}'
seen 'its signature, as written and as read' "$(read_again signature)" 'true false'
