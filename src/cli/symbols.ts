/** reenact symbols id: what names a build, as the linker wrote it into programs and their symbol files. */

import { EXIT, FAULTS, Fault } from '../base/fault.ts';
import { digestOfFile } from '../base/files.ts';
import { safeLine } from '../report/human.ts';
import type { Image, ObjectFile } from '../trace/identity.ts';
import { readObject } from '../trace/object.ts';
import { parseOptions } from './options.ts';

function row(label: string, text: string | null): string {
  return text === null ? '' : `  ${label.padEnd(11)}${safeLine(text)}\n`;
}

const NO_ID = {
  program: 'none: the linker wrote none (gcc: -Wl,--build-id=sha1)',
  script: 'none: the bundler wrote no debugId into the map',
};

function imageText(image: Image): string {
  const { compressed, features, split } = image;
  const has = [...features, ...(split ? ['the rest of it in .dwo files'] : [])];
  return (
    row('arch', image.arch) +
    row('id', image.id ?? NO_ID[image.arch === 'javascript' ? 'script' : 'program']) +
    row('debug id', image.debug_id) +
    row('belongs to', image.pdb) +
    row('has', has.join(', ').replaceAll('_', ' ') || 'nothing that gives an address a name') +
    row('compressed', compressed.length > 0 ? compressed.join(', ') : null) +
    row('debug link', image.debug_link) +
    row('shared by', image.alt_id) +
    row('package', image.package)
  );
}

type Found = { path: string } & (({ sha256: string } & ObjectFile) | { code: string; message: string });

async function look(path: string): Promise<Found> {
  try {
    const read = readObject(path);
    return { path, sha256: await digestOfFile(path), ...read };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { path, code: error.code, message: `${error.message}; ${FAULTS[error.code].next}` };
  }
}

async function identify(args: string[]): Promise<number> {
  const a = parseOptions('symbols id', args);
  if (a.positionals.length === 0) throw new Fault('usage', 'name at least one file');
  const all: Found[] = [];
  for (const path of a.positionals) all.push(await look(path));
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else
    for (const found of all)
      process.stdout.write(
        'code' in found
          ? `${safeLine(found.path)}\n${row('refused', found.message)}`
          : `${safeLine(found.path)}: ${found.format}\n${found.images.map(imageText).join('')}${row('file', found.sha256)}`,
      );
  return all.some((found) => 'code' in found) ? EXIT.rejected : EXIT.ok;
}

export async function symbolsCommand([what, ...args]: string[]): Promise<number> {
  if (what === 'id') return await identify(args);
  throw new Fault('usage', 'say what to do: reenact symbols id FILE...');
}
