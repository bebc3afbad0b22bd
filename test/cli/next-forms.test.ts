/** The advice about what is no evidence, about envelopes that are not found, and about keys, followed as a person would. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

import {
  cwd,
  filled,
  followAdvice,
  keyless,
  MANIFEST,
  type Row,
  run,
  shell,
  verify,
  withRoot,
  write,
} from '../support/advice.ts';
import { SUBJECT } from '../support/keys.ts';
import { SHARED } from '../support/source.ts';

const packed = (tool: string, ending: string): Row => ({
  code: 'evidence_unreadable',
  situation: `evidence compressed with ${tool}`,
  first: () => {
    shell(`${tool} -c < good.json > good.${ending}`);
    return verify(`good.${ending}`, 'team.json');
  },
  next: new RegExp(`unpack it first: ${tool} -dc FILE > evidence\\.json`),
  follow: (next) => {
    shell(filled(next.replace('unpack it first: ', ''), { FILE: `good.${ending}` }).replace('-dc', '-dc <'));
    return verify('evidence.json', 'team.json');
  },
});

describe('what is advised can be followed', () =>
  followAdvice([
    packed('gzip', 'gz'),
    packed('xz', 'xz'),
    packed('bzip2', 'bz2'),
    packed('zstd', 'zst'),
    {
      code: 'evidence_unreadable',
      situation: 'a public key in the place of evidence',
      first: () => verify('team.pub', 'team.json'),
      next: /name the key in the policy: (reenact policy init --key FILE)/,
      follow: async (next) => {
        await run(`${filled(next.replace(/.*: reenact /, ''), { FILE: 'team.pub' })} --out made.yaml`);
        return run(`policy check made.yaml`);
      },
    },
    {
      code: 'evidence_unreadable',
      situation: 'the manifest in the place of evidence',
      first: () => verify('m.json', 'team.json'),
      next: /reenact evidence verify EVIDENCE --manifest FILE/,
      follow: async (next) => {
        await run('sign m.json --key team.pem');
        const names = { EVIDENCE: 'm.dsse.json', FILE: 'm.json' };
        return run(`${filled(next.replace(/.*: reenact /, ''), names)} --policy team.json`);
      },
    },
    {
      code: 'evidence_unreadable',
      situation: 'the policy in the place of evidence',
      first: () => verify('team.json', 'team.json'),
      next: /reenact evidence verify EVIDENCE --policy FILE/,
      follow: (next) =>
        run(
          `${filled(next.replace(/.*: reenact /, ''), { EVIDENCE: 'good.json', FILE: 'team.json' })} --subject ${SUBJECT}`,
        ),
    },
    {
      code: 'evidence_unreadable',
      situation: 'the trust root in the place of evidence',
      first: () => verify('root.json', 'team.json'),
      next: /trust: \{root: FILE\}/,
      follow: () => {
        write('p.json', keyless(SHARED));
        return verify('acme.json', 'p.json');
      },
    },
    {
      code: 'evidence_missing',
      situation: 'a manifest whose envelope lies elsewhere',
      first: () => {
        mkdirSync(join(cwd, 'apart/evidence'), { recursive: true });
        write('apart/m.json', { ...MANIFEST, dsse_envelope: `dsse:sha256:${'0'.repeat(64)}` });
        return run('verify evidence --manifest apart/m.json --policy team.json');
      },
      next: /beside the manifest, or into a folder evidence there/,
      follow: async () => {
        write('apart/m.json', MANIFEST);
        await run('sign apart/m.json --key team.pem --out apart/evidence/any.dsse.json');
        return run('verify evidence --manifest apart/m.json --policy team.json');
      },
    },
    {
      code: 'evidence_malformed',
      situation: 'a root certificate inside a chain',
      first: () => {
        write('chain.json', withRoot());
        write('p.json', keyless(SHARED));
        return verify('chain.json', 'p.json');
      },
      next: /jq "del\(.*\)" OLD > NEW/,
      follow: (next) => {
        shell(filled(/jq .*/.exec(next)![0], { OLD: 'chain.json', NEW: 'short.json' }));
        return verify('short.json', 'p.json');
      },
    },
    ...['locked.pem', 'old.pem'].map(
      (file): Row => ({
        code: 'usage',
        situation: `an encrypted key, ${file}`,
        first: () => run(`sign app --key ${file}`),
        next: /into the environment variable REENACT_KEY_PASSPHRASE/,
        follow: () => run(`sign app --force --key ${file}`, { REENACT_KEY_PASSPHRASE: 'secret' }),
      }),
    ),
    {
      code: 'usage',
      situation: 'an encrypted key and the wrong passphrase',
      first: () => run('sign app --key locked.pem', { REENACT_KEY_PASSPHRASE: 'wrong' }),
      next: /the right passphrase .*REENACT_KEY_PASSPHRASE/,
      follow: () => run('sign app --force --key locked.pem', { REENACT_KEY_PASSPHRASE: 'secret' }),
    },
    {
      code: 'usage',
      situation: 'a key in OpenSSH’s form',
      first: () => {
        shell('ssh-keygen -q -t ecdsa -N "" -f ssh.key');
        return run('sign app --key ssh.key');
      },
      next: /ssh-keygen -p -m PKCS8 -f COPY/,
      follow: (next) => {
        shell('cp -p ssh.key copy.key');
        shell(`${filled(/ssh-keygen .*/.exec(next)![0], { COPY: 'copy.key' })} -N "" -P ""`);
        return run('sign app --force --key copy.key');
      },
    },
    {
      code: 'usage',
      situation: 'a public key to sign with',
      first: () => run('sign app --key team.pub'),
      next: /the private key that it belongs to/,
      follow: () => run('sign app --force --key team.pem'),
    },
  ]));
