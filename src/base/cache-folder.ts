/** The user's cache: everything Reenact keeps between runs beside its store. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The cache folder of this environment: `reenact` in XDG_CACHE_HOME, else in `~/.cache`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'reenact');
}

/** Where fetched evidence is kept unless told otherwise, and where the command's runs look for it. */
export function evidenceFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'evidence');
}
