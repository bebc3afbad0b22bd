/** Builds in sandboxes/debian12-build: C and C++ programs, archives, cmake and make; all they leave must be the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

import { ensureSandbox } from '../../setup/sandbox.ts';
import type { Case } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'fixtures/determinism/builds');

/** SOURCE_DATE_EPOCH, which every replay has, would give compilers their dates: here the clock must. */
function compileAndRun(command: string, file: string, name: string): string {
  return `sh -c 'unset SOURCE_DATE_EPOCH; cp /case/${file} . && ${command} -o ${name} ${file} && ./${name}'`;
}

/** One case a file: a source whose first line says how it is compiled, or a script. */
export async function buildCases(registry: string): Promise<Case[]> {
  const image = await ensureSandbox(ROOT, 'debian12-build', registry);
  return readdirSync(FOLDER)
    .sort()
    .map((path): Case => {
      const content = readFileSync(join(FOLDER, path));
      const [, command] = /^(?:#|\/\/) ([^:]+): .+\n/.exec(String(content)) ?? [];
      if (!command) throw new Error(`${path}: the first line must say how it is built`);
      const extension = extname(path);
      const name = basename(path, extension);
      return {
        group: 'builds',
        name: `${name}${extension}`,
        source: command,
        expected: 'identical',
        run: extension === '.sh' ? `bash -e /case/${path}` : compileAndRun(command, path, name),
        image,
        timeoutS: 120,
        files: [{ path, content }],
      };
    });
}
