/** reenact bundle redact: a new bundle without chosen contents, signed, which names the one it was made of. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { asFault, EXIT, Fault } from '../../../base/fault.ts';
import { temporaryFolder } from '../../../base/temporary.ts';
import { extractBundle } from '../../../bundle/extract/extract.ts';
import { Refused } from '../../../bundle/format/refused.ts';
import { type Redaction, redactBundle } from '../../../bundle/redact/redact.ts';
import { verifyBundle } from '../../../bundle/verify/verify.ts';
import { createBundle } from '../../../bundle/write/create.ts';
import { readNamed } from '../../../library/read-named.ts';
import { eventKey } from '../../../library/signing-key.ts';
import { safeLine } from '../../../report/human.ts';
import { BlobStore } from '../../../store/blobs.ts';
import type { Arguments } from '../../arguments.ts';
import { onePositional } from '../../shared/positionals.ts';
import { abortOnSignals } from '../../shared/signals.ts';

/** The case secret; a new one is only for its owner to read. */
async function secretAt(path: string): Promise<Buffer> {
  if (!existsSync(path)) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
      await file.sync();
      await file.close();
    } catch (error) {
      // An empty file would be taken for a secret that is none.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(path, { force: true });
      throw asFault('out_failed', `cannot write the case secret ${path}`, error);
    }
    process.stderr.write(`${path}: a new case secret; keep it, nothing can be shown without it\n`);
  }
  const [, hex] = /^([0-9a-f]{64})\s*$/.exec((await readNamed(path, 4096)).toString('latin1')) ?? [];
  if (!hex) throw new Fault('usage', `${path} is no case secret: 64 lower-case hex digits`);
  return Buffer.from(hex, 'hex');
}

function required(a: Arguments, name: string): string {
  const text = a.text(name);
  if (text === undefined || text === '') throw new Fault('usage', `name --${name}`);
  return text;
}

export async function redactCommand(a: Arguments): Promise<number> {
  const path = onePositional(a, 'bundle');
  const target = required(a, 'out');
  const reason = required(a, 'reason');
  const key = await eventKey(required(a, 'key'));
  const patterns = a.list('drop');
  if (patterns.length === 0) throw new Fault('usage', 'name what to take out: --drop PATTERN');
  if (existsSync(target)) throw new Fault('out_failed', `${target} is there already; nothing was written`);
  const checked = await verifyBundle(path);
  const [problem] = checked.problems;
  if (problem) throw new Refused(problem.code, `${path}: ${problem.message}`);
  const secret = await secretAt(required(a, 'secret'));
  // What is to be withheld is unpacked here for a while: it must not stay behind.
  const folder = temporaryFolder('redact');
  const { signal, release } = abortOnSignals();
  let made: Redaction;
  try {
    const store = new BlobStore(join(folder, 'store'));
    const opened = await extractBundle(path, store);
    signal.throwIfAborted();
    made = redactBundle(opened, store, patterns, secret);
    const time = new Date(systemClock.now()).toISOString();
    const claim = { action: 'redacted' as const, actor: a.text('actor') ?? '', reason, time };
    const root = await createBundle(target, made.collected, {
      state: opened.document.state,
      sign: { key, claim },
      redaction: made,
    });
    const [wrong] = (await verifyBundle(target)).problems;
    if (wrong) {
      rmSync(target);
      throw new Error(`the redaction would be refused (${wrong.code}: ${wrong.message}); it was removed`);
    }
    process.stdout.write(
      `${target}: ${made.withheld.length} things withheld\n${made.names.map((name) => `  ${safeLine(name)}\n`).join('')}  identity ${root}\n  of       ${opened.root}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    release();
  }
  return EXIT.ok;
}
