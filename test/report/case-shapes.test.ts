import { beforeAll, describe, expect, it } from 'vitest';

import { caseUco } from '../../src/report/case-uco.ts';
import type { CertifiedBundle } from '../../src/report/certification.ts';
import { all, checkShapes, type Graph, type Json, named } from '../support/case-shapes.ts';
import { acceptedBundle } from '../support/examined.ts';

let bundle: CertifiedBundle;
beforeAll(async () => {
  ({ bundle } = await acceptedBundle());
});

describe('the checker finds', () => {
  const find = (graph: Graph, type: string): Json => all(graph, type)[0]!;
  const inside = (graph: Graph, type: string): Json => {
    const [object] = all(graph, 'uco-observable:ObservableObject').slice(1);
    const facets = object!['uco-core:hasFacet'] as Json[];
    return type === 'hash' ? (facets[0]!['uco-observable:hash'] as Json[])[0]! : facets[0]!;
  };
  const run = (graph: Graph): Json => named(graph, 'case-investigation:InvestigativeAction', 'replaying');
  const typed = (type: string, value: unknown): Json => ({ '@type': `xsd:${type}`, '@value': value });

  it.each<[string, RegExp, (graph: Graph) => unknown]>([
    [
      'a hash value as a string',
      /hashValue is of xsd:string/,
      (g) => (inside(g, 'hash')['uco-types:hashValue'] = 'ab'),
    ],
    [
      'a hash value that is no hex',
      /hashValue is no xsd:hexBinary/,
      (g) => (inside(g, 'hash')['uco-types:hashValue'] = typed('hexBinary', 'sha256:a')),
    ],
    [
      'a hash without its method',
      /hashMethod is there 0 times/,
      (g) => delete inside(g, 'hash')['uco-types:hashMethod'],
    ],
    [
      'a method that UCO does not know',
      /hashMethod is not in the list/,
      (g) => (inside(g, 'hash')['uco-types:hashMethod'] = 'sha256'),
    ],
    [
      'a size as a string',
      /sizeInBytes is of xsd:string/,
      (g) => (inside(g, 'facet')['uco-observable:sizeInBytes'] = '1'),
    ],
    [
      'a size that is no integer',
      /sizeInBytes is no xsd:integer/,
      (g) => (inside(g, 'facet')['uco-observable:sizeInBytes'] = typed('integer', '1.5')),
    ],
    [
      'a time that is none',
      /startTime is no xsd:dateTime/,
      (g) => (run(g)['uco-action:startTime'] = typed('dateTime', 'now')),
    ],
    [
      'two times',
      /startTime is there 2 times/,
      (g) =>
        (run(g)['uco-action:startTime'] = ['1', '2'].map((day) =>
          typed('dateTime', `2026-01-0${day}T00:00:00Z`),
        )),
    ],
    [
      'a negative count',
      /actionCount is no/,
      (g) => (run(g)['uco-action:actionCount'] = typed('nonNegativeInteger', '-1')),
    ],
    [
      'a name twice',
      /name is there 2 times/,
      (g) => (find(g, 'uco-tool:Tool')['uco-core:name'] = ['a', 'b']),
    ],
    [
      'a property of another class',
      /fileName is no property of it/,
      (g) => (find(g, 'uco-tool:Tool')['uco-observable:fileName'] = 'a'),
    ],
    [
      'a property that nobody defined',
      /sha256 is no property of it/,
      (g) => (inside(g, 'hash')['uco-types:sha256'] = 'a'),
    ],
    [
      'a class that nobody defined',
      /is of no known class/,
      (g) => (find(g, 'uco-tool:Tool')['@type'] = 'uco-tool:Hammer'),
    ],
    [
      'an action informed by a tool',
      /wasInformedBy leads to no/,
      (g) => (run(g)['case-investigation:wasInformedBy'] = [{ '@id': find(g, 'uco-tool:Tool')['@id'] }]),
    ],
    [
      'a reference to nothing',
      /instrument leads to no/,
      (g) => (run(g)['uco-action:instrument'] = [{ '@id': 'kb:00000000-0000-5000-8000-000000000000' }]),
    ],
    [
      'a relationship without target',
      /target is there 0 times/,
      (g) => delete find(g, 'uco-core:Relationship')['uco-core:target'],
    ],
    [
      'a direction as a string',
      /isDirectional is of xsd:string/,
      (g) => (find(g, 'uco-core:Relationship')['uco-core:isDirectional'] = 'true'),
    ],
    [
      'an annotation of nothing',
      /object is there 0 times/,
      (g) => delete find(g, 'uco-core:Annotation')['uco-core:object'],
    ],
    [
      'a facet of two objects',
      /is another’s too/,
      (g) => (find(g, 'uco-tool:Tool')['uco-core:hasFacet'] = [{ '@id': inside(g, 'facet')['@id'] }]),
    ],
    ['a blank node', /ends with no UUID/, (g) => delete find(g, 'uco-tool:Tool')['@id']],
    ['another ontology', /@context: uco-core/, (g) => (g['@context']['uco-core'] = 'http://example.org/')],
    [
      'one identifier twice',
      /two nodes have one @id/,
      (g) => g['@graph'].push({ ...find(g, 'uco-tool:Tool') }),
    ],
  ])('%s', (_name, problem, change) => {
    const graph = JSON.parse(caseUco(bundle)) as Graph;
    change(graph);
    expect(checkShapes(graph).join('\n')).toMatch(problem);
  });
});
