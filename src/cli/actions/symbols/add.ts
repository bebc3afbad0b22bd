/** reenact symbols add: symbol files into the store, each with an accepted attestation of exactly its bytes. */
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { asFault, EXIT, Fault } from '../../../base/fault.ts';
import { digestOfFile } from '../../../base/files.ts';
import { nextOf } from '../../../evidence/documents/record.ts';
import type { Trust } from '../../../evidence/trust/trust.ts';
import { buildOfFile } from '../../../join/build-of-file.ts';
import { type AddedBundle, addBundle } from '../../../join/store/bundles.ts';
import { type EvidencePile, pileOf, verifySifted } from '../../../join/store/evidence.ts';
import { resolveImages, type Symbolizer } from '../../../join/store/resolve.ts';
import type { TraceStore } from '../../../join/store/store.ts';
import { symbolizer } from '../../../library/symbolizer.ts';
import { contradiction, type SymbolFile, symbolFilesIn } from '../../../objects/layouts.ts';
import { readObject } from '../../../objects/object.ts';
import { slicesOf } from '../../../objects/slices.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { evidenceFiles, trustOf } from '../../shared/evidence-files.ts';
import { withStore } from '../../shared/store.ts';

type Outcome = { path: string } & (
  | { added: (Omit<AddedBundle, 'images'> & { resolved: number })[] }
  | { code: string; message: string; next: string }
);

interface Desk {
  store: TraceStore;
  engine: Symbolizer;
  trust: Trust;
  pile: EvidencePile;
}

async function* filesOf(paths: string[]): AsyncGenerator<SymbolFile> {
  for (const path of paths) {
    const info = await stat(path).catch((error: unknown) => {
      throw asFault('usage', `${path} cannot be read`, error);
    });
    if (info.isDirectory()) yield* symbolFilesIn(path);
    else yield { path, says: null, layout: 'plain' };
  }
}

/** The bytes that were attested are the ones that are kept and read: a file that changes in between is refused. */
async function take(desk: Desk, { path: named, says }: SymbolFile): Promise<Outcome> {
  const { store, trust, pile, engine } = desk;
  // A link is followed once, so that what is hashed, read and kept is one file.
  const path = await realpath(named);
  const sha256 = await digestOfFile(path);
  const lie = contradiction(says, readObject(path).images);
  if (lie !== null) throw new Fault('object_malformed', `${path}: ${lie}`);
  const about = pile.about(sha256);
  const { record, files: evidence } = await verifySifted(sha256, 'symbols', about, trust, systemClock.now());
  if (record.verdict !== 'verified') {
    const code = record.code!;
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

function outcomeText(outcome: Outcome): string {
  if ('code' in outcome)
    return `${safeLine(outcome.path)}\n  refused    ${outcome.code}: ${safeLine(outcome.message)}\n  next: ${outcome.next}\n`;
  return outcome.added
    .map(({ sha256, id, arch, level, lacks, functions, added, resolved }) => {
      const head = `${safeLine(outcome.path)}: ${added ? 'added' : 'known already'}\n`;
      const quality = `${level}${lacks.length > 0 ? ` (${lacks.join(', ')})` : ''}, ${functions} functions`;
      return `${head}  id         ${id}, ${arch}\n  symbols    ${sha256}\n  quality    ${quality}\n  resolved   ${resolved} places of earlier traces\n`;
    })
    .join('');
}

export async function symbolsAdd(a: Arguments): Promise<number> {
  if (a.positionals.length === 0) throw new Fault('usage', 'name at least one symbol file or folder');
  if (a.list('evidence').length === 0)
    throw new Fault('usage', 'name the attestation of these symbols: --evidence E');
  const trust = await trustOf(a);
  const pile = pileOf(await evidenceFiles(a.list('evidence')));
  const engine = symbolizer();
  return await withStore(a, async (store) => {
    let [seen, refused] = [0, 0];
    for await (const file of filesOf(a.positionals)) {
      seen++;
      const outcome = await take({ store, engine, trust, pile }, file).catch((error: unknown): Outcome => {
        // What one file is must not keep the others out.
        if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
        return { path: file.path, code: error.code, message: error.message, next: error.next };
      });
      if ('code' in outcome) refused++;
      process.stdout.write(a.flag('json') ? `${JSON.stringify(outcome)}\n` : outcomeText(outcome));
    }
    if (seen === 0) throw new Fault('usage', 'no symbol file was found in what was named');
    return refused === 0 ? EXIT.ok : EXIT.rejected;
  });
}
