/** reenact bundle: create, verify and look into audit bundles. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { EXIT, Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { collect, type ImageOrigin, outOf, type StateContents } from '../bundle/collect.ts';
import { createBundle } from '../bundle/create.ts';
import { openBundle } from '../bundle/open.ts';
import { BUNDLE_CODES, Refused } from '../bundle/refused.ts';
import { type BundleVerification, examineBundle } from '../bundle/verify.ts';
import { safe } from '../report/human.ts';
import { cacheFolder } from '../sandbox/endpoint.ts';
import { BlobStore } from '../store/blobs.ts';
import { parseRecord } from '../verdict/parse.ts';
import { wantNewFolder, writeCertificate } from './certificate.ts';
import { loadConfig } from './config.ts';
import { abortOnSignals } from './engine.ts';
import { type Arguments, parseOptions } from './options.ts';
import { wantsColour } from './terminal.ts';
import { readNamed } from './verify.ts';

function one(a: Arguments, what: string): string {
  const [file, ...more] = a.positionals;
  if (file === undefined || more.length > 0) throw new Fault('usage', `name one ${what}`);
  return file;
}

async function create(a: Arguments): Promise<number> {
  const given = one(a, 'record.json, or the folder it is in');
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'record.json') : given;
  const out = a.text('store') ?? outOf(path);
  const target = a.text('out');
  if (target === undefined) throw new Fault('usage', 'name the bundle to write: --out FILE');
  if (existsSync(target)) throw new Fault('out_failed', `${target} is there already; nothing was written`);
  const state = (a.text('state') ?? 'full') as StateContents;
  if (!['full', 'changed', 'none'].includes(state))
    throw new Fault('usage', `--state is full, changed or none, not "${state}"`);
  const record = parseRecord(await readNamed(path, LIMITS.documentBytes), path);
  const { signal, release } = abortOnSignals();
  const origin: ImageOrigin | undefined = a.flag('with-image')
    ? {
        repositories: [...a.list('repository'), ...(await loadConfig()).repositories],
        cache: new BlobStore(join(cacheFolder(process.env), 'images')),
        signal,
      }
    : undefined;
  const collected = await collect(record, new BlobStore(out), out, state, origin).finally(release);
  const root = createBundle(target, collected, state);
  process.stdout.write(
    `${target}: ${collected.sources.length} items, ${statSync(target).size} bytes\n  identity ${root}\n`,
  );
  return EXIT.ok;
}

function verificationText(path: string, v: BundleVerification): string {
  const paint = (text: string): string =>
    wantsColour() ? `\u001b[1;${v.accepted ? 32 : 31}m${text}\u001b[0m` : text;
  let text = `${paint(v.accepted ? 'accepted' : 'refused')}  ${path}\n`;
  const row = (label: string, content: string): void => {
    text += `  ${label.padEnd(11)}${safe(content)}\n`;
  };
  if (v.root) row('identity', v.root);
  if (v.verdict) row('verdict', `${v.verdict}, of ${v.name}`);
  if (v.verdict_follows !== null)
    row(
      'follows',
      v.verdict_follows
        ? 'the verdict follows from the recorded replays'
        : 'NO: the verdict does not follow from the recorded replays',
    );
  if (v.evidence !== null)
    row(
      'signed',
      v.signers.length > 0
        ? `the manifest, by ${v.signers.map(({ authority, identity, key_fingerprint }) => `${authority} (${identity ?? key_fingerprint})`).join(', ')}, by the policy inside`
        : `nobody is proven to have signed the manifest (evidence: ${v.evidence.replace('_', ' ')})`,
    );
  for (const { code, message } of v.problems)
    row('problem', `${code}: ${message}\n             ${BUNDLE_CODES[code]}`);
  return text;
}

async function verify(a: Arguments): Promise<number> {
  const path = one(a, 'bundle');
  const certificate = a.text('certificate');
  if (certificate !== undefined) wantNewFolder(certificate);
  const examined = await examineBundle(path);
  const result = examined.verification;
  process.stdout.write(
    a.flag('json') ? `${JSON.stringify(result, null, 2)}\n` : verificationText(path, result),
  );
  if (certificate !== undefined && result.accepted) {
    await writeCertificate(certificate, examined);
    process.stderr.write(
      `${certificate}: certification.txt is a draft, for counsel and a qualified person; case.jsonld is for other tools\n`,
    );
  }
  return result.accepted ? EXIT.ok : EXIT.rejected;
}

function list(a: Arguments): number {
  try {
    const { document } = openBundle(one(a, 'bundle'));
    if (a.flag('json')) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    else
      for (const { role, sha256, size, name } of document.items)
        process.stdout.write(
          `${role.padEnd(16)}${String(size).padStart(12)} ${sha256}${name ? `  ${safe(name)}` : ''}\n`,
        );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`reenact: ${error.code}: ${error.message}\n  next: ${BUNDLE_CODES[error.code]}\n`);
    return EXIT.rejected;
  }
}

export async function bundleCommand(args: string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const a = parseOptions('bundle', rest);
  if (verb === 'create') return create(a);
  if (verb === 'verify') return verify(a);
  if (verb === 'ls') return list(a);
  if (verb === 'replay') return (await import('./bundle-replay.ts')).replayBundle(one(a, 'bundle'), a);
  throw new Fault('usage', 'bundle create, bundle verify, bundle replay or bundle ls');
}
