/** A new bundle without chosen contents, signed, which names the one it was made of. */

import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { wantFree } from '../base/output.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { errnoOf } from '../base/thrown.ts';
import { extractBundle } from '../bundle/extract/extract.ts';
import { Refused } from '../bundle/format/refused.ts';
import { redactBundle as redact } from '../bundle/redact/redact.ts';
import { verifyBundle } from '../bundle/verify/verify.ts';
import { createBundle } from '../bundle/write/create.ts';
import { BlobStore } from '../store/blobs.ts';
import { readNamed } from './read-named.ts';
import type { Session } from './session.ts';
import { eventKey, type KeyInput } from './signing-key.ts';

/** What is taken out of a bundle, by whom and why. */
export interface RedactBundleOptions {
  /** The new bundle, where nothing may be yet. */
  out: string;
  /** Patterns of what is taken out (docs/bundle.md). */
  drop: readonly string[];
  reason: string;
  actor?: string | undefined;
  /** An Ed25519 key. */
  key: KeyInput;
  /** The file of the case secret, made where there is none: with it, what was withheld can be shown later. */
  secret: string;
}

/** A redaction that was written. */
export interface RedactedBundle {
  path: string;
  /** Its identity, and that of the bundle it was made of. */
  root: Digest;
  of: Digest;
  withheld: number;
  names: string[];
}

/** The case secret; a new one is only for its owner to read. */
async function secretAt(path: string, tell: (text: string) => void): Promise<Buffer> {
  if (!existsSync(path)) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
      await file.sync();
      await file.close();
    } catch (error) {
      // An empty file would be taken for a secret that is none.
      if (errnoOf(error) !== 'EEXIST') rmSync(path, { force: true });
      throw asFault('out_failed', `cannot write the case secret ${path}`, error);
    }
    tell(`${path}: a new case secret; keep it, nothing can be shown without it`);
  }
  const [, hex] = /^([0-9a-f]{64})\s*$/.exec((await readNamed(path, 4096)).toString('latin1')) ?? [];
  if (!hex) throw new Fault('usage', `${path} is no case secret: 64 lower-case hex digits`);
  return Buffer.from(hex, 'hex');
}

/** Takes what the patterns name out of a bundle: a new one, signed, that names the one it was made of. */
export async function redactBundle(
  session: Session,
  path: string,
  { out, drop, reason, actor = '', key: given, secret: secretPath }: RedactBundleOptions,
): Promise<RedactedBundle> {
  const key = await eventKey(given);
  if (drop.length === 0) throw new Fault('usage', 'name what to take out: --drop PATTERN');
  wantFree(out);
  const [problem] = (await verifyBundle(path)).problems;
  if (problem) throw new Refused(problem.code, `${path}: ${problem.message}`);
  const secret = await secretAt(secretPath, (text) => session.tell({ type: 'notice', text }));
  // What is to be withheld is unpacked here for a while: it must not stay behind.
  const folder = temporaryFolder('redact');
  try {
    const store = new BlobStore(join(folder, 'store'));
    const opened = await extractBundle(path, store);
    session.signal.throwIfAborted();
    const made = redact(opened, store, [...drop], secret);
    const time = new Date(systemClock.now()).toISOString();
    const root = await createBundle(out, made.collected, {
      state: opened.document.state,
      sign: { key, claim: { action: 'redacted', actor, reason, time } },
      redaction: made,
    });
    const [wrong] = (await verifyBundle(out)).problems;
    if (wrong) {
      rmSync(out);
      throw new Error(`the redaction would be refused (${wrong.code}: ${wrong.message}); it was removed`);
    }
    return { path: out, root, of: opened.root, withheld: made.withheld.length, names: made.names };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
