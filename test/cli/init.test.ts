/** reenact init: what it writes is refused until its blanks are filled, and accepted then. */
import { readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { fieldsOf } from '../../src/base/schema-fields.ts';
import { manifestSchema } from '../../src/manifest/definition.ts';
import { reenact, tempFolder } from '../support/world.ts';

const IMAGE = {
  sandbox_image: 'registry.example.org/app',
  sandbox_image_sha256: `sha256:${'02'.repeat(32)}`,
};

it('is accepted by run --dry-run when what was named is filled in, and not before', async () => {
  const cwd = tempFolder();
  const made = await reenact(['init'], { cwd });
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toMatch(/fill in what stands between < and >:\n {2}sandbox_image\n/);
  const path = join(cwd, 'crash.json');
  const content = JSON.parse(readFileSync(path, 'utf8'));
  const blanks = Object.entries(content).filter(([, value]) => /<.*>/.test(String(value)));
  expect(blanks.map(([name]) => name)).toEqual(['sandbox_image', 'sandbox_image_sha256', 'run_instructions']);
  const dryRun = async (more: object): ReturnType<typeof reenact> => {
    writeFileSync(path, JSON.stringify({ ...content, ...more }));
    return await reenact(['run', 'crash.json', '--dry-run'], { cwd });
  };
  const refused = await dryRun({});
  expect(refused.status).toBe(64);
  expect(refused.stderr).toContain('$.sandbox_image still has the blank <REPOSITORY>');
  expect(refused.stderr).toContain('$.sandbox_image_sha256 still has the blank <sha256:DIGEST>');
  const commandless = await dryRun(IMAGE);
  expect(commandless.status).toBe(64);
  expect(commandless.stderr).toContain('$.run_instructions');
  const run_instructions = content.run_instructions.replace('<COMMAND>', 'app --once');
  expect(await dryRun({ ...IMAGE, run_instructions })).toMatchObject({ status: 0, stderr: '' });
});

it('says of each field what it means, except of what capture alone writes, in 80 columns', async () => {
  const { stdout } = await reenact(['init', 'a.json'], { cwd: tempFolder() });
  const text = stdout.replace(/\s+/g, ' ');
  const told = fieldsOf(manifestSchema()).filter(({ path }) => !path.startsWith('expect.crash.'));
  expect(
    told.filter(({ path, description }) => !text.includes(path) || !text.includes(description!)),
  ).toEqual([]);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it('blanks that are left are all reported at once, each with what to put there; one that is quoted is the program’s', async () => {
  const cwd = tempFolder();
  await reenact(['init'], { cwd });
  const run = await reenact(['run', 'crash.json', '--dry-run'], { cwd });
  expect(run.status).toBe(64);
  for (const [field, blank] of [
    ['sandbox_image', '<REPOSITORY>'],
    ['sandbox_image_sha256', '<sha256:DIGEST>'],
    ['run_instructions', '<COMMAND>'],
  ])
    expect(run.stderr).toContain(`  $.${field} still has the blank ${blank} (`);
  expect(run.stderr).not.toMatch(/shell|is not accepted/);
  const filled = JSON.parse(readFileSync(join(cwd, 'crash.json'), 'utf8')) as Record<string, unknown>;
  Object.assign(filled, {
    sandbox_image: 'localhost/a',
    sandbox_image_sha256: `sha256:${'ab'.repeat(32)}`,
    run_instructions: "deterministic-run.sh -- echo '<COMMAND>'",
  });
  writeFileSync(join(cwd, 'crash.json'), JSON.stringify(filled));
  expect((await reenact(['run', 'crash.json', '--dry-run'], { cwd })).status).toBe(0);
});

it('leaves what is there as it is; a link to nowhere stays one, and what it names is made', async () => {
  const cwd = tempFolder();
  writeFileSync(join(cwd, 'mine.json'), 'mine');
  symlinkSync('gone', join(cwd, 'link.json'));
  expect(await reenact(['init', 'mine.json'], { cwd })).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('mine.json is there already; nothing was written'),
  });
  expect(readFileSync(join(cwd, 'mine.json'), 'utf8')).toBe('mine');
  expect((await reenact(['init', 'link.json'], { cwd })).status).toBe(0);
  expect(readlinkSync(join(cwd, 'link.json'))).toBe('gone');
  expect(readFileSync(join(cwd, 'gone'), 'utf8')).toContain('harness_version');
});

it('gives the manifest alone to what reads its output', async () => {
  const { stdout, stderr } = await reenact(['init', '-']);
  expect(JSON.parse(stdout)).toMatchObject({ harness_version: '1' });
  expect(stderr).toContain('fill in what stands');
});
