/** This release's version, from the one place that states it. */

import { readFileSync } from 'node:fs';
import { memberOf } from './json.ts';

import { packageFile } from './package-files.ts';

export const VERSION: string = String(
  memberOf(JSON.parse(readFileSync(packageFile('package.json'), 'utf8')), 'version'),
);
