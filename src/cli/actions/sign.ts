/** reenact sign and reenact attest: statements in DSSE envelopes, signed with a team's own key. */
import { EXIT, Fault } from '../../base/fault.ts';
import { becomesFile } from '../../base/output.ts';
import { SIGNING_ALGORITHMS } from '../../evidence/documents/sign.ts';
import type { SignOptions } from '../../library/sign.ts';
import { type Arguments, choice } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';
import { onePositional } from '../shared/positionals.ts';

/** What people read of a subject; in the statement its name is the manifest's field. */
const SUBJECT_NAMES: Readonly<Record<string, string>> = {
  manifest: 'manifest subject',
  sandbox_image_sha256: 'sandbox image',
  symbol_bundle_sha256: 'symbol bundle',
};

function signing(a: Arguments): Omit<SignOptions, 'provenance'> {
  const key = a.text('key');
  if (key === undefined)
    throw new Fault('usage', 'name a private key: --key K (openssl genpkey -algorithm ed25519 makes one)');
  return {
    key,
    algorithm: choice(a, 'alg', SIGNING_ALGORITHMS),
    out: a.text('out'),
    force: a.flag('force'),
  };
}

export async function signCommand(a: Arguments): Promise<number> {
  const file = onePositional(a, 'file or manifest to sign');
  const options = { ...signing(a), provenance: a.text('provenance') };
  const { out, subjects, key, manifest } = await withReenact({}, (reenact) => reenact.sign(file, options));
  const said = becomesFile(out) ? process.stdout : process.stderr;
  said.write(
    `${out}: ${subjects.map(({ name, sha256 }) => `${SUBJECT_NAMES[name] ?? name} ${sha256}`).join(', ')}\n  signed with ${key.algorithm} key ${key.fingerprint}\n`,
  );
  if (manifest?.withoutLogEntry)
    said.write(`  rekor_tile_ref was taken out: it named the entry of another signature\n`);
  if (manifest) said.write(`  ${file} now names it: dsse_envelope ${manifest.dsse_envelope}\n`);
  return EXIT.ok;
}

export async function attestCommand(a: Arguments): Promise<number> {
  const file = onePositional(a, 'record.json to attest');
  const options = signing(a);
  const { out, result, name, key } = await withReenact({}, (reenact) => reenact.attest(file, options));
  (becomesFile(out) ? process.stdout : process.stderr).write(
    `${out}: ${result} for ${name}\n  signed with ${key.algorithm} key ${key.fingerprint}\n`,
  );
  return EXIT.ok;
}
