/** Index and manifests that were made to mislead: refused before any content is looked at. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../../../src/base/digest.ts';
import { attachTimestamp } from '../../../src/bundle/custody/attached.ts';
import {
  ATTACHED,
  blobName,
  type Descriptor,
  layoutIndex,
  manifestDescriptor,
  OCI_LAYOUT,
  ROLES,
  rootManifest,
} from '../../../src/bundle/format/format.ts';
import { TAR_END } from '../../../src/bundle/format/tar.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { member } from '../../support/members.ts';
import { tempFolder } from '../../support/world.ts';

const document: Descriptor = { mediaType: ROLES.case, digest: digestOf('case'), size: 4 };
const root = rootManifest([document]);
const attached = attachTimestamp(root, Buffer.from('reply'));

type File = [string, string];
const blob = (text: string): File => [blobName(digestOf(text)), text];

async function codesOf(files: File[]): Promise<string[]> {
  const path = join(tempFolder(), 'x.tar');
  const members = files.map(([name, text]) => member(name, text));
  writeFileSync(path, Buffer.concat([...members, TAR_END]));
  return (await verifyBundle(path)).problems.map(({ code }) => code);
}

/** Layout, index and manifests; `change` works on the index. */
function front(
  change: (index: { manifests: Record<string, unknown>[] }) => void,
  ...manifests: string[]
): File[] {
  const index = JSON.parse(layoutIndex(root, [])) as { manifests: Record<string, unknown>[] };
  change(index);
  return [
    ['oci-layout', OCI_LAYOUT],
    ['index.json', canonicalJson(index)],
    ...[root, ...manifests].map(blob),
  ];
}

/** A timestamp's manifest with another subject, and the index that names it. */
function withSubject(subject: Descriptor): File[] {
  const text = canonicalJson({ ...(JSON.parse(attached.manifest) as object), subject });
  return front(
    (index) => index.manifests.push({ ...manifestDescriptor(text), artifactType: ATTACHED.timestamp }),
    text,
  );
}

const other = manifestDescriptor(rootManifest([document, document]));

it.each<[string, string, () => File[]]>([
  [
    'manifest_form',
    'a digest of another algorithm',
    () => front((i) => (i.manifests[0]!.digest = `sha512:${'0'.repeat(128)}`)),
  ],
  [
    'manifest_form',
    'an artifact type that is unknown',
    () => front((i) => (i.manifests[0]!.artifactType = 'x/y')),
  ],
  [
    'manifest_form',
    'an attachment of nothing',
    () => withSubject({ ...manifestDescriptor(root), digest: `sha256:${'0'.repeat(64)}` as Digest }),
  ],
  [
    'manifest_form',
    'a subject’s size that lies',
    () => withSubject({ ...manifestDescriptor(root), size: 1 }),
  ],
  ['manifest_form', 'an attachment of another bundle', () => withSubject(other)],
  [
    'manifest_form',
    'an attachment of an attachment',
    () => withSubject(manifestDescriptor(attached.manifest)),
  ],
  ['manifest_form', 'two roots', () => front((i) => i.manifests.push({ ...i.manifests[0]!, ...other }))],
  [
    'manifest_form',
    'more attachments than may be',
    () =>
      front((i) =>
        i.manifests.push(
          ...Array.from({ length: 300 }, (_, n) => ({
            ...manifestDescriptor(`${n}`),
            artifactType: ATTACHED.event,
          })),
        ),
      ),
  ],
  ['blob_digest', 'a size of the root that lies', () => front((i) => (i.manifests[0]!.size = 1))],
  [
    'manifest_form',
    'an index over 4 MiB',
    () => [
      ['oci-layout', OCI_LAYOUT],
      ['index.json', ' '.repeat((4 << 20) + 1)],
    ],
  ],
  ['manifest_form', 'another layout', () => [['oci-layout', '{"imageLayoutVersion":"9"}']]],
  [
    'manifest_form',
    'an index that is no JSON',
    () => [
      ['oci-layout', OCI_LAYOUT],
      ['index.json', '{'],
    ],
  ],
  ['member_missing', 'nothing after the index', () => front(() => undefined).slice(0, 2)],
  [
    'member_unexpected',
    'the same attachment twice',
    () => {
      const entry = { ...manifestDescriptor(attached.manifest), artifactType: ATTACHED.timestamp };
      return front((i) => i.manifests.push(entry, entry), attached.manifest, attached.manifest);
    },
  ],
])('%s: %s', async (code, _name, files) => {
  expect(await codesOf(files())).toEqual([code]);
});

it('manifest_form: a manifest over 4 MiB', async () => {
  const large = `${root}${' '.repeat(4 << 20)}`;
  const index = layoutIndex(large, []);
  expect(await codesOf([['oci-layout', OCI_LAYOUT], ['index.json', index], blob(large)])).toEqual([
    'manifest_form',
  ]);
});
