/** Symbol files into the store, each with an accepted attestation of exactly its bytes. */

import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { asFault, Fault } from '../base/fault.ts';
import { digestOfFile } from '../base/files.ts';
import { present } from '../base/list.ts';
import { nextOf } from '../evidence/documents/record.ts';
import type { Trust } from '../evidence/trust/trust.ts';
import { buildOfFile } from '../join/build-of-file.ts';
import { type EvidencePile, pileOf, verifySifted } from '../join/store/evidence.ts';
import { resolveImages, type Symbolizer } from '../join/store/resolve.ts';
import type { TraceStore } from '../join/store/store.ts';
import { addBundle } from '../join/store/symbol-files.ts';
import { contradiction, type SymbolFile, symbolFilesIn } from '../objects/layouts.ts';
import { readObject } from '../objects/object.ts';
import { slicesOf } from '../objects/slices.ts';
import type { SymbolsOutcome } from './events.ts';
import { evidenceFiles } from './evidence-files.ts';
import type { PolicyInput, Session } from './session.ts';
import { signersTrust } from './signers.ts';
import { withStore } from './store.ts';
import { symbolizer } from './symbolizer.ts';

/** The attestations of symbol files, and whose word counts. */
export interface AddSymbolsOptions {
  /** Files of evidence, or folders of them. */
  evidence: readonly string[];
  /** It must name who may sign. Default: the one that the library was opened with. */
  policy?: PolicyInput | undefined;
}

interface Desk {
  store: TraceStore;
  engine: Symbolizer;
  trust: Trust;
  pile: EvidencePile;
}

async function* filesOf(paths: readonly string[]): AsyncGenerator<SymbolFile> {
  for (const path of paths) {
    const info = await stat(path).catch((error: unknown) => {
      throw asFault('usage', `${path} cannot be read`, error);
    });
    if (info.isDirectory()) yield* symbolFilesIn(path);
    else yield { path, says: null, layout: 'plain' };
  }
}

/** The bytes that were attested are the ones that are kept and read: a file that changes in between is refused. */
async function take(verifier: Desk, { path: named, says }: SymbolFile): Promise<SymbolsOutcome> {
  const { store, trust, pile, engine } = verifier;
  // A link is followed once, so that what is hashed, read and kept is one file.
  const path = await realpath(named);
  const sha256 = await digestOfFile(path);
  const lie = contradiction(says, readObject(path).images);
  if (lie !== null) throw new Fault('object_malformed', `${path}: ${lie}`);
  const about = pile.about(sha256);
  const { record, files: evidence } = await verifySifted(sha256, 'symbols', about, trust, systemClock.now());
  if (record.verdict !== 'verified') {
    const code = present(record.code);
    return {
      path: named,
      code,
      message: `${path} (${sha256}): ${record.message}`,
      next: nextOf(record),
    };
  }
  if ((await store.blobs.putFile(path)).sha256 !== sha256)
    throw new Fault('object_malformed', `${path} changed while it was read`);
  const kept = store.blobs.path(sha256);
  const { format } = readObject(kept);
  const added = await addBundle(store, {
    name: basename(named),
    file: sha256,
    format,
    slices: await slicesOf(kept, sha256, store.blobs),
    build: await buildOfFile(kept),
    proof: { subject: sha256, record, files: evidence },
  });
  const all = [];
  for (const one of added) {
    const { images, ...rest } = one;
    all.push({ ...rest, resolved: await resolveImages(store, engine, images) });
  }
  return { path: named, added: all };
}

/** Adds symbol files, and those of folders of any layout; `tell` hears of each as soon as it is kept or refused. */
export async function addSymbols(
  session: Session,
  paths: string | readonly string[],
  o: AddSymbolsOptions,
): Promise<SymbolsOutcome[]> {
  const named = typeof paths === 'string' ? [paths] : paths;
  if (named.length === 0) throw new Fault('usage', 'name at least one symbol file or folder');
  if (o.evidence.length === 0)
    throw new Fault('usage', 'name the attestation of these symbols: --evidence E');
  const trust = await signersTrust(session, o.policy);
  const pile = pileOf(await evidenceFiles(o.evidence));
  const engine = symbolizer();
  return await withStore(session, async (store) => {
    const all: SymbolsOutcome[] = [];
    for await (const file of filesOf(named)) {
      const outcome = await take({ store, engine, trust, pile }, file).catch(
        (error: unknown): SymbolsOutcome => {
          // What one file is must not keep the others out.
          if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
          return { path: file.path, code: error.code, message: error.message, next: error.next };
        },
      );
      all.push(outcome);
      session.tell({ type: 'symbols', outcome });
    }
    if (all.length === 0) throw new Fault('usage', 'no symbol file was found in what was named');
    return all;
  });
}
