/** Version control, package managers and build tools in sandboxes/debian12-tools; all they leave must be the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { ensureSandbox } from '../../setup/sandbox.ts';
import type { Case } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'fixtures/determinism/tools');

/** One case a script, whose first line says "# tool: what it does." */
export async function toolCases(registry: string): Promise<Case[]> {
  const image = await ensureSandbox(ROOT, 'debian12-tools', registry);
  return readdirSync(FOLDER)
    .sort()
    .map((path): Case => {
      const content = readFileSync(join(FOLDER, path));
      const [, tool] = /^# ([^:]+): .+\n/.exec(String(content)) ?? [];
      if (!tool) throw new Error(`${path}: the first line must say which tool does what`);
      return {
        group: 'tools',
        name: basename(path, '.sh'),
        source: tool,
        expected: 'identical',
        run: `bash -e /case/${path}`,
        image,
        timeoutS: 180,
        files: [{ path, content }],
      };
    });
}
