/**
 * The shapes of CASE and UCO 1.5.0 that our documents are about, and a checker for them.
 *
 * Transcribed by hand from case_utils/ontology/case-1.5.0.ttl of casework/CASE-Utilities-Python (commit
 * 20edf56e36b6d940abba9f4809b9f837b9983863), the build of both ontologies that case_validate uses: each sh:property of
 * these classes and of their superclasses, with sh:datatype, sh:class, sh:minCount, sh:maxCount and sh:in; and what
 * core:UcoThing, core:hasFacet-shape and the disjointness shapes say. This is no SHACL validator.
 */
interface Rule {
  /** A literal of this XSD type. */
  datatype?: string;
  /** A reference to a node of this class, by IRI. */
  class?: string;
  min?: number;
  max?: number;
  in?: string[];
}
interface Shape {
  parents: string[];
  properties: Record<string, Rule>;
}

const text: Rule = { datatype: 'xsd:string' };
const one: Rule = { ...text, max: 1 };
const moment: Rule = { datatype: 'xsd:dateTime', max: 1 };
const many = (name: string): Rule => ({ class: name });
const single = (name: string): Rule => ({ class: name, max: 1 });
const shape = (parents: string[], properties: Record<string, Rule> = {}): Shape => ({ parents, properties });
const prefixed = (prefix: string, rules: Record<string, Rule>): Record<string, Rule> =>
  Object.fromEntries(Object.entries(rules).map(([name, rule]) => [`${prefix}:${name}`, rule]));

const HASH_METHODS = 'MD5 MD6 SHA1 SHA224 SHA256 SHA3-224 SHA3-256 SHA3-384 SHA3-512 SHA384 SHA512 SSDEEP';

const SHAPES: Record<string, Shape> = {
  'uco-core:UcoThing': shape([]),
  'uco-core:UcoInherentCharacterizationThing': shape(['uco-core:UcoThing']),
  'uco-core:UcoObject': shape(
    ['uco-core:UcoThing'],
    prefixed('uco-core', {
      externalReference: many('uco-core:ExternalReference'),
      hasFacet: many('uco-core:Facet'),
      createdBy: single('uco-core:IdentityAbstraction'),
      objectMarking: many('uco-core:MarkingDefinitionAbstraction'),
      objectCreatedTime: moment,
      modifiedTime: { datatype: 'xsd:dateTime' },
      objectStatus: { ...one, in: ['Draft', 'Final', 'Deprecated'] },
      name: one,
      specVersion: one,
      description: text,
      tag: text,
    }),
  ),
  'uco-core:Facet': shape(['uco-core:UcoInherentCharacterizationThing']),
  'uco-core:Item': shape(['uco-core:UcoObject']),
  'uco-core:Compilation': shape(['uco-core:UcoObject']),
  'uco-core:ContextualCompilation': shape(['uco-core:Compilation'], {
    'uco-core:object': many('uco-core:UcoObject'),
  }),
  'uco-core:Assertion': shape(['uco-core:UcoObject'], { 'uco-core:statement': text }),
  'uco-core:Annotation': shape(['uco-core:Assertion'], {
    'uco-core:object': { class: 'uco-core:UcoObject', min: 1 },
  }),
  'uco-core:ExternalReference': shape(
    ['uco-core:UcoInherentCharacterizationThing'],
    prefixed('uco-core', {
      referenceURL: { datatype: 'xsd:anyURI', max: 1 },
      definingContext: one,
      externalIdentifier: one,
    }),
  ),
  'uco-core:IdentityAbstraction': shape(['uco-core:UcoObject']),
  'uco-core:Relationship': shape(
    ['uco-core:UcoObject'],
    prefixed('uco-core', {
      target: { class: 'uco-core:UcoObject', min: 1, max: 1 },
      source: { class: 'uco-core:UcoObject', min: 1 },
      isDirectional: { datatype: 'xsd:boolean', min: 1, max: 1 },
      endTime: { datatype: 'xsd:dateTime' },
      startTime: { datatype: 'xsd:dateTime' },
      kindOfRelationship: one,
    }),
  ),
  'uco-identity:Identity': shape(['uco-core:IdentityAbstraction']),
  'uco-action:Action': shape(
    ['uco-core:UcoObject'],
    prefixed('uco-action', {
      subaction: many('uco-action:Action'),
      environment: single('uco-core:UcoObject'),
      performer: single('uco-core:UcoObject'),
      error: many('uco-core:UcoObject'),
      instrument: many('uco-core:UcoObject'),
      object: many('uco-core:UcoObject'),
      participant: many('uco-core:UcoObject'),
      result: many('uco-core:UcoObject'),
      location: many('uco-location:Location'),
      endTime: moment,
      startTime: moment,
      actionCount: { datatype: 'xsd:nonNegativeInteger', max: 1 },
      actionStatus: one,
    }),
  ),
  'case-investigation:InvestigativeAction': shape(['uco-action:Action'], {
    'case-investigation:wasInformedBy': many('case-investigation:InvestigativeAction'),
  }),
  'case-investigation:ProvenanceRecord': shape(['uco-core:ContextualCompilation'], {
    'case-investigation:exhibitNumber': one,
    'case-investigation:rootExhibitNumber': text,
  }),
  'uco-tool:Tool': shape(
    ['uco-core:UcoObject'],
    prefixed('uco-tool', {
      creator: single('uco-identity:Identity'),
      references: { datatype: 'xsd:anyURI' },
      servicePack: one,
      toolType: one,
      version: one,
    }),
  ),
  'uco-observable:Observable': shape(['uco-core:UcoObject']),
  'uco-observable:ObservableObject': shape(
    ['uco-core:Item', 'uco-observable:Observable'],
    prefixed('uco-observable', { hasChanged: { datatype: 'xsd:boolean', max: 1 }, state: one }),
  ),
  'uco-observable:ContentDataFacet': shape(
    ['uco-core:Facet'],
    prefixed('uco-observable', {
      dataPayloadReferenceURL: single('uco-observable:ObservableObject'),
      hash: many('uco-types:Hash'),
      isEncrypted: { datatype: 'xsd:boolean', max: 1 },
      entropy: { datatype: 'xsd:decimal', max: 1 },
      sizeInBytes: { datatype: 'xsd:integer', max: 1 },
      dataPayload: one,
      magicNumber: one,
      mimeClass: one,
      mimeType: text,
      byteOrder: one,
    }),
  ),
  'uco-observable:FileFacet': shape(
    ['uco-core:Facet'],
    prefixed('uco-observable', {
      isDirectory: { datatype: 'xsd:boolean' },
      accessedTime: moment,
      metadataChangeTime: moment,
      modifiedTime: moment,
      observableCreatedTime: moment,
      sizeInBytes: { datatype: 'xsd:integer', max: 1 },
      allocationStatus: one,
      extension: one,
      fileName: text,
      filePath: text,
    }),
  ),
  'uco-types:Hash': shape(['uco-core:UcoInherentCharacterizationThing'], {
    'uco-types:hashValue': { datatype: 'xsd:hexBinary', min: 1, max: 1 },
    'uco-types:hashMethod': { datatype: 'xsd:string', min: 1, max: 1, in: HASH_METHODS.split(' ') },
  }),
};

/** What the prefixes stand for, as the ontologies publish them. */
const PREFIXES: Record<string, string> = {
  'case-investigation': 'https://ontology.caseontology.org/case/investigation/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  ...Object.fromEntries(
    ['action', 'core', 'identity', 'observable', 'tool', 'types'].map((name) => [
      `uco-${name}`,
      `https://ontology.unifiedcyberontology.org/uco/${name}/`,
    ]),
  ),
};

/** Spellings that XML Schema allows. */
const LEXICAL: Record<string, RegExp> = {
  'xsd:string': /^/,
  'xsd:boolean': /^(true|false|0|1)$/,
  'xsd:integer': /^[+-]?\d+$/,
  'xsd:nonNegativeInteger': /^\d+$/,
  'xsd:hexBinary': /^([0-9a-fA-F]{2})*$/,
  'xsd:dateTime':
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/,
};

export type Json = Record<string, unknown>;
export interface Graph {
  '@context': Record<string, string>;
  '@graph': Json[];
}

function ancestors(type: string): string[] {
  return [type, ...(SHAPES[type]?.parents ?? []).flatMap(ancestors)];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Every node with a type, also those that stand inside others. */
function nodesOf(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(nodesOf);
  return '@type' in value && !('@value' in value) ? [value as Json, ...inside] : inside;
}

function checkLiteral(value: unknown, rule: Rule): string | undefined {
  const literal =
    typeof value === 'string'
      ? { '@type': 'xsd:string', '@value': value }
      : (value as { '@type'?: string; '@value'?: unknown });
  const { '@type': type, '@value': lexical } = literal;
  if (type !== rule.datatype) return `is of ${type}, not ${rule.datatype}`;
  if (typeof lexical !== 'string' || !LEXICAL[type!]?.test(lexical)) return `is no ${type}: ${lexical}`;
  return rule.in && !rule.in.includes(lexical) ? `is not in the list: ${lexical}` : undefined;
}

/** All that is wrong with a document of ours, each with the node it is about. */
export function checkShapes({ '@context': context, '@graph': graph }: Graph): string[] {
  const problems: string[] = [];
  for (const [prefix, iri] of Object.entries(context))
    if (prefix !== 'kb' && PREFIXES[prefix] !== iri) problems.push(`@context: ${prefix} is not ${iri}`);
  const nodes = nodesOf(graph);
  const types = new Map(nodes.map((node) => [String(node['@id']), String(node['@type'])]));
  if (types.size !== nodes.length) problems.push('two nodes have one @id');
  const owners = new Set<unknown>();
  for (const node of nodes) {
    const say = (what: string): void => void problems.push(`${node['@type']} ${node['@id']}: ${what}`);
    // core:UcoThing: no blank nodes; core:UcoThing-identifier-regex-shape: they end with a UUID.
    if (!/^kb:[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(String(node['@id'])))
      say('its @id ends with no UUID');
    const classes = ancestors(String(node['@type']));
    if (!SHAPES[String(node['@type'])]) say('is of no known class');
    const rules: [string, Rule][] = classes.flatMap((name) => Object.entries(SHAPES[name]?.properties ?? {}));
    for (const property of Object.keys(node))
      if (!property.startsWith('@') && !rules.some(([name]) => name === property))
        say(`${property} is no property of it`);
    for (const [property, rule] of rules) {
      const values = property in node ? listOf(node[property]) : [];
      if (values.length < (rule.min ?? 0) || values.length > (rule.max ?? Number.POSITIVE_INFINITY))
        say(`${property} is there ${values.length} times`);
      if (new Set(values.map((value) => JSON.stringify(value))).size !== values.length)
        say(`${property} has one value twice`);
      for (const value of values) {
        const wrong = rule.class
          ? !ancestors(types.get(String((value as Json)?.['@id'])) ?? '').includes(rule.class)
            ? `leads to no ${rule.class}`
            : undefined
          : checkLiteral(value, rule);
        if (wrong) say(`${property} ${wrong}`);
      }
    }
    // core:hasFacet-shape: no facet of two objects.
    for (const facet of listOf(node['uco-core:hasFacet'] ?? [])) {
      const id = (facet as Json)['@id'];
      if (owners.has(id)) say(`its facet ${id} is another’s too`);
      owners.add(id);
    }
  }
  return problems;
}

/** The nodes of a type, in their order. */
export function all(graph: Graph, type: string): Json[] {
  return graph['@graph'].filter((node) => node['@type'] === type);
}

/** The one of a type with this name. */
export function named(graph: Graph, type: string, name: string): Json {
  return all(graph, type).find((node) => node['uco-core:name'] === name)!;
}
