/** Hosts that lack something of full determinism, by switching it off here: told, refused, and never silently lived with. */
import { beforeAll, expect, it } from 'vitest';

import { type Mechanism, mechanismsOf } from '../../src/sandbox/mechanisms.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { describeEngine, manifest, reenact, replay } from '../support/world.ts';

const CPUID: Mechanism[] = ['cpuid_trap', 'cpuid_rewrite'];

function run(command: string, without: Mechanism[], allowDegraded: boolean): Promise<ReplayRecord> {
  const determinism = { mode: 'full' as const, allowDegraded, without };
  return replay(manifest(command, { replays: 3, limits: { timeout: 60 } }), { determinism });
}

describeEngine('a host', () => {
  let full: ReplayRecord;
  let here: Mechanism[];
  beforeAll(async () => {
    full = await run('/bin/entropy', [], false);
    here = full.environment?.mechanisms ?? [];
  });

  it('that lacks nothing says in the record what it has', () => {
    expect(full).toMatchObject({ verdict: 'reproduced', degraded: [] });
    expect(here.slice(0, 3)).toEqual(['call_trace', 'fixed_layout', 'clock_trap']);
    expect(CPUID.filter((name) => here.includes(name))).not.toEqual([]);
  });

  it.each([
    ['call_trace', ['call_trace']],
    ['fixed_layout', ['fixed_layout']],
    ['clock_trap', ['clock_trap']],
    ['cpuid_trap', CPUID],
  ] as [string, Mechanism[]][])('without %s and what stands in for it replays nothing', async (name, all) => {
    const record = await run('/bin/entropy', all, false);
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
    expect(record.message).toContain(name);
  });

  it.each(CPUID)('without %s replays the same where the other one is there', async (name) => {
    const others = here.filter((one) => one !== name);
    const record = await run('/bin/entropy', [name], false);
    if (!others.some((one) => CPUID.includes(one))) expect(record.reason).toBe('determinism_degraded');
    else {
      expect(record).toMatchObject({ verdict: 'reproduced', degraded: [] });
      expect(record.final_state_sha256).toBe(full.final_state_sha256);
      expect(record.environment!.mechanisms).toEqual(others);
    }
  });

  it('that cannot trace replays nothing, whatever is allowed', async () => {
    const record = await run('/bin/entropy', ['call_trace'], true);
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
  });

  it.each([
    ['fixed_layout', ['fixed_layout'], 'addresses are random'],
    ['clock_trap', ['clock_trap'], 'rdtsc tells real time'],
    ['cpuid_trap', CPUID, 'cpuid tells this processor from others'],
  ] as [string, Mechanism[], string][])(
    'without %s replays when that is allowed, and %s',
    async (name, missing, lost) => {
      const record = await run('/bin/entropy', missing, true);
      // What the mechanism kept away is there again: the switch is real.
      for (const { final_state_sha256 } of record.replays)
        expect(final_state_sha256).not.toBe(full.final_state_sha256);
      expect(record.degraded.join()).toContain(`${name} (`);
      expect(record.degraded.join()).toContain(lost);
      expect(record.environment!.mechanisms).toEqual(here.filter((one) => !missing.includes(one)));
    },
  );

  it('without one never passes the forensic policy', async () => {
    const determinism = { mode: 'full' as const, allowDegraded: true, without: CPUID };
    const same = "sh -c 'echo same'";
    const text = await replay(manifest(same, { replays: 3 }), { determinism });
    const one = manifest(same, {
      replays: 3,
      expect: { final_state_sha256: text.final_state_sha256! },
    });
    const record = await replay(one, { determinism, policyName: 'forensic' });
    const gate = record.gates.find(({ name }) => name === 'forensic')!;
    expect(gate.pass).toBe(false);
    expect(gate.value).toContain('determinism without cpuid_trap');
    const whole = { ...determinism, without: [] };
    const passed = await replay(one, { determinism: whole, policyName: 'forensic' });
    expect(passed.gates.every(({ pass }) => pass)).toBe(true);
  });

  it('is looked at by doctor in a real container, which leaves nothing behind', async () => {
    const { usable, findings } = JSON.parse((await reenact(['doctor', '--json'])).stdout);
    const { status, detail } = findings.find(({ check }: { check: string }) => check === 'determinism');
    expect({ usable, status, found: mechanismsOf(detail.replaceAll(', ', ',')) }).toEqual({
      ...{ usable: true, status: 'ok' },
      found: here,
    });
  });
});
