/** The advice about signers, logs, types and trust roots, followed as a person would. */
import { describe } from 'vitest';

import {
  byKey,
  filled,
  followAdvice,
  github,
  keyless,
  promised,
  read,
  run,
  sigstore,
  verify,
  write,
} from '../support/advice.ts';
import { SHARED } from '../support/source.ts';

describe('what is advised can be followed', () =>
  followAdvice([
    {
      code: 'identity_build',
      situation: 'a build of another repository, which is meant, too',
      first: () => {
        write('p.json', keyless({ ...SHARED, sourceRepositoryURI: 'https://github.com/acme/lib' }));
        return verify('acme.json', 'p.json');
      },
      next: /name it in ci\.keyless of the policy: sourceRepositoryURI: "https:\/\/github\.com\/acme\/app"/,
      follow: (next) => {
        const [, field = '', value = ''] = /policy: (\w+): "(.*)"/.exec(next) ?? [];
        write('p.json', keyless({ ...SHARED, [field]: value }));
        return verify('acme.json', 'p.json');
      },
    },
    {
      code: 'identity_build',
      situation: 'a field that the certificate does not have',
      first: () => {
        write('p.json', keyless({ ...SHARED, deploymentEnvironment: 'production' }));
        return verify('acme.json', 'p.json');
      },
      next: /leave that field out of ci\.keyless/,
      follow: () => {
        write('p.json', keyless(SHARED));
        return verify('acme.json', 'p.json');
      },
    },
    {
      code: 'identity_issuer',
      situation: 'a certificate without an issuer',
      first: () => {
        write('released.json', sigstore.bundle({ ...SHARED, issuer: null }));
        write('p.json', keyless(SHARED));
        return verify('released.json', 'p.json');
      },
      next: /noIssuer: true in the place of issuer in ci\.keyless/,
      follow: () => {
        write('p.json', keyless({ subject: SHARED.subject, noIssuer: true }));
        return verify('released.json', 'p.json');
      },
    },
    {
      code: 'identity_issuer',
      situation: 'another issuer, which is meant',
      first: () => {
        write('p.json', keyless({ ...SHARED, issuer: 'https://other.invalid' }));
        return verify('acme.json', 'p.json');
      },
      next: /name the issuer in the policy/,
      follow: () => {
        write('p.json', keyless(SHARED));
        return verify('acme.json', 'p.json');
      },
    },
    {
      code: 'identity_mismatch',
      situation: 'a stranger',
      first: () => {
        write('p.json', keyless({ ...SHARED, subject: 'https://x.invalid' }));
        return verify('acme.json', 'p.json');
      },
      next: /reenact policy explain P/,
      follow: (next) => run(filled(/reenact (policy explain P)/.exec(next)![1]!, { P: 'p.json' })),
    },
    {
      code: 'identity_unknown',
      situation: 'a key, where the policy names none',
      first: () => {
        write('p.json', keyless(SHARED));
        return verify('good.json', 'p.json');
      },
      next: /reenact policy init --key FILE/,
      follow: async (next) => {
        await run(
          `${filled(/reenact (policy init --key FILE)/.exec(next)![1]!, { FILE: 'team.pub' })} --out p.yaml`,
        );
        return verify('good.json', 'p.yaml');
      },
    },
    {
      code: 'identity_unknown',
      situation: 'an identity, where the policy names keys',
      first: () => {
        write('p.json', byKey({ trust: { root: 'root.json' } }));
        return verify('acme.json', 'p.json');
      },
      next: /reenact policy init BUNDLE/,
      follow: async (next) => {
        const init = filled(/reenact (policy init BUNDLE)/.exec(next)![1]!, { BUNDLE: 'acme.json' });
        await run(`${init} --trust-root root.json --out ci.yaml`);
        return verify('acme.json', 'ci.yaml');
      },
    },
    {
      code: 'log_missing',
      situation: 'a log’s promise alone',
      first: () => {
        write('promised.json', promised());
        write('p.json', keyless(SHARED));
        return verify('promised.json', 'p.json');
      },
      next: /write transparency: promise for ci/,
      follow: () => {
        write('p.json', keyless(SHARED, { transparency: 'promise' }));
        return verify('promised.json', 'p.json');
      },
    },
    {
      code: 'log_missing',
      situation: 'no log at all',
      first: () => {
        write('p.json', {
          version: 1,
          authorities: [{ id: 'team', key: { path: 'team.pub' }, transparency: 'required' }],
        });
        return verify('good.json', 'p.json');
      },
      next: /write transparency: none for team/,
      follow: () => verify('good.json', 'team.json'),
    },
    {
      code: 'predicate_type',
      situation: 'a version of the type that is required',
      first: () => {
        write('p.json', byKey({ require: [{ predicateType: 'https://cyclonedx.org/bom' }] }));
        return verify('bom.json', 'p.json');
      },
      next: /add them to predicateType in the policy: "https:\/\/cyclonedx\.org\/bom\/v1\.4", or ".*\/v\*" for all/,
      follow: (next) => {
        const [, all = ''] = /or "(.*)" for all/.exec(next) ?? [];
        write('p.json', byKey({ require: [{ predicateType: ['https://cyclonedx.org/bom', all] }] }));
        return verify('bom.json', 'p.json');
      },
    },
    {
      code: 'trust_certificate',
      situation: 'GitHub’s own instance',
      first: () => {
        write('private.json', github.bundle(SHARED));
        const { tlogs } = github.trustedRoot();
        write('p.json', keyless(SHARED, {}, { root: 'mixed.json' }));
        write('mixed.json', { ...sigstore.trustedRoot(), tlogs });
        return verify('private.json', 'p.json');
      },
      next: /gh attestation trusted-root > roots\.jsonl .*trust: \{root: roots\.jsonl\}/,
      follow: () => {
        // Two lines, as that command writes them.
        write(
          'roots.jsonl',
          `${JSON.stringify(read('root.json'))}\n${JSON.stringify(read('github.json'))}\n`,
        );
        write('p.json', keyless(SHARED, {}, { root: 'roots.jsonl' }));
        return verify('private.json', 'p.json');
      },
    },
  ]));
