/** The small image the programs of fixtures/determinism run in: a static shell, musl's loader, and the programs. */
import { readFileSync } from 'node:fs';

import { type BuiltImage, pushImage } from '../../setup/image.ts';
import { findProgram } from '../../setup/packages.ts';
import { layerOf } from '../support/fixture-image.ts';
import { compileAll, type Program } from './programs.ts';

const LOADER = '/lib/ld-musl-x86_64.so.1';

/** Compiles the programs and pushes an image that has each as /bin/NAME. */
export async function programImage(registry: string, programs: Program[]): Promise<BuiltImage> {
  const executables = await compileAll(programs);
  const needsLoader = programs.some((program) => program.dynamic);
  const layer = await layerOf([
    { name: 'bin', type: 'directory' },
    { name: 'bin/busybox', content: readFileSync(findProgram('busybox')!) },
    ...['sh', 'mkdir'].map((name) => ({
      name: `bin/${name}`,
      type: 'symlink' as const,
      linkname: 'busybox',
    })),
    ...programs.map(({ name }, i) => ({
      name: `bin/${name}`,
      content: executables[i]!,
      mode: name === 'setuid' ? 0o4755 : 0o755,
    })),
    { name: 'lib', type: 'directory' },
    ...(needsLoader ? [{ name: LOADER.slice(1), content: readFileSync(LOADER) }] : []),
  ]);
  return pushImage(registry, 'reenact-determinism', [layer], { Env: ['PATH=/bin'] });
}
