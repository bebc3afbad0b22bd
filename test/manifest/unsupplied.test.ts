/** Which files below /case a command names and no input supplies. */
import { expect, it } from 'vitest';

import { unsuppliedInputs } from '../../src/manifest/unsupplied.ts';

it.each<[string, string[], string[], string[]]>([
  ['a forgotten file', ['app', '/case/request.bin'], [], ['/case/request.bin']],
  ['one of two', ['app', '/case/a', '/case/b'], ['a'], ['/case/b']],
  ['inside an option', ['app', '--config=/case/app.conf'], [], ['/case/app.conf']],
  ['inside a shell command', ['sh', '-c', 'app </case/in.txt; cat "/case/in.txt"'], [], ['/case/in.txt']],
  ['a folder of inputs', ['app', '/case/data/'], ['data/one'], []],
  ['a file that only begins alike', ['app', '/case/dat'], ['data/one'], ['/case/dat']],
  ['what a glob finds', ['sh', '-c', 'cat /case/*'], [], []],
  ['the folder itself', ['ls', '/case', '/case/'], [], []],
  ['the end of a sentence', ['echo', 'reads /case/a.'], ['a'], []],
  ['another folder', ['app', '/work/case.bin', '/casework/x'], [], []],
])('%s', (_name, texts, inputs, missing) => {
  expect(unsuppliedInputs(texts, inputs)).toEqual(missing);
});
