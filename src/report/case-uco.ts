/** case.jsonld: where a bundle comes from and what was found, in the terms of the CASE and UCO ontologies 1.5.0. */

import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { itemAt } from '../base/list.ts';
import { VERSION } from '../base/version.ts';
import type { Signer } from '../evidence/documents/record.ts';
import type { BundleItem } from './bundle-item.ts';
import { Graph, type GraphReference, type Node, time, typed } from './case-graph.ts';
import { type CertifiedBundle, findings } from './certification.ts';
import { safe } from './human.ts';

/** The release of UCO whose terms are used; CASE has the same number. */
const UCO_VERSION = '1.5.0';

/** Entries of the list of contents that are shown; a stranger's bundle can have a million, with a name each. */
export const MAX_ENTRIES = 10_000;

/** What comes first where not everything can be listed; the roles' order otherwise carries no meaning. */
const ROLES = [
  'record',
  'report',
  'manifest',
  'trace',
  'join',
  'input',
  'evidence',
  'evidence-record',
  'trace-evidence',
  'custody',
  'policy',
  'policy-file',
  'harness',
  'image',
  'symbols',
  'trace-source',
  'reproduction',
  'state',
  'content',
];
/** Names of these are names of files; those of others are titles. */
const FILES = ['input', 'custody', 'harness', 'symbols'];

function sorted(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort();
}

/** Adds each content once, of all entries or the first of them, and says how many of which role were left out. */
function addContents(g: Graph, items: BundleItem[]): { digests: Digest[]; leftOut: string[] } {
  const ranked = items.map((item) => ({
    item,
    rank: `${String(ROLES.indexOf(item.role)).padStart(2, '0')} ${item.sha256}`,
  }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  const byDigest = Map.groupBy(
    ranked.slice(0, MAX_ENTRIES).map(({ item }) => item),
    ({ sha256 }) => sha256,
  );
  for (const [sha256, same] of byDigest) {
    const named = (file: boolean, text: (role: string, name: string) => string): string[] =>
      sorted(
        same.flatMap(({ role, name }) =>
          name !== undefined && FILES.includes(role) === file ? [text(role, safe(name))] : [],
        ),
      );
    const names = named(true, (_role, name) => name);
    const titles = named(false, (role, name) => `${role}: ${name}`);
    g.content(
      sha256,
      itemAt(same, 0).size,
      {
        'uco-core:tag': sorted(same.map(({ role }) => role)),
        ...(titles.length > 0 ? { 'uco-core:description': titles } : {}),
      },
      names.length > 0
        ? [g.part('file', sha256, 'uco-observable:FileFacet', { 'uco-observable:fileName': names })]
        : [],
    );
  }
  const left = Map.groupBy(ranked.slice(MAX_ENTRIES), ({ item }) => item.role);
  return {
    digests: [...byDigest.keys()],
    leftOut: [...left].map(([role, { length }]) => `${length} of role ${role}`),
  };
}

/** A signer whom the policy names, by the authority, the key and the certificate's fields. */
function addSigner(g: Graph, { authority, identity, issuer, key_fingerprint }: Signer): GraphReference {
  const key = canonicalJson([authority, identity, issuer, key_fingerprint]);
  const external = (kind: string, context: string, identifier: string): Node =>
    g.part(kind, key, 'uco-core:ExternalReference', {
      'uco-core:definingContext': context,
      'uco-core:externalIdentifier': identifier,
    });
  return g.add('signer', key, 'uco-identity:Identity', {
    'uco-core:name': safe(authority),
    'uco-core:description': ['named so by the policy inside the bundle; the holder of the key'],
    'uco-core:externalReference': [
      external('signer-key', 'SHA-256 of the public key (SubjectPublicKeyInfo)', key_fingerprint),
      ...(identity === null
        ? []
        : [external('signer-name', `certificate, by ${safe(issuer ?? '')}`, safe(identity))]),
    ],
  });
}

/** Who signed which evidence, of evidence that was verified again; and that it names the manifest, where it does. */
function addSigners(g: Graph, { record, evidence }: CertifiedBundle): void {
  const relate = (kind: string, key: string, source: GraphReference[], target: GraphReference): void => {
    g.add('relationship', canonicalJson([kind, key]), 'uco-core:Relationship', {
      'uco-core:source': source,
      'uco-core:target': target,
      'uco-core:kindOfRelationship': kind,
      'uco-core:isDirectional': typed('boolean', 'true'),
    });
  };
  if (evidence?.verdict !== 'verified') return;
  for (const { sha256, verdict, signers, subjects } of evidence.envelopes) {
    const [signed] = g.found([sha256]);
    const [manifest] = g.found([record.manifest_sha256]);
    if (verdict !== 'accepted' || !signed) continue;
    for (const signer of signers) {
      const who = addSigner(g, signer);
      relate('Signed', canonicalJson([sha256, who['@id']]), [who], signed);
    }
    if (manifest && subjects.some(({ field }) => field === 'manifest'))
      relate('Names_Digest_Of', sha256, [signed], manifest);
  }
}

/** What was done, as far as the record says so: evidence checked, then replays. */
function addRun(g: Graph, { record, contents }: CertifiedBundle): GraphReference {
  const of = (...roles: string[]): Digest[] =>
    contents.items.filter(({ role }) => roles.includes(role)).map(({ sha256 }) => sha256);
  const { record: checked, record_sha256, custody } = record.evidence;
  const version = /^reenact (\S{1,64})$/.exec(checked?.verifier ?? '')?.[1];
  const tool = g.add('tool', 'run', 'uco-tool:Tool', {
    'uco-core:name': 'reenact',
    'uco-core:description': [version ? 'as the record names it' : 'the record does not name its version'],
    'uco-tool:toolType': 'replay runner',
    ...(version ? { 'uco-tool:version': safe(version) } : {}),
  });
  const evidence = checked
    ? g.add('action', 'evidence', 'case-investigation:InvestigativeAction', {
        'uco-core:name': 'check of the evidence about the manifest',
        'uco-core:description': ['as the record says; its time is not established'],
        ...time('uco-action:startTime', checked.verified_at),
        'uco-action:instrument': [tool],
        ...g.link('uco-action:object', of('manifest', 'evidence', 'policy', 'policy-file')),
        ...g.link('uco-action:result', [record_sha256, custody?.sha256]),
      })
    : undefined;
  const states = record.replays.map(({ final_state_sha256 }) => final_state_sha256);
  return g.add('action', 'run', 'case-investigation:InvestigativeAction', {
    'uco-core:name': 'replaying',
    'uco-core:description': [
      `as the record says: ${record.replays.length} of ${record.requested} replays were run; that they took place, and when, is not established`,
    ],
    ...time('uco-action:startTime', record.started_at),
    'uco-action:actionCount': typed('nonNegativeInteger', record.replays.length),
    'uco-action:instrument': [tool, ...g.found(of('harness'))],
    ...g.link('uco-action:object', of('manifest', 'input', 'image', 'policy')),
    ...g.link('uco-action:result', [...of('record'), ...states]),
    ...(evidence ? { 'case-investigation:wasInformedBy': [evidence] } : {}),
  });
}

/** The document; the same bundle gives the same bytes. It states only what verification established, or names the source of a claim. */
export function caseUco(bundle: CertifiedBundle): string {
  const { root, record, contents } = bundle;
  const g = new Graph(root);
  g.content(
    root,
    undefined,
    {
      'uco-core:name': 'audit bundle',
      'uco-core:description': [
        'the root manifest; its SHA-256 digest is the bundle’s identity, and that of an archive file is not',
      ],
    },
    [],
  );
  const { digests, leftOut } = addContents(g, contents.items);
  addSigners(g, bundle);
  const run = addRun(g, bundle);
  const provenance = g.add('provenance', 'contents', 'case-investigation:ProvenanceRecord', {
    'uco-core:name': 'the contents of the bundle',
    'uco-core:specVersion': UCO_VERSION,
    'uco-core:description': [
      `${digests.length} different contents, each of the digest and size given here`,
      ...(leftOut.length > 0
        ? [`entries of the bundle’s list of contents that are not shown here: ${leftOut.join(', ')}`]
        : []),
    ],
    ...g.link('uco-core:object', [root, ...digests]),
  });
  const said = findings(bundle);
  const finding = g.add('finding', 'verification', 'uco-core:Annotation', {
    'uco-core:statement': [
      'The bundle was accepted: all that was compared agreed.',
      said.verdict,
      said.evidence,
      'Not established: that the replays took place, that what is claimed is true, or who made the bundle.',
    ],
    ...g.link('uco-core:object', [root, record.manifest_sha256]),
  });
  g.add('action', 'verification', 'case-investigation:InvestigativeAction', {
    'uco-core:name': 'verification of the bundle',
    'uco-core:description': ['when and by whom is not in this document: it is made without a clock'],
    'uco-action:instrument': [
      g.add('tool', 'verification', 'uco-tool:Tool', {
        'uco-core:name': 'reenact',
        'uco-tool:toolType': 'bundle verifier',
        'uco-tool:version': VERSION,
      }),
    ],
    ...g.link('uco-action:object', [root]),
    'uco-action:result': [provenance, finding],
    'case-investigation:wasInformedBy': [run],
  });
  return g.text();
}
