/** reenact schema: prints the JSON Schema of a format. */
import { EXIT } from '../../base/fault.ts';
import { SCHEMA_NAMES } from '../../library/schemas.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';
import { oneWord } from '../shared/positionals.ts';

export async function schemaCommand(a: Arguments): Promise<number> {
  const name = oneWord(a, 'format', SCHEMA_NAMES);
  const schema = await withReenact({}, (reenact) => reenact.schema(name));
  process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return EXIT.ok;
}
