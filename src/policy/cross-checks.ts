/** Rules of a policy that concern several fields; each guards against a policy that accepts more than it seems to. */
import type { Problem } from '../base/json.ts';
import { messageOf } from '../base/thrown.ts';
import { type Authority, EMBEDDED_ROOT, type Gates, type Keyless, type PolicyDocument } from './shape.ts';

/** Of each, a policy gives exactly one. */
const WAYS: Record<'issuer' | 'subject', (keyof Keyless)[]> = {
  issuer: ['issuer', 'issuerRegExp', 'noIssuer'],
  subject: ['subject', 'subjectRegExp'],
};

function checkKeyless(keyless: Keyless, path: string): Problem[] {
  const problems: Problem[] = [];
  for (const field of ['issuer', 'subject'] as const) {
    const pattern = keyless[`${field}RegExp`];
    const ways = WAYS[field];
    if (ways.filter((way) => keyless[way] !== undefined).length !== 1)
      problems.push({
        path,
        message: `needs exactly one of ${ways.join(', ').replace(/, (?=[^,]*$)/, ' and ')}`,
        hint: 'without it, every holder of an account could sign',
      });
    try {
      if (pattern !== undefined) new RegExp(pattern, 'u');
    } catch (error) {
      problems.push({ path: `${path}.${field}RegExp`, message: messageOf(error) });
    }
  }
  if (/^\**$/.test(keyless.issuer ?? '-'))
    problems.push({ path: `${path}.issuer`, message: 'would accept every issuer', hint: 'name it exactly' });
  return problems;
}

function checkAuthority(authority: Authority, path: string): Problem[] {
  const { keyless, key, transparency } = authority;
  if ((keyless === undefined) === (key === undefined))
    return [{ path, message: 'needs exactly one of keyless and key' }];
  if (keyless) return checkKeyless(keyless, `${path}.keyless`);
  const problems: Problem[] = [];
  if (transparency === undefined)
    problems.push({
      path,
      message: 'a key needs "transparency"',
      hint: 'none for keys used without a log, required for those used with one',
    });
  for (const field of ['notBefore', 'notAfter', 'revokedAt'] as const)
    if (key?.[field] !== undefined && Number.isNaN(Date.parse(key[field])))
      problems.push({ path: `${path}.key.${field}`, message: 'is no date' });
  if (key?.notBefore && key.notAfter && key.notBefore > key.notAfter)
    problems.push({ path: `${path}.key`, message: 'notBefore is after notAfter' });
  return problems;
}

function checkRoots({ root, sha256, roots }: NonNullable<PolicyDocument['trust']>): Problem[] {
  const problems: Problem[] = [];
  if (roots && (root !== undefined || sha256 !== undefined))
    problems.push({ path: '$.trust', message: 'has "roots" beside "root" or "sha256": put all into roots' });
  for (const [index, { path, embedded }] of (roots ?? []).entries())
    if ((path === undefined) === (embedded === undefined))
      problems.push({
        path: `$.trust.roots[${index}]`,
        message: `needs exactly one of path and embedded`,
        hint: `embedded: ${EMBEDDED_ROOT} is the public instance's`,
      });
  return problems;
}

/** Everything wrong with a policy whose single fields are right. */
export function crossChecks(document: PolicyDocument, gates: Gates): Problem[] {
  const problems: Problem[] = [];
  const { authorities = [], require = [] } = document;
  if (gates.forensic && gates.image_check !== 'content')
    problems.push({ path: '$.gates.image_check', message: 'must be "content" where forensic is true' });
  if (gates.forensic && gates.mechanisms === 'any')
    problems.push({
      path: '$.gates.mechanisms',
      message: 'must be "all", or left out, where forensic is true',
    });
  if (gates.forensic && (gates.same_crash ?? 'exact') !== 'exact')
    problems.push({
      path: '$.gates.same_crash',
      message: 'must be "exact", or left out, where forensic is true',
    });
  if (require.length > 0 && authorities.length === 0)
    problems.push({ path: '$.require', message: 'needs authorities that can fulfil it' });
  problems.push(...checkRoots(document.trust ?? {}));
  const ids = new Set<string>();
  for (const [index, authority] of authorities.entries()) {
    const path = `$.authorities[${index}]`;
    if (ids.has(authority.id)) problems.push({ path: `${path}.id`, message: 'is given twice' });
    ids.add(authority.id);
    problems.push(...checkAuthority(authority, path));
  }
  for (const [index, { threshold }] of require.entries()) {
    const path = `$.require[${index}].threshold`;
    for (const id of threshold?.of ?? [])
      if (!ids.has(id))
        problems.push({ path: `${path}.of`, message: `"${id}" is no authority of this policy` });
    if ((threshold?.min ?? 1) > (threshold?.of ?? [...ids]).length)
      problems.push({ path: `${path}.min`, message: 'is more than there are authorities' });
  }
  for (const [index, { witnesses }] of (document.trust?.logs ?? []).entries())
    if (witnesses && witnesses.min > witnesses.keys.length)
      problems.push({ path: `$.trust.logs[${index}].witnesses.min`, message: 'is more than there are keys' });
  return problems;
}
