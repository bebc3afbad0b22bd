/** Hosts that lack something of full determinism, by switching it off here: told, refused, and never silently lived with. */
import { expect, it } from 'vitest';

import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { describeEngine, manifest, reenact, replay } from '../support/world.ts';

const ALL: Mechanism[] = ['call_trace', 'fixed_layout', 'clock_trap', 'cpuid_trap'];

function run(command: string, without: Mechanism[], allowDegraded: boolean): Promise<ReplayRecord> {
  const determinism = { mode: 'full' as const, allowDegraded, without };
  return replay(manifest(command, { replays: 3, limits: { timeout: 60 } }), { determinism });
}

describeEngine('a host', () => {
  it('with every mechanism says so in the record', async () => {
    const record = await run('/bin/entropy', [], false);
    expect(record).toMatchObject({ verdict: 'reproduced', degraded: [] });
    expect(record.environment!.mechanisms).toEqual(ALL);
  });

  it.each(ALL)('without %s replays nothing, and names it', async (missing) => {
    const record = await run('/bin/entropy', [missing], false);
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
    expect(record.message).toContain(missing);
  });

  it('that cannot trace replays nothing, whatever is allowed', async () => {
    const record = await run('/bin/entropy', ['call_trace'], true);
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
  });

  it.each([
    ['fixed_layout', 'addresses are random'],
    ['clock_trap', 'rdtsc tells real time'],
    ['cpuid_trap', 'cpuid tells this processor from others'],
  ] as const)('without %s replays when that is allowed, and %s', async (missing, lost) => {
    const full = await run('/bin/entropy', [], false);
    const record = await run('/bin/entropy', [missing], true);
    // What the mechanism kept away is there again: the switch is real.
    for (const { final_state_sha256 } of record.replays)
      expect(final_state_sha256).not.toBe(full.final_state_sha256);
    expect(record.degraded.join()).toContain(`${missing} (`);
    expect(record.degraded.join()).toContain(lost);
    expect(record.environment!.mechanisms).toEqual(ALL.filter((name) => name !== missing));
  });

  it('without one never passes the forensic policy', async () => {
    const determinism = { mode: 'full' as const, allowDegraded: true, without: ['cpuid_trap' as const] };
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
    const done = await reenact(['doctor', '--json']);
    expect(JSON.parse(done.stdout)).toMatchObject({
      usable: true,
      findings: expect.arrayContaining([{ check: 'determinism', status: 'ok', detail: ALL.join(', ') }]),
    });
  });
});
