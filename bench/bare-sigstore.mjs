// The plainest program that verifies a bundle with @sigstore/verify: what bench/evidence.ts measures beside ours.
import { readFileSync } from 'node:fs';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

/** Reads the root once; returns what verifies one bundle's bytes. */
export function bareVerifier(rootBytes, identity, artifact, hasCertificateLogs) {
  const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(rootBytes)));
  const verifier = new Verifier(material, { ctlogThreshold: hasCertificateLogs ? 1 : 0 });
  const policy = {
    subjectAlternativeName: identity.subject,
    extensions: { issuer: identity.issuer },
  };
  return (bytes) => verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bytes)), artifact), policy);
}

if (process.argv[1] === import.meta.filename) {
  const [, , bundle, root, subject, issuer, logs] = process.argv;
  bareVerifier(readFileSync(root), { subject, issuer }, undefined, logs === 'yes')(readFileSync(bundle));
}
