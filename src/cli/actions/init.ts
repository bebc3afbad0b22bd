/** reenact init: a manifest to fill in, and what each of its fields means. */
import { basename } from 'node:path';

import { EXIT, Fault } from '../../base/fault.ts';
import { becomesFile, writeOutput } from '../../base/output.ts';
import { fieldsOf, type SchemaField } from '../../base/schema-fields.ts';
import { quoteWord } from '../../manifest/instructions.ts';
import { safeLine } from '../../report/human.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';

const WIDTH = 80;
const INDENT = '    ';

/** Words in lines that a terminal of 80 columns holds. */
function wrapped(text: string): string {
  let [lines, line] = ['', INDENT];
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH && line !== INDENT)
      [lines, line] = [`${lines}${line.trimEnd()}\n`, INDENT];
    line += `${word} `;
  }
  return `${lines}${line.trimEnd()}\n`;
}

function fieldText({ path, description = '', required, examples, ...rest }: SchemaField): string {
  const usual = rest.default === undefined ? '' : `. Left out: ${JSON.stringify(rest.default)}`;
  const example = examples ? `. Such as ${JSON.stringify(examples[0])}` : '';
  return `  ${path}${required ? ' (must be there)' : ''}\n${wrapped(`${description}${usual}${example}`)}`;
}

/** JSON has no comments, and a signed manifest is what every JSON program reads: so they stand beside it. */
function explanation(path: string, schema: Record<string, unknown>, blanks: string[]): string {
  const fields = fieldsOf(schema).filter(({ path }) => !path.startsWith('expect.crash.'));
  const blank = ({ path }: SchemaField): boolean => blanks.includes(path);
  const own = path === '-' ? 'FILE' : quoteWord(path);
  return [
    'fill in what stands between < and >:\n',
    ...fields.filter(blank).map(fieldText),
    wrapped("The first two are in: docker inspect --format '{{.RepoDigests}}' IMAGE"),
    '\nthe other fields, and those that may be added:\n',
    ...fields.filter((one) => !blank(one)).map(fieldText),
    wrapped('sha256sum FILE gives the digest of an input, without its sha256: in front.'),
    `\nthen: reenact run ${own} --dry-run, and reenact run ${own}\n`,
  ].join('');
}

export async function initCommand(a: Arguments): Promise<number> {
  const [path = 'crash.json', ...others] = a.positionals;
  if (others.length > 0) throw new Fault('usage', 'name one manifest to write');
  const { manifest, blanks, schema } = await withReenact({}, async (reenact) => ({
    ...(await reenact.draftManifest(basename(path, '.json'))),
    schema: await reenact.schema('manifest'),
  }));
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeOutput(path, text, a.flag('force') ? 'any' : 'nothing');
  const told = becomesFile(path) ? process.stdout : process.stderr;
  told.write(`${safeLine(path)}: a manifest to fill in\n${explanation(path, schema, blanks)}`);
  return EXIT.ok;
}
