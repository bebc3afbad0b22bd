/** The demo's sandbox image: fixtures/demo/pages.c as a static program, and nothing else. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type BuiltImage, pushImage, tarOf } from './image.ts';

/** With calls as they are written and tables to walk them by; no path of this machine, so that any other builds the same. */
const FLAGS = [
  ...['-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O1', '-static'],
  // Later versions number the parts of a line, and addr2line prints that.
  ...['-gdwarf-3', '-gstrict-dwarf'],
  ...['-fno-inline', '-fno-optimize-sibling-calls', '-fno-omit-frame-pointer'],
  ...['-fasynchronous-unwind-tables', '-Wl,--eh-frame-hdr', '-Wl,--build-id=sha1'],
];

/** Compiles the demo's program, with its debug information. */
export function compilePages(root: string): Buffer {
  const sources = join(root, 'fixtures/demo');
  const folder = mkdtempSync(join(tmpdir(), 'reenact-pages-'));
  try {
    const program = join(folder, 'pages');
    const names = [`-ffile-prefix-map=${sources}=.`, '-o', program, 'pages.c'];
    execFileSync('musl-gcc', [...FLAGS, ...names], { cwd: sources, stdio: ['ignore', 'inherit', 'inherit'] });
    return readFileSync(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts the program into the registry as an image of its own. */
export async function pushPages(host: string, program: Buffer): Promise<BuiltImage> {
  return await pushImage(host, 'reenact-demo-pages', [await tarOf('bin/pages', program)], {
    Cmd: ['pages'],
    Env: ['PATH=/bin'],
  });
}
