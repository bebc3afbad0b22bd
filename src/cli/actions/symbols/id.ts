/** reenact symbols id: what names a build, as the linker wrote it into programs and their symbol files. */
import { EXIT } from '../../../base/fault.ts';
import type { Built, IdentifiedImage } from '../../../library/symbols-identify.ts';
import { packageNote } from '../../../objects/package-note.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';

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

function imageText(image: IdentifiedImage): string {
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

export async function identify(a: Arguments): Promise<number> {
  const all = await withReenact({}, (reenact) => reenact.identifySymbols(a.positionals));
  if (a.json) a.json.list(all);
  else
    for (const found of all)
      process.stdout.write(
        'code' in found
          ? `${safeLine(found.path)}\n${row('refused', `${found.message}; ${found.next}`)}`
          : `${safeLine(found.path)}: ${found.format}\n${found.images.map(imageText).join('')}${builtText(found)}${row('file', found.sha256)}`,
      );
  return all.some((found) => 'code' in found) ? EXIT.rejected : EXIT.ok;
}
