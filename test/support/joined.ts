/** A store with what joins need, made without compilers: symbols that name whatever a test says, and real evidence. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Digest, digestOf } from '../../src/base/digest.ts';
import type { Trust } from '../../src/evidence/trust/trust.ts';
import type { SourceFile } from '../../src/evidence/verify/verify.ts';
import { addArtifact, type Shipped } from '../../src/join/store/artifacts.ts';
import { type About, verifyAbout } from '../../src/join/store/evidence.ts';
import type { Symbolizer } from '../../src/join/store/resolve.ts';
import type { TraceStore } from '../../src/join/store/store.ts';
import { addBundle } from '../../src/join/store/symbol-files.ts';
import { type Image, imageOf, type ObjectFile } from '../../src/objects/common/identity.ts';
import { envelope, type TestKey } from './keys.ts';
import { provenance } from './shipped.ts';
import { tempFolder } from './world.ts';

export const NOW_MS: number = Date.parse('2026-11-21T12:00:00Z');

/** Names each address after itself, inlined where it is even; those from 0xf000 on have no name, and 0xe000 kills it. */
export const namer: Symbolizer = {
  engine: async () => 'test 1',
  symbolize: async (_file, addresses) =>
    addresses.map((address) => {
      if (address === 0xe000n)
        return { places: [], degraded: false, error: 'engine_crash', approximate: null };
      if (address >= 0xf000n) return { places: [], degraded: false, error: null, approximate: null };
      const place = {
        function: `f_${address.toString(16)}`,
        file: '/src/a.c',
        line: Number(address),
        column: 1,
      };
      return {
        places: [place, { ...place, function: 'outer' }],
        degraded: false,
        error: null,
        approximate: null,
      };
    }),
};

export interface Signing {
  trust: Trust;
  key: TestKey;
}

/** A signed statement about a digest, and what verifying it under the trust comes to. */
export async function proofOf(
  subject: Digest,
  about: About,
  { trust, key }: Signing,
  claims: Digest = subject,
): Promise<{ subject: Digest; files: SourceFile[]; record: Awaited<ReturnType<typeof verifyAbout>> }> {
  const bytes = Buffer.from(JSON.stringify(envelope([key], provenance(claims))));
  const files = [{ name: 'evidence.json', bytes }];
  return { subject, files, record: await verifyAbout(subject, about, files, trust, NOW_MS) };
}

/** Adds a symbol file, whose bytes are its name where none are given, for an image with this id; returns its digest. */
export async function addSymbols(
  store: TraceStore,
  signing: Signing,
  name: string,
  image: Partial<Image> & { id: string },
  format: ObjectFile['format'] = 'macho',
  content = `${name} ${image.id}`,
): Promise<Digest> {
  const path = join(tempFolder(), name);
  writeFileSync(path, content);
  const { sha256 } = await store.blobs.putFile(path);
  const whole = imageOf(image.arch ?? 'x86_64', { features: ['debug_info'], ...image });
  await addBundle(store, {
    ...{ name, file: sha256, format, build: { compiler: 'cc 1', from: 'DW_AT_producer' } },
    slices: [{ sha256, image: whole }],
    proof: await proofOf(sha256, 'symbols', signing),
  });
  return sha256;
}

/** Adds a shipped file of this content, with this image; signed where `signing` is given. */
export async function addShipped(
  store: TraceStore,
  content: string,
  image: Partial<Image> & { id: string },
  signing: Signing | null,
  claims?: Digest,
): Promise<Digest> {
  const sha256 = digestOf(content);
  const shipped: Shipped = {
    ...{ sha256, kind: 'file', name: content, sizeBytes: content.length, build: {}, contents: [] },
    images: [imageOf('x86_64', image)],
  };
  await addArtifact(store, shipped, signing ? [await proofOf(sha256, 'artifact', signing, claims)] : []);
  return sha256;
}
