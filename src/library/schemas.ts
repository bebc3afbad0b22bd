/** JSON Schemas of the formats that are read and written. */
import { keysOf } from '../base/table.ts';
import { evidenceRecordSchema } from '../evidence/documents/record.ts';
import { joinSchema } from '../join/document.ts';
import { manifestSchema } from '../manifest/definition.ts';
import { policySchema } from '../policy/shape.ts';
import { traceSchema } from '../trace/model/schema.ts';
import { recordSchema } from '../verdict/record.ts';

/** The formats that have a schema. */
export type SchemaName = 'manifest' | 'record' | 'policy' | 'evidence' | 'trace' | 'join';

const SCHEMAS: Record<SchemaName, () => Record<string, unknown>> = {
  manifest: manifestSchema,
  record: recordSchema,
  policy: policySchema,
  evidence: evidenceRecordSchema,
  trace: traceSchema,
  join: joinSchema,
};

/** Their names. */
export const SCHEMA_NAMES: SchemaName[] = keysOf(SCHEMAS);

/** The JSON Schema of a format. */
export function schema(name: SchemaName): Record<string, unknown> {
  return SCHEMAS[name]();
}
