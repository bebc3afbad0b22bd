/** reenact symbols fetch: debug information of builds from a debuginfod server, into a folder that symbols add reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '../../../base/digest.ts';
import { EXIT, Fault } from '../../../base/fault.ts';
import { writeWhole } from '../../../base/files.ts';
import { FETCH_LIMITS, type Fetched, fetchDebugInfo, parseServer } from '../../../objects/debuginfod.ts';
import { safeLine } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { abortOnSignals } from '../../shared/signals.ts';
import { tellWaiting } from '../../shared/waiting.ts';

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

function text(id: string, found: Fetched | null, out: string): string {
  if (!found) return `${id}\n  not there  the server has no debug information of this build\n`;
  return `${id}\n  file       ${safeLine(join(out, found.path))}\n  sha256     ${found.sha256}\n`;
}

export async function symbolsFetch(a: Arguments): Promise<number> {
  const [server, out] = [a.text('debuginfod'), a.text('out')];
  if (server === undefined) throw new Fault('usage', 'name the server that is asked: --debuginfod URL');
  if (out === undefined) throw new Fault('usage', 'name the folder to write to: --out DIR');
  const ids = [...new Set(a.positionals.map(buildId))];
  if (ids.length === 0 || ids.length > MOST_BUILDS)
    throw new Fault('usage', `name 1 to ${MOST_BUILDS} build-ids`);
  const url = parseServer(server);
  const { signal, release } = abortOnSignals();
  let missing = 0;
  try {
    for (const id of ids) {
      const found = await fetchDebugInfo(url, id, out, { ...FETCH_LIMITS, signal, tell: tellWaiting });
      if (found) await record(out, found);
      else missing++;
      process.stdout.write(
        a.flag('json')
          ? `${JSON.stringify({ id, ...(found ?? { path: null, url: null, sha256: null }) })}\n`
          : text(id, found, out),
      );
    }
  } finally {
    release();
  }
  return missing === 0 ? EXIT.ok : EXIT.failed;
}
