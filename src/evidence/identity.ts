/** Whether a certificate's identity is one the policy names: always compared as a whole, never as a part. */
import { createContext, Script } from 'node:vm';

import type { Authority } from '../policy/shape.ts';
import { Refusal } from './refusal.ts';

const PATTERN_MS = 100;
const IDENTITY_CHARACTERS = 4096;

/** Compares with a glob in time proportional to both lengths: `*` stays within a path segment, `**` does not. */
export function matchGlob(glob: string, text: string): boolean {
  const parts = glob.split(/(\*+)/);
  // reached[i]: the first i characters can be matched by the parts so far.
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const part of parts) {
    const next = new Uint8Array(text.length + 1);
    const wild = part.startsWith('*');
    for (let i = 0; i <= text.length; i++) {
      if (!wild && reached[i] && text.startsWith(part, i)) next[i + part.length] = 1;
      if (wild && (reached[i] || (i > 0 && next[i - 1] && (part.length > 1 || text[i - 1] !== '/'))))
        next[i] = 1;
    }
    reached = next;
  }
  return reached[text.length] === 1;
}

/** Anchors the pattern at both ends, and stops one that takes too long: the text is the signer's to choose. */
function matchPattern(pattern: string, text: string): boolean {
  try {
    const script = new Script('new RegExp(pattern, "u").test(text)');
    const context = createContext({ pattern: `^(?:${pattern})$`, text });
    return script.runInContext(context, { timeout: PATTERN_MS }) as boolean;
  } catch (error) {
    throw new Refusal(
      'identity_mismatch',
      `the policy’s pattern ${pattern.slice(0, 80)} did not come to an end within ${PATTERN_MS} ms`,
      error,
    );
  }
}

/** True if issuer and subject are those of the authority. */
export function matchIdentity(
  keyless: NonNullable<Authority['keyless']>,
  identity: { subject: string; issuer: string },
): boolean {
  return (['issuer', 'subject'] as const).every((field) => {
    const value = identity[field];
    if (value.length > IDENTITY_CHARACTERS) return false;
    const pattern = keyless[`${field}RegExp`];
    return pattern === undefined ? matchGlob(keyless[field]!, value) : matchPattern(pattern, value);
  });
}
