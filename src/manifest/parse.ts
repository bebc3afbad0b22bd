/** From a file's bytes to a typed manifest, or to every problem in it at once. */
import { canonicalDigest } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { isObject, type Parsed, type Problem, parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { read } from '../base/shape.ts';
import { checkExpectedCrash } from './crash-signature.ts';
import { type Manifest, manifestShape } from './definition.ts';
import { splitInstructions } from './instructions.ts';

/** A manifest that passed every check, the digest of its canonical JSON, and its argument vector. */
export interface ParsedManifest {
  manifest: Manifest;
  sha256: Digest;
  argv: string[];
}

/** The program's own crash is its ending; a child's crash is not. */
function crashChecks(expect: Manifest['expect']): Problem[] {
  const { crash, signal, exit_code } = expect ?? {};
  if (!crash) return [];
  const problems = checkExpectedCrash(crash, '$.expect.crash');
  const contradicts = (message: string): void =>
    void problems.push({
      path: '$.expect.crash',
      message,
      hint: 'name the child whose crash is meant in crash.process, or remove one of them',
    });
  if (crash.process === undefined && exit_code !== undefined)
    contradicts(`is of a program that ends by ${crash.signal}, and exit_code is ${exit_code}`);
  if (crash.process === undefined && signal !== undefined && signal !== crash.signal)
    contradicts(`is of a program that ends by ${crash.signal}, and signal is ${signal}`);
  return problems;
}

/** Rules that concern several fields. */
function crossChecks(manifest: Manifest): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const paths = new Set((manifest.inputs ?? []).map((input) => input.path));
  for (const [index, input] of (manifest.inputs ?? []).entries()) {
    const path = `$.inputs[${index}].path`;
    if (seen.has(input.path)) problems.push({ path, message: 'is given twice' });
    for (let end = input.path.indexOf('/'); end > 0; end = input.path.indexOf('/', end + 1)) {
      if (!paths.has(input.path.slice(0, end))) continue;
      problems.push({ path, message: 'lies inside another input, which is a file' });
      break;
    }
    seen.add(input.path);
  }
  if (manifest.expect?.exit_code !== undefined && manifest.expect.signal !== undefined)
    problems.push({
      path: '$.expect',
      message: 'names both exit_code and signal',
      hint: 'a program ends one way: keep one',
    });
  problems.push(...crashChecks(manifest.expect));
  for (const name of ['SEED', 'HOSTNAME'])
    if (manifest.env && Object.hasOwn(manifest.env, name))
      problems.push({
        path: `$.env.${name}`,
        message: 'is set by the harness',
        hint: name === 'SEED' ? 'use the seed field' : 'remove it',
      });
  return problems;
}

/** What `reenact init` leaves to fill in, by field, and where its value is found. */
const BLANKS: Readonly<Record<string, readonly [blank: string, hint: string]>> = {
  sandbox_image: ['<REPOSITORY>', 'the image without tag or digest, such as registry.example.org/team/app'],
  sandbox_image_sha256: [
    '<sha256:DIGEST>',
    "the image's digest: docker inspect --format '{{.RepoDigests}}' IMAGE",
  ],
  run_instructions: ['<COMMAND>', 'the program and its arguments, such as app /case/request.bin'],
};

/** Blanks that were left, all of them, in place of what else is wrong with their fields: a quoted one is a word of the program's. */
function blanksFirst(value: unknown, problems: Problem[]): Problem[] {
  const left = Object.entries(BLANKS).flatMap(([field, [blank, hint]]): Problem[] => {
    const text = isObject(value) ? value[field] : undefined;
    if (typeof text !== 'string' || !text.includes(blank)) return [];
    if (field === 'run_instructions' && splitInstructions(text, 0).problems.length === 0) return [];
    return [{ path: `$.${field}`, message: `still has the blank ${blank}`, hint }];
  });
  return [...left, ...problems.filter(({ path }) => !left.some((blank) => blank.path === path))];
}

/** Checks untrusted bytes; the value is only a manifest when `ok`. */
export function parseManifest(bytes: Uint8Array): Parsed<ParsedManifest> {
  const limits = { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth };
  const json = parseJson(bytes, limits);
  if (!json.ok) return json;
  const parsed = read(manifestShape, json.value);
  if (!parsed.ok) return { ok: false, problems: blanksFirst(json.value, parsed.problems) };
  const manifest = parsed.value;
  const { argv, problems: wordProblems } = splitInstructions(manifest.run_instructions, manifest.seed);
  const problems = [...crossChecks(manifest), ...wordProblems];
  if (problems.length > 0) return { ok: false, problems: blanksFirst(manifest, problems) };
  return { ok: true, value: { manifest, sha256: canonicalDigest(manifest), argv } };
}
