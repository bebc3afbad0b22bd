import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { digestOf, hexOf } from '../../src/base/digest.ts';
import { caseUco, MAX_ENTRIES } from '../../src/report/case-uco.ts';
import type { CertifiedBundle } from '../../src/report/certification.ts';
import { all, checkShapes, type Graph, named } from '../support/case-shapes.ts';
import { acceptedBundle } from '../support/examined.ts';

let bundle: CertifiedBundle;
beforeAll(async () => {
  ({ bundle } = await acceptedBundle());
});

function graphOf(change?: (one: CertifiedBundle) => void): Graph {
  const one = structuredClone(bundle);
  change?.(one);
  return JSON.parse(caseUco(one)) as Graph;
}

describe('case.jsonld', () => {
  it('is as the published shapes want it, and the same every time', () => {
    expect(checkShapes(graphOf())).toEqual([]);
    expect(caseUco(structuredClone(bundle))).toBe(caseUco(bundle));
  });

  it('has every content with its digest and size, and a file name where there is one', () => {
    const graph = graphOf();
    for (const { sha256, size, role, name } of bundle.contents.items) {
      const object = all(graph, 'uco-observable:ObservableObject').find((node) =>
        JSON.stringify(node).includes(hexOf(sha256)),
      )!;
      expect(object['uco-core:tag']).toContain(role);
      expect(JSON.stringify(object)).toContain(`{"@type":"xsd:integer","@value":"${size}"}`);
      if (role === 'input')
        expect(object['uco-core:hasFacet']).toContainEqual(
          expect.objectContaining({ 'uco-observable:fileName': [name] }),
        );
    }
  });

  it('leads from the verification over the run to the check of the evidence, with times of the record only', () => {
    const graph = graphOf();
    const action = 'case-investigation:InvestigativeAction';
    const verification = named(graph, action, 'verification of the bundle');
    const run = named(graph, action, 'replaying');
    const check = named(graph, action, 'check of the evidence about the manifest');
    expect(verification).not.toHaveProperty('uco-action:startTime');
    expect(verification['case-investigation:wasInformedBy']).toEqual([{ '@id': run['@id'] }]);
    expect(run['case-investigation:wasInformedBy']).toEqual([{ '@id': check['@id'] }]);
    expect(run['uco-action:startTime']).toEqual({
      '@type': 'xsd:dateTime',
      '@value': bundle.record.started_at,
    });
    expect(all(graph, 'case-investigation:ProvenanceRecord')[0]!['uco-core:object']).toHaveLength(
      new Set(bundle.contents.items.map(({ sha256 }) => sha256)).size + 1,
    );
  });

  it('has a signer only of evidence that was verified again', () => {
    const [signer] = bundle.evidence!.envelopes[0]!.signers;
    const graph = graphOf();
    expect(JSON.stringify(all(graph, 'uco-identity:Identity'))).toContain(signer!.key_fingerprint);
    expect(all(graph, 'uco-core:Relationship').map((node) => node['uco-core:kindOfRelationship'])).toEqual([
      'Signed',
      'Names_Digest_Of',
    ]);
    for (const without of [
      graphOf((one) => (one.evidence = null)),
      graphOf((one) => (one.evidence!.verdict = 'rejected')),
      graphOf((one) => (one.evidence!.envelopes[0]!.verdict = 'rejected')),
    ]) {
      expect(all(without, 'uco-identity:Identity')).toEqual([]);
      expect(checkShapes(without)).toEqual([]);
    }
  });

  it('relates a signer to no manifest that is not named, and to no evidence that is not listed', () => {
    const image = graphOf((one) => (one.evidence!.envelopes[0]!.subjects[0]!.field = 'sandbox_image_sha256'));
    expect(all(image, 'uco-core:Relationship')).toHaveLength(1);
    const absent = graphOf((one) => (one.evidence!.envelopes[0]!.sha256 = digestOf('absent')));
    expect(all(absent, 'uco-core:Relationship')).toEqual([]);
    for (const graph of [image, absent]) expect(checkShapes(graph)).toEqual([]);
  });

  it('has a certificate’s name and issuer', () => {
    const graph = graphOf((one) => {
      Object.assign(one.evidence!.envelopes[0]!.signers[0]!, {
        identity: 'ci@example.org',
        issuer: 'https://i',
      });
    });
    expect(checkShapes(graph)).toEqual([]);
    expect(JSON.stringify(all(graph, 'uco-identity:Identity'))).toContain(
      '"uco-core:definingContext":"certificate, by https://i","uco-core:externalIdentifier":"ci@example.org"',
    );
  });

  it('has one object for a content that is listed twice, and no identifier of another bundle', () => {
    const [item] = bundle.contents.items.filter(({ role }) => role === 'input');
    const graph = graphOf((one) =>
      one.contents.items.push({ ...item!, role: 'content' }, { ...item!, name: 'b' }),
    );
    expect(checkShapes(graph)).toEqual([]);
    const twice = all(graph, 'uco-observable:ObservableObject').find(
      (node) => (node['uco-core:tag'] as string[] | undefined)?.length === 2,
    )!;
    expect(twice['uco-core:tag']).toEqual(['content', 'input']);
    expect(JSON.stringify(twice)).toContain('"uco-observable:fileName":["b","in.txt"]');
    const ids = (one: Graph): unknown[] => one['@graph'].map((node) => node['@id']);
    const other = graphOf((one) => (one.root = digestOf('other')));
    expect(ids(other).filter((id) => ids(graph).includes(id))).toEqual([]);
  });

  it('shows the first entries of a long list, documents before contents, and says how many it left out', () => {
    const long = (count: number): Graph =>
      graphOf((one) => {
        for (let i = 0; i < count; i++)
          one.contents.items.unshift({ role: 'content', sha256: digestOf(String(i)), size: 1 });
      });
    const graph = long(MAX_ENTRIES);
    expect(checkShapes(graph)).toEqual([]);
    expect(all(graph, 'uco-observable:ObservableObject')).toHaveLength(MAX_ENTRIES + 1);
    const [record] = all(graph, 'case-investigation:ProvenanceRecord');
    const listed = bundle.contents.items.length;
    expect(record!['uco-core:description']).toContainEqual(
      expect.stringContaining(`not shown here: ${listed} of role content`),
    );
    expect(named(graph, 'case-investigation:InvestigativeAction', 'replaying')).toHaveProperty(
      'uco-action:result',
    );
  });

  it('is quick about 300,000 entries of one content', () => {
    const sha256 = digestOf('x');
    const items = Array.from({ length: 300_000 }, (_, i) => ({
      role: 'input',
      sha256,
      size: 1,
      name: `${i}`,
    }));
    expect(caseUco({ ...bundle, contents: { ...bundle.contents, items } }).length).toBeLessThan(1_000_000);
  });

  it.each([
    ['yesterday'],
    ['2026-02-30T00:00:00Z'],
    ['2026-11-21T00:00:00+01:00"'],
    ['0000-01-01T00:00:00Z'],
    [''],
  ])('leaves out a time that is none: %s', (text) => {
    const graph = graphOf((one) => {
      one.record.started_at = text;
      one.record.evidence.record!.verified_at = text;
    });
    expect(checkShapes(graph)).toEqual([]);
    expect(JSON.stringify(graph)).not.toContain('startTime');
  });

  it('makes hostile text safe, and takes no text for a name of its own', () => {
    const hostile = '\u202e\u0007"},{"@id":"kb:x';
    const graph = graphOf((one) => {
      one.record.reason = hostile;
      one.record.evidence.record!.verifier = `reenact ${hostile}`;
      for (const item of one.contents.items) item.name = hostile;
      const [signer] = one.evidence!.envelopes[0]!.signers;
      Object.assign(signer!, { authority: hostile, identity: hostile, issuer: hostile });
    });
    expect(checkShapes(graph)).toEqual([]);
    const text = JSON.stringify(graph);
    expect(text).toContain('\\\\u202e\\\\u0007');
    expect(text).not.toMatch(/\u202e|(?<!\\)\\u0007/);
    expect(text).not.toContain('{"@id":"kb:x');
  });

  it('claims no verdict where nothing was replayed, and no check where there was none', () => {
    const graph = graphOf((one) => {
      one.record.replays = [];
      one.record.verdict = 'rejected';
      one.evidence = null;
      one.record.evidence = {
        status: 'not_checked',
        record: null,
        record_sha256: null,
        files: [],
        custody: null,
      };
    });
    expect(checkShapes(graph)).toEqual([]);
    const statements = JSON.stringify(all(graph, 'uco-core:Annotation'));
    expect(statements).toContain('nothing from which this could be decided again');
    expect(statements).toContain('No signature was verified');
    expect(all(graph, 'case-investigation:InvestigativeAction')).toHaveLength(2);
    expect(JSON.stringify(all(graph, 'uco-tool:Tool'))).toContain('does not name its version');
  });
});

it('identifiers are UUIDs of version 5, as Python makes them', () => {
  const name = canonicalJson([bundle.root, 'content', bundle.root]);
  const script = `import uuid; print(uuid.uuid5(uuid.UUID('c37fee44-edf4-4392-bd49-1e4b3e26b2ea'), '${name}'))`;
  const uuid = String(execFileSync('python3', ['-c', script])).trim();
  expect(graphOf()['@graph'][0]!['@id']).toBe(`kb:${uuid}`);
});
