/** Compiles in a sandbox image, through the product itself: what is left in /work is the result, kept for later. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BuiltImage } from '../../setup/image.ts';
import { say } from '../../setup/say.ts';
import { cacheFolder } from '../../src/base/cache-folder.ts';
import { digestOf } from '../../src/base/digest.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { readState } from '../../src/verdict/explain.ts';
import { type Case, type CaseFile, runCases } from './run.ts';

async function compile(engine: Engine, c: Case): Promise<CaseFile[]> {
  const { signal } = new AbortController();
  const options = { engine, determinism: 'off', replays: 1, failFast: false, jobs: 1, signal } as const;
  const [made] = await runCases([c], options, async (record, store) => {
    const state = record.final_state_sha256 && (await readState(store, record.final_state_sha256));
    if (state?.exit_code !== 0) {
      const told = state ? String(await store.get(state.stderr.sha256)) : record.message;
      throw new Error(`compiling in ${c.image.repository} failed:\n${told}`);
    }
    const files = state.files.filter(({ type, path }) => type === 'file' && path?.startsWith('/work/'));
    return Promise.all(
      files.map(async ({ path, sha256 }) => ({
        path: path!.slice('/work/'.length),
        content: (await store.get(sha256!))!,
      })),
    );
  });
  return made!;
}

/** What `script` makes of `sources`; made once for the same image, sources and script. */
export async function compileInside(
  engine: Engine,
  image: BuiltImage,
  sources: CaseFile[],
  script: string,
): Promise<CaseFile[]> {
  const files = [...sources, { path: 'compile.sh', content: Buffer.from(script) }];
  const key = digestOf(
    JSON.stringify([image.manifest, files.map((file) => [file.path, digestOf(file.content)])]),
  );
  const folder = join(cacheFolder(process.env), 'determinism', `compiled-${key.slice(7, 23)}`);
  if (!existsSync(folder)) {
    say(`compiling ${sources.length} files in ${image.repository}`);
    const made = await compile(engine, {
      group: 'compile',
      name: 'compile',
      source: '',
      expected: 'identical',
      run: 'bash /case/compile.sh',
      image,
      timeoutS: 300,
      files,
    });
    const unfinished = `${folder}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    for (const { path, content } of made) writeFileSync(join(unfinished, path), content);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  }
  return readdirSync(folder).map((path) => ({ path, content: readFileSync(join(folder, path)) }));
}
