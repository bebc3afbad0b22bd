/** The policy: whose signature counts for what, and which gates a verdict must pass. One file or a built-in name. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, digestOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { type Problem, parseJson, showProblem } from '../base/json.ts';
import { EVIDENCE_LIMITS, LIMITS } from '../base/limits.ts';
import { didYouMean } from '../base/nearest.ts';
import { read as readShape } from '../base/shape.ts';
import { isKeyOf, keysOf } from '../base/table.ts';
import { crossChecks } from './cross-checks.ts';
import {
  type Authority,
  type Gates,
  type LogTrust,
  type PolicyDocument,
  policyShape,
  type Requirement,
  type RootTrust,
  SUBJECT_FIELDS,
} from './shape.ts';

/** Whether replays are refused where something of full determinism is missing. */
export function mechanismsWanted({ mechanisms, forensic }: Gates): 'all' | 'any' {
  return mechanisms ?? (forensic ? 'all' : 'any');
}

/** A file that the policy names: read once, and bound into the policy's digest. */
export interface PolicyFile {
  path: string;
  bytes: Buffer;
  sha256: Digest;
}

/** A trust root that a policy names. */
export interface PolicyRoot {
  /** Null: the embedded root of the public instance. */
  file: PolicyFile | null;
  /** The file's digest as the policy states it. */
  pin?: Digest;
}

export interface Policy {
  name: string;
  /** Of `canonical`. */
  sha256: Digest;
  /** The document as canonical JSON, in which each file is named by its digest instead of its path. */
  canonical: string;
  gates: Gates;
  /** Empty: this policy checks no evidence. */
  authorities: (Authority & { keyFile?: PolicyFile })[];
  require: Requirement[];
  /** Evidence is proven under any one of them; none: the embedded root of the public instance. */
  trustRoots: PolicyRoot[];
  logs: LogTrust[];
}

const BUILT_IN: Record<'default' | 'forensic', Gates> = {
  default: { replay_ratio: 0.95, forensic: false, image_check: 'engine' },
  forensic: { replay_ratio: 1, forensic: true, image_check: 'content' },
};

/** What authorities must have signed when the policy does not say: the manifest, whatever the predicate. */
const DEFAULT_REQUIREMENT: Requirement = { subjects: ['manifest'] };

function builtIn(name: string, gates: Gates): Policy {
  const canonical = canonicalJson({ version: 1, gates });
  return {
    name,
    gates,
    canonical,
    sha256: digestOf(canonical),
    authorities: [],
    require: [],
    trustRoots: [],
    logs: [],
  };
}

function problemList(name: string, problems: Problem[]): Fault {
  const lines = problems.map((p) => `  ${showProblem(p)}`);
  return new Fault('policy_invalid', `${name}:\n${lines.join('\n')}`);
}

/** Gives the bytes of a file that a policy names. */
export type ReadPolicyFile = (path: string) => Promise<Buffer>;

async function readPolicyFile(
  read: ReadPolicyFile,
  path: string,
  name: string,
  where: string,
): Promise<PolicyFile> {
  try {
    const bytes = await read(path);
    if (bytes.length > EVIDENCE_LIMITS.fileBytes) throw new Error(`over ${EVIDENCE_LIMITS.fileBytes} bytes`);
    return { path, bytes, sha256: digestOf(bytes) };
  } catch (error) {
    throw asFault('policy_invalid', `${name}: ${where} names ${path}, which cannot be read`, error);
  }
}

/** JSON is read without the YAML library, which takes longer to load than a bundle to verify. */
async function parseText(text: string, problems: Problem[]): Promise<unknown> {
  if (!text.trimStart().startsWith('{')) return (await import('./yaml.ts')).parseYaml(text, problems);
  const limits = { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth };
  const parsed = parseJson(Buffer.from(text), limits);
  if (parsed.ok) return parsed.value;
  problems.push(...parsed.problems);
  return undefined;
}

type TrustDocument = NonNullable<PolicyDocument['trust']>;

/** The files of all roots; the older spelling, one root and its pin, is a list of one. */
async function readRoots(
  { root, sha256, roots }: TrustDocument,
  read: (path: string, where: string) => Promise<PolicyFile>,
): Promise<PolicyRoot[]> {
  const named: RootTrust[] =
    roots ?? (root || sha256 ? [{ ...(root ? { path: root } : {}), ...(sha256 ? { sha256 } : {}) }] : []);
  return Promise.all(
    named.map(async ({ path, sha256: pin }, index) => ({
      file:
        path === undefined ? null : await read(path, roots ? `$.trust.roots[${index}].path` : '$.trust.root'),
      ...(pin ? { pin } : {}),
    })),
  );
}

/** The document's trust, each file in it named by its digest. */
function canonicalTrust(trust: TrustDocument, roots: PolicyRoot[]): TrustDocument {
  const named = (index: number): Digest | undefined => roots[index]?.file?.sha256;
  const [first] = roots;
  if (trust.root && first?.file) return { ...trust, root: first.file.sha256 };
  if (!trust.roots) return trust;
  return {
    ...trust,
    roots: trust.roots.map((one, index) => (one.path === undefined ? one : { ...one, path: named(index)! })),
  };
}

/** Checks a policy's text and reads the files it names, from a folder or elsewhere; `name` is what records call it. */
export async function parsePolicy(
  text: string,
  name: string,
  files: string | ReadPolicyFile,
): Promise<Policy> {
  const read = typeof files === 'string' ? (path: string) => readFile(resolve(files, path)) : files;
  if (text.length > LIMITS.documentBytes)
    throw new Fault('policy_invalid', `${name} is over ${LIMITS.documentBytes} bytes`);
  const problems: Problem[] = [];
  const value = await parseText(text, problems);
  if (problems.length > 0) throw problemList(name, problems);
  const parsed = readShape(policyShape, value);
  if (!parsed.ok) throw problemList(name, parsed.problems);
  const document = parsed.value;
  const gates = { ...BUILT_IN.default, ...document.gates };
  const contradictions = crossChecks(document, gates);
  if (contradictions.length > 0) throw problemList(name, contradictions);

  const { trust = {} } = document;
  const authorities: Policy['authorities'] = await Promise.all(
    (document.authorities ?? []).map(async (authority, index) =>
      authority.key
        ? {
            ...authority,
            keyFile: await readPolicyFile(read, authority.key.path, name, `$.authorities[${index}].key.path`),
          }
        : authority,
    ),
  );
  const roots = await readRoots(trust, (path, where) => readPolicyFile(read, path, name, where));
  const require = document.require ?? (authorities.length > 0 ? [DEFAULT_REQUIREMENT] : []);
  const canonical = canonicalJson({
    ...document,
    gates,
    ...(document.trust ? { trust: canonicalTrust(trust, roots) } : {}),
    ...(document.authorities
      ? {
          authorities: authorities.map(({ keyFile, ...rest }) =>
            keyFile ? { ...rest, key: { ...rest.key, path: keyFile.sha256 } } : rest,
          ),
        }
      : {}),
  });
  return {
    name,
    canonical,
    sha256: digestOf(canonical),
    gates,
    authorities,
    require: require.map((one) => ({ subjects: [...SUBJECT_FIELDS].slice(0, 1), ...one })),
    trustRoots: roots,
    logs: trust.logs ?? [],
  };
}

/** A built-in policy by its name, else the file at that path. */
export async function loadPolicy(nameOrPath: string): Promise<Policy> {
  if (isKeyOf(BUILT_IN, nameOrPath)) return builtIn(nameOrPath, BUILT_IN[nameOrPath]);
  let text: string;
  try {
    text = await readFile(nameOrPath, 'utf8');
  } catch (error) {
    const meant = didYouMean(nameOrPath, keysOf(BUILT_IN));
    const message = `no built-in policy or readable file "${nameOrPath}"${meant}`;
    throw meant ? new Fault('policy_invalid', message, error) : asFault('policy_invalid', message, error);
  }
  return parsePolicy(text, nameOrPath, dirname(nameOrPath));
}

/** Every file a policy names, as it was read. */
export function policyFiles(policy: Policy): PolicyFile[] {
  const keys = policy.authorities.flatMap(({ keyFile }) => (keyFile ? [keyFile] : []));
  return [...keys, ...policy.trustRoots.flatMap(({ file }) => file ?? [])];
}
