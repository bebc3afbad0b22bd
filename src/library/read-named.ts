/** Files that a person names: read within a limit, and one that cannot be read is a mistake in the call. */
import { readFile, stat } from 'node:fs/promises';

import { asFault, Fault } from '../base/fault.ts';

/** Reads the file at `path`, of at most so many bytes; throws Fault `usage` otherwise. */
export async function readNamed(path: string, maxBytes: number): Promise<Buffer> {
  try {
    if ((await stat(path)).size > maxBytes)
      throw new Fault('usage', `${path} is over the limit of ${maxBytes} bytes`);
    return await readFile(path);
  } catch (error) {
    throw asFault('usage', `${path} cannot be read`, error);
  }
}
