/** Builds the image of a recipe under sandboxes/ from Debian's packages, once, and pushes it to the registry. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../src/base/cache-folder.ts';
import { digestOf } from '../src/base/digest.ts';
import { exec } from '../src/base/exec.ts';
import { type BuiltImage, type ImageConfig, pushImage } from './image.ts';
import { ensureTools, TOOLS } from './packages.ts';
import { SetupError, say } from './say.ts';

interface Recipe {
  suite: string;
  packages: string[];
  config: ImageConfig;
}

/** The machine's own package sources are used where they serve the suite: it may reach no other. */
function sources(suite: string): string[] {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
  return files.filter((path) => existsSync(path) && readFileSync(path, 'utf8').includes(suite)).slice(0, 1);
}

/** Returns the pushed image; a second call finds it in the cache and only checks that the registry has it. */
export async function ensureSandbox(root: string, name: string, host: string): Promise<BuiltImage> {
  const recipeText = readFileSync(join(root, 'sandboxes', name, 'recipe.json'), 'utf8');
  const recipe = JSON.parse(recipeText) as Recipe;
  const folder = join(cacheFolder(process.env), 'sandboxes');
  const known = join(folder, `${name}-${digestOf(recipeText).slice(7, 19)}.json`);
  if (existsSync(known)) {
    const image = JSON.parse(readFileSync(known, 'utf8')) as BuiltImage;
    const there = await fetch(`http://${host}/v2/${name}/manifests/${image.manifest}`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    if (there.ok && image.repository === `${host}/${name}`) return image;
  }
  await ensureTools([TOOLS.debian]);
  say(`building the sandbox image ${name} from Debian’s packages: ${recipe.packages.join(', ')}`);
  mkdirSync(folder, { recursive: true });
  const tar = join(folder, `${name}.${process.pid}.tar`);
  try {
    const args = [
      '--variant=extract',
      `--include=${recipe.packages.join(',')}`,
      '--format=tar',
      recipe.suite,
      tar,
      ...sources(recipe.suite),
    ];
    const { exitCode, stderr } = await exec('/usr/bin/env', ['SOURCE_DATE_EPOCH=0', 'mmdebstrap', ...args], {
      timeoutMs: 600_000,
      outputBytes: 64 << 20,
    });
    if (exitCode !== 0) throw new SetupError(`mmdebstrap failed:\n${stderr.slice(-2000)}`);
    const image = await pushImage(host, name, [readFileSync(tar)], recipe.config);
    writeFileSync(known, JSON.stringify(image));
    return image;
  } finally {
    rmSync(tar, { force: true });
  }
}
