/** Debug information of builds from a debuginfod server, into a folder that symbols add reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { hexOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { writeWhole } from '../base/files.ts';
import { FETCH_LIMITS, type Fetched, fetchDebugInfo, parseServer } from '../objects/debuginfod.ts';
import type { FetchedSymbols } from './events.ts';
import type { Session } from './session.ts';

const SUMS = 'SHA256SUMS';
const MOST_BUILDS = 256;

function buildId(text: string): string {
  const hex = /^(?:elf:)?((?:[0-9a-f]{2}){8,64})$/.exec(text)?.[1];
  if (hex === undefined)
    throw new Fault(
      'usage',
      `"${text.slice(0, 80)}" is no build-id: 16 to 128 lower-case hexadecimal digits, as trace gaps and symbols id print them`,
    );
  return `elf:${hex}`;
}

/** The digests of all that was fetched, as sha256sum -c reads them. */
async function record(folder: string, { path, sha256 }: Fetched): Promise<void> {
  const sums = join(folder, SUMS);
  const before = await readFile(sums, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Fault('out_failed', `${sums} cannot be read: ${error.message}`, error);
  });
  const others = before.split('\n').filter((line) => line !== '' && !line.endsWith(`  ${path}`));
  await writeWhole(sums, `${[...others, `${hexOf(sha256)}  ${path}`].join('\n')}\n`);
}

/** Which server is asked, and where what it has is written; there is no default for either. */
export interface FetchSymbolsOptions {
  /** The address of a debuginfod server: https, or http on this machine. */
  debuginfod: string;
  /** A folder, made if it is not there. */
  out: string;
}

/** Asks one server for the debug information of these builds; what it gives is no evidence. */
export async function fetchSymbols(
  session: Session,
  builds: readonly string[],
  { debuginfod, out }: FetchSymbolsOptions,
): Promise<FetchedSymbols[]> {
  const ids = [...new Set(builds.map(buildId))];
  if (ids.length === 0 || ids.length > MOST_BUILDS)
    throw new Fault('usage', `name 1 to ${MOST_BUILDS} build-ids`);
  const url = parseServer(debuginfod);
  const all: FetchedSymbols[] = [];
  for (const id of ids) {
    const found = await fetchDebugInfo(url, id, out, { ...FETCH_LIMITS, ...session.waiting });
    if (found) await record(out, found);
    const fetched = { id, ...(found ?? { path: null, url: null, sha256: null }) };
    all.push(fetched);
    session.tell({ type: 'fetched', fetched });
  }
  return all;
}
