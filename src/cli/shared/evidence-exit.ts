/** What an evidence record ends a command with. */
import { EXIT } from '../../base/fault.ts';
import type { EvidenceRecord } from '../../evidence/documents/record.ts';

/** Exit status of an evidence record. */
export function evidenceExit(record: EvidenceRecord): number {
  return { verified: EXIT.ok, rejected: EXIT.rejected, error: EXIT.inconclusive }[record.verdict];
}
