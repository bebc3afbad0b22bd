/** What replays can rely on here, what degrades, and what works in any case. */
import { Fault } from '../base/fault.ts';
import { type Host, hostOf } from '../sandbox/bare.ts';
import type { Engine, EngineFacts } from '../sandbox/engine.ts';
import { loadHarness } from '../sandbox/harness.ts';
import { lostWith, type Mechanism, onlyWith } from '../sandbox/mechanisms.ts';
import { processorText } from '../sandbox/processor.ts';
import type { ReplayOptions } from './run.ts';
import type { Session } from './session.ts';
import { withoutNamed } from './without.ts';

/** The engines' names, and Node's, of the processor that the harness is built for (docs/harness.md). */
const REPLAYED: readonly string[] = ['x86_64', 'amd64', 'x64'];

/** What needs no sandbox, and so works on every processor that Node runs on. */
export const ANYWHERE: readonly string[] = [
  'verifying evidence and bundles',
  'signing and attesting',
  'reading and joining traces, symbols and artifacts',
];

/** One thing that was looked at. */
export interface Finding {
  check: string;
  status: 'ok' | 'degraded' | 'missing';
  detail: string;
}

/** Whether replays are possible, what is in any case, and what was found. */
export interface Examination {
  usable: boolean;
  /** What works here, in words. */
  works: string[];
  findings: Finding[];
}

function judge(facts: EngineFacts, address: string): Finding[] {
  const seccomp = facts.securityOptions.some((option) => option.includes('seccomp'));
  const overlay = /overlay/.test(facts.storageDriver);
  const root = process.getuid?.() === 0;
  const warnings = facts.warnings.filter((warning) => /no (memory|swap|cpu|pids|kernel)/i.test(warning));
  return [
    {
      check: 'engine',
      status: 'ok',
      detail: `${facts.engine} ${facts.version}, API ${facts.apiVersion}, at ${address}`,
    },
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
    const harness = loadHarness();
    return {
      check: 'harness',
      status: 'ok',
      detail: `${harness.initSha256}, seccomp ${harness.seccompSha256}`,
    };
  } catch (error) {
    return { check: 'harness', status: 'missing', detail: (error as Error).message };
  }
}

function processor({ processor: p, name }: Host): Finding {
  const stepping = p ? ` stepping ${p.stepping}` : '';
  return {
    check: 'processor',
    status: 'ok',
    detail: `${processorText(p)}${stepping}${name ? ` (${name})` : ''}`,
  };
}

function determinism({ mechanisms, processor: p }: Host): Finding {
  const lost = lostWith(mechanisms);
  const check = 'determinism';
  const inForce = mechanisms.join(', ') || 'none';
  if (!mechanisms.includes('call_trace'))
    return { check, status: 'missing', detail: `${inForce}; ${lost.join('; ')}` };
  if (lost.length === 0) return { check, status: 'ok', detail: inForce };
  const only = onlyWith(mechanisms, processorText(p)).join('; ');
  return { check, status: 'degraded', detail: `${inForce}; ${lost.join('; ')}; results hold only ${only}` };
}

/** The processor, and what full determinism would rest on, found out in a container. */
async function host(engine: Engine, facts: EngineFacts, without: Mechanism[]): Promise<Finding[]> {
  try {
    const found = await hostOf(engine, loadHarness(), facts, without);
    return [processor(found), determinism(found)];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [{ check: 'determinism', status: 'missing', detail: nextOf(error) }];
  }
}

function nextOf({ message, next }: Fault): string {
  return `${message}; ${next}`;
}

/** Of another processor nothing is tried: no harness for it can be built. */
function foreign(architecture: string): Finding {
  return {
    check: 'processor',
    status: 'missing',
    detail: `${architecture}: replays run on x86-64 alone; DOCKER_HOST can name an engine on such a machine`,
  };
}

/** Everything that is looked at; `own` is this machine's architecture, where no engine tells another. */
export async function examine(
  connect: () => Promise<Engine>,
  own: string,
  without: Mechanism[],
): Promise<Finding[]> {
  let engine: Engine;
  let facts: EngineFacts;
  try {
    engine = await connect();
    facts = await engine.facts();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const first = REPLAYED.includes(own) ? harness() : foreign(own);
    return [first, { check: 'engine', status: 'missing', detail: nextOf(error) }];
  }
  if (!REPLAYED.includes(facts.architecture))
    return [...judge(facts, engine.address), foreign(facts.architecture)];
  return [harness(), ...judge(facts, engine.address), ...(await host(engine, facts, without))];
}

/** What follows from the findings. */
export function examination(findings: Finding[]): Examination {
  const usable = findings.every((finding) => finding.status !== 'missing');
  return { usable, works: [...(usable ? ['replays'] : []), ...ANYWHERE], findings };
}

/** Examines this machine and its engine; what is missing is a finding, never thrown, and an interruption is a Fault. */
export async function doctor(
  session: Session,
  { without }: Pick<ReplayOptions, 'without'> = {},
): Promise<Examination> {
  const findings = await examine(() => session.engine(), process.arch, withoutNamed(without));
  if (session.signal.aborted) throw new Fault('interrupted', 'interrupted');
  return examination(findings);
}
