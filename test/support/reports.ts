/** Reports of real bundles, each as the file that a reader opens: of a run, redacted, of a deep stack, with hostile names. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeCase } from './case.ts';
import { makeKey } from './keys.ts';
import { bundleTrace, makeTraced } from './traced.ts';
import { unpack } from './verify-text.ts';
import { reenact, tempFolder } from './world.ts';

/** No place in it at which a line may end. */
const LONG = 'W'.repeat(240);
const SYMBOL =
  'std::_Hashtable<std::basic_string<char>,std::pair<std::basic_string<char>const,std::vector<unsigned_long_long>>>::_M_insert_unique_node(unsigned_long,unsigned_long,node_type*)';

const page = (bundle: string): string => join(unpack(bundle), 'data/report.html');

async function ofRun(
  file: string,
  change: (record: ReplayRecord) => void = () => undefined,
): Promise<string> {
  const outputs = [...Array<string>(60).fill('a'), 'b', 'c'];
  const { out, record } = await makeCase(outputs, { [`/work/${file}`]: Buffer.from('kept') });
  change(record);
  const path = join(tempFolder(), 'case.tar');
  await createBundle(path, await collect(record, new BlobStore(out), out, 'full'), { state: 'full' });
  return path;
}

/** What a record can hold that its own check would refuse as well, but not before the page was made. */
function hostile(record: ReplayRecord): void {
  record.name = LONG;
  record.message = LONG;
  record.degraded = [LONG];
  record.uncaptured = [LONG, LONG];
  record.claims = [{ name: 'compiler', claimed: LONG, observed: LONG, match: false }];
  record.environment!.kernel = LONG;
  record.environment!.trusted = [LONG];
  record.divergence = { kind: 'path', path: LONG, attribute: LONG, expected: LONG, actual: LONG, replay: 1 };
}

async function redacted(original: string): Promise<string> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const args = ['bundle', 'redact', original, '--drop', 'files/work/**', '--out', 'less.tar'];
  const rest = ['--reason', 'privacy', '--key', 'key.pem', '--secret', 'case.secret'];
  const done = await reenact([...args, ...rest], { cwd: folder });
  if (done.status !== 0) throw new Error(done.stderr);
  return join(folder, 'less.tar');
}

/** A stack of 30 frames with names as C++ has them, or with names that no line can hold. */
async function ofTrace(name: string): Promise<string> {
  const t = await makeTraced(async () => ({ folder: tempFolder(), url: undefined }));
  try {
    return await bundleTrace(t, (joined) => {
      const [first, second, third] = joined.frames;
      const calls = [name, `${name}::inner`].map((one) => ({
        ...{ function: one, file: `/usr/src/${name}.cpp`, line: 4711, column: 1 },
      }));
      const deep = Array.from({ length: 27 }, (_, i) => {
        const frame = structuredClone([first!, second!, third!][i % 3]!);
        if (frame.places.length > 0) frame.places = calls;
        else frame.claimed = name;
        return { ...frame, index: i + 4, image_path: `/usr/lib/x86_64-linux-gnu/${name}.so` };
      });
      joined.frames.splice(4, 0, ...deep.slice(0, 26));
      for (const one of [...joined.symbols, ...joined.artifacts]) {
        one.name = name;
        one.says = { builder: name, builder_commit: name, compiler: name, compiler_flags: name };
      }
    });
  } finally {
    await t.store.database.close();
  }
}

/** Name and path of each; the files last as long as the test. */
export async function makeReports(): Promise<[string, string][]> {
  return [
    ['of a run', page(await ofRun('kept'))],
    ['redacted', page(await redacted(await ofRun('kept')))],
    ['of a run, with hostile names', page(await ofRun(LONG, hostile))],
    ['redacted, with hostile names', page(await redacted(await ofRun(LONG)))],
    ['of a trace', page(await ofTrace(SYMBOL))],
    ['of a trace, with hostile names', page(await ofTrace(LONG))],
  ];
}
