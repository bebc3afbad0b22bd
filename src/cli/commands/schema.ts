/** reenact schema. */
import type { Command } from '../command.ts';

export const command: Command = {
  usage: ['manifest|record|policy|evidence|trace|join'],
  help: `Prints the JSON Schema (2020-12) of the format, for editors and other tools.`,
  options: {},
  words: ['manifest', 'record', 'policy', 'evidence', 'trace', 'join'],
  run: async (a) => (await import('../actions/schema.ts')).schemaCommand(a),
};
