/** What is there only for a while: left-overs of killed processes go at the next start, those of living ones and all else stay. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { tempFolder } from '../support/world.ts';

const MODULE = JSON.stringify(join(process.cwd(), 'src/base/temporary.ts'));

/** A process that makes one of each, says so, and stays until it is ended. */
async function maker(folder: string): Promise<{ kill: () => Promise<unknown>; made: string[] }> {
  const script = `
    const { asideOf, folderPrefixOf, temporaryFolder } = await import(${MODULE});
    const fs = await import('node:fs');
    const aside = asideOf(${JSON.stringify(join(folder, 'b.tar'))});
    fs.writeFileSync(aside, 'half');
    const stage = fs.mkdtempSync(folderPrefixOf(${JSON.stringify(join(folder, 'out'))}));
    fs.writeFileSync(stage + '/x', 'x');
    console.log(JSON.stringify([aside, stage, temporaryFolder('doctor')]));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: folder },
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async (): Promise<unknown> => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    return ended;
  };
  return { kill, made: JSON.parse(line.toString()) as string[] };
}

async function sweep(folder: string): Promise<void> {
  const script = `const { sweepAsides, temporaryFolder } = await import(${MODULE});
    sweepAsides(${JSON.stringify(folder)}); (await import('node:fs')).rmSync(temporaryFolder('doctor'), { recursive: true });`;
  const env = { ...process.env, TMPDIR: folder };
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
}

it('of two makers, what the killed one left is removed, and what the living one uses stays', async () => {
  const folder = tempFolder();
  const others = [
    '.b.tar.0123456789ab',
    '.b.tar.lock',
    'b.tar',
    '.hidden.1.2.3.4.abcdef',
    'reenact-doctor-abc123',
  ];
  for (const name of others) writeFileSync(join(folder, name), 'somebody’s');
  mkdirSync(join(folder, 'reenact-cases'));
  const [killed, living] = [await maker(folder), await maker(folder)];
  try {
    await killed.kill();
    expect(killed.made.every((path) => existsSync(path))).toBe(true);
    await sweep(folder);
    expect(killed.made.filter((path) => existsSync(path))).toEqual([]);
    expect(living.made.filter((path) => !existsSync(path))).toEqual([]);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([...others, 'reenact-cases']));
  } finally {
    await living.kill();
  }
  await sweep(folder);
  expect(readdirSync(folder).sort()).toEqual([...others, 'reenact-cases'].sort());
});

it('what another machine’s process made is never judged', async () => {
  const folder = tempFolder();
  const foreign = `.b.tar.${'0'.repeat(16)}.abcdef01.1.1.0123456789ab`;
  writeFileSync(join(folder, foreign), '');
  mkdtempSync(join(folder, `reenact-doctor-${'0'.repeat(16)}.abcdef01.1.1-`));
  await sweep(folder);
  expect(readdirSync(folder)).toHaveLength(2);
});
