/** A CASE/UCO graph in the making: its prefixes, its literals, and identifiers that are made of digests. */
import { hash } from 'node:crypto';

import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, hexOf } from '../base/digest.ts';

/** Of all identifiers here; a UUID of its own, as RFC 9562 wants for version 5. */
const NAMESPACE = Buffer.from('c37fee44edf44392bd491e4b3e26b2ea', 'hex');

const CONTEXT = {
  kb: 'urn:uuid:',
  'case-investigation': 'https://ontology.caseontology.org/case/investigation/',
  'uco-action': 'https://ontology.unifiedcyberontology.org/uco/action/',
  'uco-core': 'https://ontology.unifiedcyberontology.org/uco/core/',
  'uco-identity': 'https://ontology.unifiedcyberontology.org/uco/identity/',
  'uco-observable': 'https://ontology.unifiedcyberontology.org/uco/observable/',
  'uco-tool': 'https://ontology.unifiedcyberontology.org/uco/tool/',
  'uco-types': 'https://ontology.unifiedcyberontology.org/uco/types/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
};

export interface GraphReference {
  '@id': string;
}
export type Node = GraphReference & { '@type': string; [property: string]: unknown };

/** A literal with its datatype, which a bare JSON number would leave to each reader. */
export function typed(type: string, value: string | number): unknown {
  return { '@type': `xsd:${type}`, '@value': String(value) };
}

const TIME = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** A time that a record claims; an impossible one, such as 30 February, is left out, since its form is checked only here. */
export function time(property: string, text: string): Record<string, unknown> {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  const real = !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19);
  return real ? { [property]: typed('dateTime', text) } : {};
}

/** The graph of one bundle. Each identifier is made of the bundle's identity, a kind, and a key within it. */
export class Graph {
  private readonly nodes = new Map<string, Node>();
  private readonly root: Digest;
  private readonly listed = new Map<Digest, GraphReference>();

  constructor(root: Digest) {
    this.root = root;
  }

  /** A UUID of version 5: the same bundle has the same identifiers, and no two bundles share one. */
  private reference(kind: string, key: string): GraphReference {
    const name = Buffer.from(canonicalJson([this.root, kind, key]));
    const bytes = hash('sha1', Buffer.concat([NAMESPACE, name]), 'buffer').subarray(0, 16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x50;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    return { '@id': `kb:${parts.join('-')}` };
  }

  /** A node that stands inside another. */
  part(kind: string, key: string, type: string, properties: Record<string, unknown>): Node {
    return { ...this.reference(kind, key), '@type': type, ...properties };
  }

  /** A node of its own, once. */
  add(kind: string, key: string, type: string, properties: Record<string, unknown>): GraphReference {
    const node = this.part(kind, key, type, properties);
    this.nodes.set(node['@id'], node);
    return { '@id': node['@id'] };
  }

  /** Something known by its digest: one object, however often the bundle lists it. */
  content(sha256: Digest, size: number | undefined, properties: Record<string, unknown>, more: Node[]): void {
    const digest = this.part('hash', sha256, 'uco-types:Hash', {
      'uco-types:hashMethod': 'SHA256',
      'uco-types:hashValue': typed('hexBinary', hexOf(sha256)),
    });
    const data = this.part('content-data', sha256, 'uco-observable:ContentDataFacet', {
      'uco-observable:hash': [digest],
      ...(size === undefined ? {} : { 'uco-observable:sizeInBytes': typed('integer', size) }),
    });
    const object = { ...properties, 'uco-core:hasFacet': [data, ...more] };
    this.listed.set(sha256, this.add('content', sha256, 'uco-observable:ObservableObject', object));
  }

  /** References to those of these contents that are listed. */
  found(digests: Iterable<Digest | null | undefined>): GraphReference[] {
    return [...new Set(digests)].flatMap((sha256) => (sha256 && this.listed.get(sha256)) || []);
  }

  /** The same under a property, which is left out where there are none. */
  link(property: string, digests: Iterable<Digest | null | undefined>): Record<string, GraphReference[]> {
    const found = this.found(digests);
    return found.length > 0 ? { [property]: found } : {};
  }

  /** The document, in canonical JSON. */
  text(): string {
    return `${canonicalJson({ '@context': CONTEXT, '@graph': [...this.nodes.values()] })}\n`;
  }
}
