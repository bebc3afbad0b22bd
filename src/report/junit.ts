/** JUnit XML for CI: one suite a manifest, one case a replay. */
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReplayResult } from '../verdict/replay-result.ts';

/** XML text: markup escaped, characters XML 1.0 cannot hold replaced. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

function testCase(record: ReplayRecord, replay: ReplayResult): string {
  const head = `    <testcase classname="${xml(record.name)}" name="replay ${replay.index}" time="${(replay.duration_ms / 1000).toFixed(3)}"`;
  if (replay.outcome === 'match') return `${head}/>\n`;
  if (replay.outcome === 'diverged')
    return `${head}>\n      <failure message="diverged: state ${replay.final_state_sha256}"/>\n    </testcase>\n`;
  return `${head}>\n      <error message="${xml(replay.error?.message ?? String(replay.ended))}"/>\n    </testcase>\n`;
}

/** The whole document. A manifest that never ran has one case, in error. */
export function junitReport(records: ReplayRecord[]): string {
  const suites = records.map((record) => {
    const ran = record.replays.length > 0;
    const failures = record.replays.filter((r) => r.outcome === 'diverged').length;
    const errors = ran ? record.replays.filter((r) => r.outcome === 'infra_error').length : 1;
    const cases = ran
      ? record.replays.map((replay) => testCase(record, replay)).join('')
      : `    <testcase classname="${xml(record.name)}" name="prepare">\n      <error message="${xml(`${record.reason}: ${record.message}`)}"/>\n    </testcase>\n`;
    const verdict = `      <property name="verdict" value="${record.verdict}"/>\n      <property name="reason" value="${xml(record.reason)}"/>\n`;
    return `  <testsuite name="${xml(record.name)}" tests="${Math.max(1, record.replays.length)}" failures="${failures}" errors="${errors}" time="${(record.duration_ms / 1000).toFixed(3)}">\n    <properties>\n${verdict}    </properties>\n${cases}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}
