/** The folder of evidence in the user's cache, where evidence fetch puts what it gets. */
import { join } from 'node:path';

import { cacheFolder } from '../../sandbox/endpoint.ts';

/** Where fetched evidence is kept unless told otherwise. */
export function evidenceFolder(): string {
  return join(cacheFolder(process.env), 'evidence');
}
