/** Bundles whose maker lies and tells their identity: each lie is noticed by a command of VERIFY.txt, and each command notices one. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { type Digest, digestOf, hexOf } from '../../../src/base/digest.ts';
import { blobName, ROLES } from '../../../src/bundle/format/format.ts';
import { type Inside, rebuild, replace } from '../../support/attacker.ts';
import { copyOf, edit, flipped, honestFolder, packOf, recordOf } from '../../support/honest.ts';
import { commandsOf, failedCommands } from '../../support/verify-text.ts';

let honest: string;

beforeAll(async () => {
  honest = await honestFolder();
});

/** The layer of a role. */
function layerOf({ layers }: Inside, type: string): Digest {
  return layers.find(({ mediaType }) => mediaType === type)!.digest;
}

/** Lies of those who make a bundle and tell its identity themselves, each with a piece of the command that notices. */
const MADE: [string, string, (inside: Inside) => void][] = [
  ['a first layer that is no table', 'case.v1+json', ({ layers }) => layers.push(layers.shift()!)],
  ['a member under another name', '"$d/inside"', (i) => packOf(i, [[hexOf(digestOf('x')), 'y']])],
  ['a member twice', 'uniq -d', (i) => packOf(i, [[hexOf(digestOf('input')), 'input']])],
  ['a member of a strange name', 'tr -d', (i) => packOf(i, [['../x', 'x']])],
  ['a content in no list', '"$d/found"', (i) => packOf(i, [[hexOf(digestOf('x')), 'x']])],
  [
    'a content of another size',
    '"$d/found"',
    ({ document }) => document.items.find(({ role }) => role === 'input')!.size++,
  ],
  [
    'an archive that is none',
    '"$d/packs"',
    (i) => {
      const bytes = Buffer.alloc(512, 'x');
      i.blobs.set(digestOf(bytes), bytes);
      i.layers.push({ mediaType: ROLES.pack, digest: digestOf(bytes), size: bytes.length });
    },
  ],
  ['a report of another digest', 'data/report.html', (i) => replace(i, layerOf(i, ROLES.report), 'well')],
  [
    'a record that is listed as something else',
    '.record_sha256 as $r',
    ({ document }) => {
      document.items.find(({ role }) => role === 'record')!.role = 'input';
    },
  ],
  ['a policy that is in no list', '["policy"', ({ record }) => (record.policy.sha256 = digestOf('p'))],
  [
    'another manifest than evidence names',
    'manifest_subject_sha256',
    (i) => {
      const old = i.record.manifest_sha256!;
      const manifest = JSON.parse(String(i.blobs.get(old))) as { seed: number };
      manifest.seed++;
      i.record.manifest_sha256 = replace(i, old, canonicalJson(manifest));
    },
  ],
  [
    'another image than the manifest’s',
    '$m.sandbox_image_sha256',
    ({ record }) => {
      record.sandbox_image_sha256 = digestOf('i');
    },
  ],
  ['another ratio', '.replay_success_ratio', ({ record }) => (record.replay_success_ratio = 0.5)],
  ['another evidence record', '$e[0]', ({ record }) => (record.evidence.record!.message = 'fine')],
  [
    'a signature of another key',
    '$d/signers',
    (i) => {
      const [old] = i.record.evidence.files;
      const envelope = JSON.parse(String(i.blobs.get(old!))) as { signatures: { sig: string }[] };
      envelope.signatures[0]!.sig = Buffer.alloc(64).toString('base64');
      i.record.evidence.files = [replace(i, old!, JSON.stringify(envelope))];
    },
  ],
  [
    'a statement about something else',
    '$d/subjects',
    ({ record }) => {
      record.evidence.record!.envelopes[0]!.subjects[0]!.expected = '0'.repeat(64);
    },
  ],
  [
    'evidence of another manifest',
    '(.manifest_subject_sha256',
    ({ record }) => {
      record.evidence.record!.envelopes[0]!.subjects[0]!.expected = '0'.repeat(64);
    },
  ],
  [
    'another place in the chain',
    '.evidence.custody |',
    ({ record }) => (record.evidence.custody!.sha256 = digestOf('x')),
  ],
  [
    'an entry about other evidence',
    '$e[0].evidence_record_sha256',
    (i) => {
      const entry = i.document.items.find(({ role }) => role === 'custody')!;
      const text = Buffer.from('{"sequence":1,"previous":null}');
      packOf(i, [[hexOf(digestOf(text)), text]]);
      Object.assign(entry, { sha256: digestOf(text), size: text.length });
      i.record.evidence.custody!.sha256 = digestOf(text);
    },
  ],
  [
    'an entry that does not follow',
    '"entry $n"',
    (i) => {
      const entry = i.document.items.find(({ role }) => role === 'custody')!;
      const text = Buffer.from('{"sequence":2,"previous":null}');
      packOf(i, [[hexOf(digestOf(text)), text]]);
      Object.assign(entry, { sha256: digestOf(text), size: text.length });
    },
  ],
];

/** What is wrong beside the contents: files, lists, and what is attached. */
const ATTACHED: [string, string, (folder: string) => void][] = [
  [
    'a blob that nothing names',
    'ls -A blobs/sha256',
    (f) => writeFileSync(join(f, blobName(digestOf('x'))), 'x'),
  ],
  ['a blob less', 'stat -c', (f) => rmSync(join(f, recordOf(f).name))],
  ['a file more below data', 'ls -A blobs data', (f) => writeFileSync(join(f, 'data/READ.html'), '')],
  ['an index in another form', 'jq -jcS', (f) => edit(f, 'index.json', (bytes) => `${bytes} `)],
  [
    'an index with more in it',
    'schemaVersion',
    (f) => edit(f, 'index.json', (bytes) => String(bytes).replace('{', '{"a":1,')),
  ],
  [
    'another bagit.txt',
    'bagit.txt oci-layout',
    (f) => edit(f, 'bagit.txt', (bytes) => String(bytes).replace('1.0', '1.1')),
  ],
  [
    'events in another order',
    'fail "event $n"',
    (f) =>
      edit(f, 'index.json', (bytes) => {
        const { manifests } = JSON.parse(String(bytes)) as { manifests: unknown[] };
        const [root, first, second, ...stamps] = manifests;
        return canonicalJson({ ...JSON.parse(String(bytes)), manifests: [root, second, first, ...stamps] });
      }),
  ],
  [
    'an event of another bundle',
    '$index[0].manifests',
    (f) =>
      edit(f, 'index.json', (bytes) => {
        const index = JSON.parse(String(bytes)) as { manifests: { digest: Digest; size: number }[] };
        const old = index.manifests[1]!;
        const manifest = JSON.parse(readFileSync(join(f, blobName(old.digest)), 'utf8'));
        manifest.subject = { ...manifest.subject, digest: digestOf('other') };
        const text = canonicalJson(manifest);
        rmSync(join(f, blobName(old.digest)));
        writeFileSync(join(f, blobName(digestOf(text))), text);
        Object.assign(old, { digest: digestOf(text), size: text.length });
        return canonicalJson(index);
      }),
  ],
  ['a file that was damaged', '-c manifest-sha256.txt', (f) => edit(f, 'data/report.html', flipped(9))],
  ['a tag file that was damaged', '-c tagmanifest-sha256.txt', (f) => edit(f, 'oci-layout', flipped(9))],
  [
    'another root under its name',
    'root=',
    (f) => {
      const { manifests } = JSON.parse(readFileSync(join(f, 'index.json'), 'utf8'));
      edit(f, blobName(manifests[0].digest), flipped(9));
    },
  ],
  ['another bag-info.txt', '< bag-info.txt', (f) => edit(f, 'bag-info.txt', (bytes) => `${bytes}A: b\n`)],
  [
    'a list in another form',
    '< manifest-sha256.txt',
    (f) => edit(f, 'manifest-sha256.txt', (bytes) => String(bytes).replaceAll('  ', ' *')),
  ],
  [
    'a list of tag files in another form',
    '< tagmanifest-sha256.txt',
    (f) => edit(f, 'tagmanifest-sha256.txt', (bytes) => String(bytes).replaceAll('  ', ' *')),
  ],
  ['a blob that is damaged', '> "$d/sums"', (f) => edit(f, recordOf(f).name, flipped(40))],
  [
    'a timestamp that is none',
    'fail "timestamp',
    (f) => attachInstead(f, 'application/vnd.reenact.timestamp.v1', [Buffer.from('x')]),
  ],
  [
    'another custody.txt',
    'data/custody.txt',
    (f) => edit(f, 'data/custody.txt', (bytes) => `${bytes}2 received by "B"\n`),
  ],
];

/** Puts these in the place of what is attached first with this type. */
function attachInstead(folder: string, type: string, contents: Buffer[]): void {
  edit(folder, 'index.json', (bytes) => {
    const index = JSON.parse(String(bytes)) as {
      manifests: { artifactType: string; digest: Digest; size: number }[];
    };
    const entry = index.manifests.find(({ artifactType }) => artifactType === type)!;
    const manifest = JSON.parse(readFileSync(join(folder, blobName(entry.digest)), 'utf8')) as Manifest;
    for (const [i, content] of contents.entries()) {
      Object.assign(manifest.layers[i]!, { digest: digestOf(content), size: content.length });
      writeFileSync(join(folder, blobName(digestOf(content))), content);
    }
    const text = canonicalJson(manifest);
    writeFileSync(join(folder, blobName(digestOf(text))), text);
    Object.assign(entry, { digest: digestOf(text), size: text.length });
    return canonicalJson(index);
  });
}

interface Manifest {
  layers: { digest: Digest; size: number }[];
}

/** Commands that only prepare what a later one checks. */
const PREPARES =
  /^(?:step=\d+; )?(?:trap .* EXIT; )?(LC_ALL|id=|fail\(|at\(|pae\(|check\(|key\(|signed\(|stamp\(|show=|manifest=|rm -rf|printf|cat|jq -a |jq -r|jq -s|r=|\{ jq|for |while read -r p; do tar -tf|trace=)/;

describe('a lie of a maker, who tells the identity, is noticed by its own command:', () => {
  const noticed = new Set<string>();
  const held = (piece: string, folder: string): void => {
    const failed = failedCommands(folder, 'bash');
    const by = failed.filter((command) => command.includes(piece));
    expect(by).not.toEqual([]);
    for (const command of by) noticed.add(command);
  };

  it.each(MADE)('%s', (_, piece, lie) => {
    const folder = copyOf(honest);
    rebuild(folder, lie, true);
    held(piece, folder);
  });

  it.each(ATTACHED)('%s', (_, piece, change) => {
    const folder = copyOf(honest);
    change(folder);
    held(piece, folder);
  });

  it('and there is no command that notices none', () => {
    // Those of a trace have a test beside the bundles of traces.
    const checks = commandsOf(honest).filter((one) => !PREPARES.test(one) && !one.includes('$join'));
    expect(checks.filter((command) => !noticed.has(command))).toEqual([]);
  });
});
