/** reenact schema: prints the JSON Schema of a format. */
import { EXIT, Fault } from '../../base/fault.ts';
import { SCHEMA_NAMES } from '../../library/schemas.ts';
import type { Arguments } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';

export async function schemaCommand({ positionals: [given = ''] }: Arguments): Promise<number> {
  const name = SCHEMA_NAMES.find((one) => one === given);
  if (!name) throw new Fault('usage', `name a format: ${SCHEMA_NAMES.join(', ')}`);
  const schema = await withReenact({}, (reenact) => reenact.schema(name));
  process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return EXIT.ok;
}
