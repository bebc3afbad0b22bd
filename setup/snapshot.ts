/** Prepares the empty embedded database that stores begin with: making one takes many seconds, copying it one. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { writeWhole } from '../src/base/files.ts';
import { emptySnapshot } from '../src/store/sql/pglite.ts';
import { say } from './say.ts';

/** The package bears it beside its programs. */
export async function ensureSnapshot(root: string): Promise<void> {
  const path = join(root, 'store', 'empty-pglite.tar.gz');
  if (existsSync(path)) return;
  say('preparing an empty embedded database, once');
  await writeWhole(path, await emptySnapshot());
}

// The build calls this file by itself.
if (process.argv[1] === fileURLToPath(import.meta.url))
  await ensureSnapshot(dirname(dirname(fileURLToPath(import.meta.url))));
