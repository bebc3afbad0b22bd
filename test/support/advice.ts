/** Situations in which evidence is refused, and what a person does who follows the advice: the folder, the commands, the tests. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import type { RefusalCode } from '../../src/evidence/common/refusal.ts';
import { envelope, makeKey, SUBJECT, statement } from './keys.ts';
import { type BundleJson, TestSigstore } from './sigstore.ts';
import { builtFrom, SHARED } from './source.ts';
import { reenact, tempFolder } from './world.ts';

export const cwd: string = tempFolder();
export const write = (name: string, content: unknown): void =>
  writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
export const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(cwd, name), 'utf8')) as Record<string, unknown>;
type Run = Awaited<ReturnType<typeof reenact>>;
export const run = (command: string, env: Record<string, string> = {}): Promise<Run> =>
  reenact(command.split(' '), { cwd, env: { ...process.env, ...env } });
/** A command of another program, in the folder. */
export const shell = (command: string): unknown =>
  execFileSync('sh', ['-c', command], { cwd, stdio: 'pipe' });
export const verify = (file: string, policy: string): Promise<Run> =>
  run(`verify evidence ${file} --subject ${SUBJECT} --policy ${policy}`);

export const sigstore: TestSigstore = new TestSigstore();
export const github: TestSigstore = new TestSigstore('GitHub, Inc.');
const key = makeKey();
export const MANIFEST: Record<string, unknown> = {
  harness_version: '1',
  os: 'linux',
  sandbox_image_sha256: `sha256:${'02'.repeat(32)}`,
  seed: 1,
  run_instructions: 'true',
};
const acme: BundleJson = sigstore.bundle({ ...SHARED, says: builtFrom('acme', '17') });
export const byKey = (more: object = {}): object => ({
  version: 1,
  authorities: [{ id: 'team', key: { path: 'team.pub' }, transparency: 'none' }],
  ...more,
});
export const keyless = (
  identity: object,
  more: object = {},
  root: object = { root: 'root.json' },
): object => ({
  version: 1,
  trust: root,
  authorities: [{ id: 'ci', keyless: identity, ...more }],
});
export const promised = (): unknown => {
  const bundle = structuredClone(acme);
  bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
  delete bundle.verificationMaterial.tlogEntries[0]!.inclusionProof;
  return bundle;
};
/** A chain as npm's of 2023, with the root at its end. */
export const withRoot = (): unknown => {
  const { certificate, ...rest } = acme.verificationMaterial;
  const [authority] = sigstore.trustedRoot().certificateAuthorities as [
    { certChain: { certificates: object[] } },
  ];
  const certificates = [certificate, ...authority.certChain.certificates];
  const mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
  return { ...acme, mediaType, verificationMaterial: { ...rest, x509CertificateChain: { certificates } } };
};
const sbom = statement({
  predicateType: 'https://cyclonedx.org/bom/v1.4',
  predicate: { bomFormat: 'CycloneDX' },
});

beforeAll(() => {
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
  write('team.pem', pem);
  write('team.pub', key.publicKey.export({ type: 'spki', format: 'pem' }));
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  write('locked.pem', key.privateKey.export(encrypted));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const old = { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  write('old.pem', privateKey.export(old));
  write('app', 'the app');
  write('good.json', envelope([key]));
  write('bom.json', envelope([key], sbom));
  write('m.json', MANIFEST);
  write('team.json', byKey());
  write('root.json', sigstore.trustedRoot());
  write('github.json', github.trustedRoot());
  write('acme.json', acme);
});

/** What is given, what is said, and what is done about it: the run that must succeed after. */
export interface Row {
  code: RefusalCode | 'usage';
  situation: string;
  first: () => Promise<Run>;
  next: RegExp;
  follow: (next: string) => Promise<Run>;
}

/** The command in an advice, with the names that this case has for what it writes in capitals. */
export function filled(text: string, names: Record<string, string>): string {
  return Object.entries(names).reduce((rest, [name, value]) => rest.replaceAll(name, value), text);
}

/** Declares a test a row: refused with that code, and accepted once the advice is followed. */
export function followAdvice(rows: Row[]): void {
  it.each(rows.map((row) => [row.code, row.situation, row] as const))(
    '%s: %s',
    async (code, _situation, row) => {
      const refused = await row.first();
      const text = refused.stdout + refused.stderr;
      expect(refused.status, text).toBe(code === 'usage' ? 64 : 2);
      if (code !== 'usage') expect(text).toMatch(new RegExp(`^rejected {2}${code}: `));
      const [, next = ''] = /\n {2}next: (.*)\n/.exec(text) ?? [];
      expect(next).toMatch(row.next);
      const after = await row.follow(next);
      expect(after.status, after.stdout + after.stderr).toBe(0);
    },
  );
}
