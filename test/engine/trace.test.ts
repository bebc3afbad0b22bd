/** A crash told twice, by our own record and by the core of the same replay, read as traces. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BlobStore } from '../../src/store/blobs.ts';
import type { Trace } from '../../src/trace/model/trace.ts';
import { describeEngine, manifest, reenact, replay, tempFolder } from '../support/world.ts';

async function shown(path: string): Promise<Trace> {
  const done = await reenact(['trace', 'show', path, '--json']);
  expect(done.stderr).toBe('');
  return JSON.parse(done.stdout)[0];
}

const places = ({ threads, images }: Trace): string[] =>
  threads
    .find(({ crashed }) => crashed)!
    .frames.map(({ image, rel_addr }) => `${images[image!]?.path}+${rel_addr}`);

describeEngine('a replay’s crash', () => {
  it('and its core are the same frames', async () => {
    const folder = tempFolder();
    const record = await replay(manifest('/bin/crashes', { replays: 1 }), { folder, core: true });
    const [core, path] = [join(folder, 'core'), join(folder, 'record.json')];
    const { sha256 } = record.replays[0]!.crash!.core!;
    writeFileSync(core, (await new BlobStore(join(folder, 'out')).get(sha256))!);
    writeFileSync(path, JSON.stringify(record));
    const [ours, theirs] = [await shown(path), await shown(core)];
    expect(ours).toMatchObject({ format: 'replay', signal: 'SIGSEGV' });
    expect(theirs.format).toBe('core');
    expect(places(ours).length).toBeGreaterThan(10);
    // PID 1 reads musl's instructions where it has no tables; of a core, the walk is cut there and says so.
    const { frames, ended } = theirs.threads.find(({ crashed }) => crashed)!;
    expect(ended).toMatchObject({ outermost: false, reason: 'no_unwind_table' });
    expect(frames.length).toBeGreaterThan(10);
    expect(places(theirs)).toEqual(places(ours).slice(0, frames.length));
    const bytes = readFileSync(core);
    bytes.writeUInt16LE(0, 18);
    writeFileSync(core, bytes);
    const foreign = await reenact(['trace', 'show', core]);
    expect(foreign).toMatchObject({ status: 64, stderr: /a core of processor 0: those of/ });
  });

  it('a core that is cut off, or of nobody, is refused by name', async () => {
    const folder = tempFolder();
    const path = join(folder, 'core');
    const head = Buffer.alloc(64);
    head.write('\x7fELF', 0, 'latin1');
    head.set([2, 1, 1], 4);
    head.writeUInt16LE(4, 16);
    head.writeUInt16LE(62, 18);
    writeFileSync(path, head);
    const done = await reenact(['trace', 'show', path]);
    expect(done).toMatchObject({ status: 64, stdout: '' });
    expect(done.stderr).toContain('no thread is in this core');
  });
});
