/** A replay verdict as others read verdicts: the in-toto test-result predicate v0.1. */
import { type Digest, hexOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { ReplayRecord } from './record.ts';

type TestResult = 'PASSED' | 'WARNED' | 'FAILED';

/** PASSED only for a verdict without reservations; a run without a verdict has no result at all. */
function testResult(record: ReplayRecord): TestResult {
  if (record.verdict === 'inconclusive' || record.verdict === 'rejected')
    throw new Fault(
      'record_invalid',
      `the verdict is ${record.verdict} (${record.reason}): nothing was tested, so there is nothing to attest`,
    );
  if (record.verdict !== 'reproduced' || record.gates.some((gate) => !gate.pass)) return 'FAILED';
  return record.flaky || record.degraded.length > 0 ? 'WARNED' : 'PASSED';
}

interface Descriptor {
  name: string;
  digest: { sha256: string };
}

function descriptor(name: string, digest: Digest): Descriptor {
  return { name, digest: { sha256: hexOf(digest) } };
}

/** The predicate's JSON; github.com/in-toto/attestation, spec/predicates/test-result.md. */
export function testResultPredicate(record: ReplayRecord, recordSha256: Digest): Record<string, unknown> {
  const result = testResult(record);
  const test = `replay ${record.name}`;
  return {
    result,
    configuration: [
      descriptor('record', recordSha256),
      ...(record.manifest_sha256 ? [descriptor('manifest', record.manifest_sha256)] : []),
      ...(record.sandbox_image_sha256 ? [descriptor('sandbox_image', record.sandbox_image_sha256)] : []),
      descriptor('policy', record.policy.sha256),
      ...(record.environment
        ? [
            descriptor('seccomp', record.environment.seccomp_sha256),
            descriptor('harness', record.environment.harness_sha256),
          ]
        : []),
    ],
    passedTests: result === 'PASSED' ? [test] : [],
    warnedTests: result === 'WARNED' ? [test] : [],
    failedTests: result === 'FAILED' ? [test] : [],
  };
}
