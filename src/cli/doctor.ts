/** reenact doctor: what replays can rely on here, what degrades, and what to do about it. */
import { EXIT, FAULTS, Fault } from '../base/fault.ts';
import { mechanismsHere } from '../sandbox/bare.ts';
import { loadKit } from '../sandbox/kit.ts';
import { lostWith } from '../sandbox/mechanisms.ts';
import type { Engine, EngineFacts } from '../sandbox/port.ts';
import { connectEngine } from './engine.ts';
import { parseOptions } from './options.ts';

interface Finding {
  check: string;
  status: 'ok' | 'degraded' | 'missing';
  detail: string;
}

function judge(facts: EngineFacts): Finding[] {
  const seccomp = facts.securityOptions.some((option) => option.includes('seccomp'));
  const overlay = /overlay/.test(facts.storageDriver);
  const root = process.getuid?.() === 0;
  const warnings = facts.warnings.filter((warning) => /no (memory|swap|cpu|pids|kernel)/i.test(warning));
  return [
    { check: 'engine', status: 'ok', detail: `${facts.engine} ${facts.version}, API ${facts.apiVersion}` },
    {
      check: 'kernel',
      status: 'ok',
      detail: `${facts.kernel} ${facts.architecture}, ${facts.cpus} CPUs, ${Math.round(facts.memoryBytes / 2 ** 30)} GiB`,
    },
    {
      check: 'seccomp',
      status: seccomp ? 'ok' : 'missing',
      detail: seccomp ? 'available' : 'the engine reports none: no replay will start',
    },
    {
      check: 'cgroups',
      status: warnings.length > 0 ? 'degraded' : 'ok',
      detail: `version ${facts.cgroupVersion}${warnings.map((w) => `; ${w}`).join('')}`,
    },
    {
      check: 'storage',
      status: overlay && root ? 'ok' : 'degraded',
      detail: `${facts.storageDriver}; states are read ${overlay && root ? 'from its folders' : 'through the archive API, which is slower and cannot show sockets or extended attributes'}`,
    },
  ];
}

function harness(): Finding {
  try {
    const kit = loadKit();
    return { check: 'harness', status: 'ok', detail: `${kit.initSha256}, seccomp ${kit.seccompSha256}` };
  } catch (error) {
    return { check: 'harness', status: 'missing', detail: (error as Error).message };
  }
}

/** What full determinism would rest on, found out in a container. */
async function determinism(engine: Engine, facts: EngineFacts): Promise<Finding> {
  const check = 'determinism';
  try {
    const found = await mechanismsHere(engine, loadKit(), facts);
    const lost = lostWith(found);
    return {
      check,
      status: lost.length === 0 ? 'ok' : 'degraded',
      detail: [found.join(', '), ...lost].join('; '),
    };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { check, status: 'missing', detail: `${error.message}; ${FAULTS[error.code].next}` };
  }
}

export async function doctorCommand(args: string[]): Promise<number> {
  const a = parseOptions('doctor', args);
  const findings: Finding[] = [harness()];
  try {
    const engine = await connectEngine();
    const facts = await engine.facts();
    findings.push(...judge(facts), await determinism(engine, facts));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    findings.push({
      check: 'engine',
      status: 'missing',
      detail: `${error.message}; ${FAULTS[error.code].next}`,
    });
  }
  const usable = findings.every((finding) => finding.status !== 'missing');
  if (a.flag('json')) process.stdout.write(`${JSON.stringify({ usable, findings }, null, 2)}\n`);
  else {
    for (const { check, status, detail } of findings)
      process.stdout.write(`${status.padEnd(9)} ${check.padEnd(11)} ${detail}\n`);
    process.stdout.write(usable ? 'replays are possible here\n' : 'replays are not possible here\n');
  }
  return usable ? EXIT.ok : EXIT.inconclusive;
}
