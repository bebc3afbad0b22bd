/** reenact schema: prints the JSON Schema of a format. */
import { EXIT, Fault } from '../../base/fault.ts';
import { evidenceRecordSchema } from '../../evidence/documents/record.ts';
import { joinSchema } from '../../join/document.ts';
import { manifestSchema } from '../../manifest/definition.ts';
import { policySchema } from '../../policy/shape.ts';
import { traceSchema } from '../../trace/model/schema.ts';
import { recordSchema } from '../../verdict/record.ts';
import type { Arguments } from '../arguments.ts';

const SCHEMAS: Record<string, () => Record<string, unknown>> = {
  manifest: manifestSchema,
  record: recordSchema,
  policy: policySchema,
  evidence: evidenceRecordSchema,
  trace: traceSchema,
  join: joinSchema,
};

export async function schemaCommand({ positionals: [name = ''] }: Arguments): Promise<number> {
  const schema = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined;
  if (!schema) throw new Fault('usage', `name a format: ${Object.keys(SCHEMAS).join(', ')}`);
  process.stdout.write(`${JSON.stringify(schema(), null, 2)}\n`);
  return EXIT.ok;
}
