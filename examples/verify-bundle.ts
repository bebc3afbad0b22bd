/** Verifies an audit bundle offline: node verify-bundle.ts case.tar [policy.yaml] */
import { openReenact } from 'reenact';

const [path = 'case.tar', policy] = process.argv.slice(2);
const { accepted, root, name, verdict, signers, problems } = await openReenact({ policy }).verifyBundle(path);

console.log(`${path}: ${accepted ? 'accepted' : 'refused'}`);
if (root) console.log(`  ${root}\n  ${verdict}, of ${name}`);
for (const { authority, identity, key_fingerprint } of signers)
  console.log(`  signed by ${authority} (${identity ?? key_fingerprint})`);
for (const { code, message } of problems) console.log(`  ${code}: ${message}`);
process.exitCode = accepted ? 0 : 2;
