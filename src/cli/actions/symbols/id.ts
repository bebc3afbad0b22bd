/** reenact symbols id: what names a build, as the linker wrote it into programs and their symbol files. */
import { EXIT, Fault } from '../../../base/fault.ts';
import { digestOfFile } from '../../../base/files.ts';
import type { Image, ObjectFile } from '../../../objects/common/identity.ts';
import { type Producers, producersOf } from '../../../objects/dwarf/producer.ts';
import { type GoBuild, goBuildInfo } from '../../../objects/go/build-id.ts';
import { readObject } from '../../../objects/object.ts';
import { packageNote } from '../../../objects/package-note.ts';
import { type Quality, qualityOf } from '../../../objects/quality.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';

function row(label: string, text: string | null): string {
  return text === null ? '' : `  ${label.padEnd(11)}${safeLine(text)}\n`;
}

const NO_ID = {
  program: 'none: the linker wrote none (gcc: -Wl,--build-id=sha1)',
  script: 'none: the bundler wrote no debugId into the map',
};

function packageText(text: string | null): string | null {
  const note = text === null ? null : packageNote(text);
  if (!note) return text;
  return [note.name, note.version, note.architecture, note.type, note.os, note.os_version]
    .filter(Boolean)
    .join(' ');
}

function imageText(image: Ranked): string {
  const { compressed, features, split, quality } = image;
  const has = [...features, ...(split ? ['the rest of it in .dwo files'] : [])];
  return (
    row('arch', image.arch) +
    row('id', image.id ?? NO_ID[image.arch === 'javascript' ? 'script' : 'program']) +
    row(
      'weak',
      image.weak_id ? 'perhaps a hash of the first page of code, which others can have too' : null,
    ) +
    row('debug id', image.debug_id) +
    row('belongs to', image.pdb) +
    row('has', has.join(', ').replaceAll('_', ' ') || 'nothing that gives an address a name') +
    row('compressed', compressed.length > 0 ? compressed.join(', ') : null) +
    row('debug link', image.debug_link) +
    row('shared by', image.alt_id) +
    row('package', packageText(image.package)) +
    row('quality', [quality.level, ...quality.gaps].join(', ').replaceAll('_', ' '))
  );
}

/** As many as a person reads; --json has them all. */
const SHOWN = 4;

function builtText({ producers, unread, go }: Built): string {
  const rest = producers.length - SHOWN;
  const commit = go?.settings['vcs.revision'];
  return (
    producers
      .slice(0, SHOWN)
      .map(
        ({ compiler, language, units, flags }) =>
          row(
            'compiler',
            `${compiler}, ${language ?? 'language not said'}, ${units} ${units === 1 ? 'unit' : 'units'}`,
          ) + row('flags', flags),
      )
      .join('') +
    row('compiler', rest > 0 ? `and ${rest} more, with --json` : null) +
    unread.map((why) => row('not read', why)).join('') +
    row(
      'go',
      go && [go.version, go.module?.path ?? go.path, commit && `commit ${commit}`].filter(Boolean).join(', '),
    )
  );
}

type Ranked = Image & { quality: Quality };
type Built = Producers & { go: GoBuild | null };
type Found = { path: string } & (
  | ({ sha256: string; format: ObjectFile['format']; images: Ranked[] } & Built)
  | { code: string; message: string }
);

/** What made it, as it says; debug information that is damaged does not hide what names the file. */
async function builtOf(path: string): Promise<Built> {
  const nothing = { producers: [], splitUnits: 0, unread: [], go: null };
  try {
    return { ...(await producersOf(path)), go: goBuildInfo(path) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...nothing, unread: [error.message] };
  }
}

async function look(path: string): Promise<Found> {
  try {
    const { format, images } = readObject(path);
    const isRead = format === 'elf' || format === 'macho';
    const built = isRead ? await builtOf(path) : { producers: [], splitUnits: 0, unread: [], go: null };
    // Sections only hint at it, units say it.
    const isSure = format === 'elf' && built.unread.length === 0;
    const ranked = images.map((image) => {
      const known = isSure ? { ...image, split: built.splitUnits > 0 } : image;
      return { ...known, quality: qualityOf(format, known) };
    });
    return { path, sha256: await digestOfFile(path), format, images: ranked, ...built };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { path, code: error.code, message: `${error.message}; ${error.next}` };
  }
}

export async function identify(a: Arguments): Promise<number> {
  if (a.positionals.length === 0) throw new Fault('usage', 'name at least one file');
  const all: Found[] = [];
  for (const path of a.positionals) all.push(await look(path));
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else
    for (const found of all)
      process.stdout.write(
        'code' in found
          ? `${safeLine(found.path)}\n${row('refused', found.message)}`
          : `${safeLine(found.path)}: ${found.format}\n${found.images.map(imageText).join('')}${builtText(found)}${row('file', found.sha256)}`,
      );
  return all.some((found) => 'code' in found) ? EXIT.rejected : EXIT.ok;
}
