/** Hosts that lack something of full determinism, by switching it off here: told, and never silently lived with. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import type { Manifest } from '../../src/manifest/definition.ts';
import { RunFolder } from '../../src/replay/folder.ts';
import { type Mechanism, mechanismsOf } from '../../src/sandbox/mechanisms.ts';
import { processorText } from '../../src/sandbox/processor.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import {
  describeEngine,
  manifest,
  type RunHelp,
  reenact as reenactAs,
  replay,
  tempFolder,
  world,
  writeManifest,
} from '../support/world.ts';

const CPUID: Mechanism[] = ['cpuid_trap', 'cpuid_rewrite'];
/** Whatever a whole run of the tests is to do without: here it is said each time. */
const reenact: typeof reenactAs = (args, o = {}) =>
  reenactAs(args, { ...o, env: { ...o.env, REENACT_WITHOUT: '' } });
const ELSEWHERE = 'AMD family 0 model 0';

function run(command: string, without: Mechanism[], o: RunHelp = {}, more: Partial<Manifest> = {}) {
  const content = manifest(command, { replays: 3, limits: { timeout: 60 }, ...more });
  return replay(content, { determinism: { mode: 'full', without }, ...o });
}

describeEngine('a host', () => {
  let full: ReplayRecord;
  let here: Mechanism[];
  let processor: string;
  beforeAll(async () => {
    full = await run('/bin/entropy', []);
    here = full.environment?.mechanisms ?? [];
    processor = processorText(full.environment?.processor ?? null);
  });

  it('that lacks nothing says in the record what it has', () => {
    expect(full).toMatchObject({ verdict: 'reproduced', degraded: [] });
    expect(here.slice(0, 3)).toEqual(['call_trace', 'fixed_layout', 'clock_trap']);
    expect(CPUID.filter((name) => here.includes(name))).not.toEqual([]);
    expect(processor).toMatch(/^\S+ family \d+ model \d+$/);
  });

  it.each(CPUID)('without %s alone replays the very same where the other one is there', async (name) => {
    const others = here.filter((one) => one !== name);
    const record = await run('/bin/entropy', [name]);
    const whole = CPUID.some((one) => others.includes(one));
    expect(record.environment!.mechanisms).toEqual(others);
    expect(record.degraded).toHaveLength(whole ? 0 : 1);
    expect(record.final_state_sha256 === full.final_state_sha256).toBe(whole);
  });

  it.each(['default', 'forensic'])(
    'that cannot trace replays nothing, by the policy %s',
    async (policyName) => {
      const record = await run('/bin/entropy', ['call_trace'], { policyName });
      expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
      expect(record.message).toContain('call_trace');
    },
  );

  it.each([
    ['fixed_layout', ['fixed_layout'], 'addresses are random'],
    ['clock_trap', ['clock_trap'], 'rdtsc tells real time'],
    ['cpuid_trap', CPUID, 'cpuid tells this processor and core from others'],
  ] as [string, Mechanism[], string][])(
    'without %s replays, and says what is lost',
    async (name, missing, lost) => {
      const record = await run('/bin/entropy', missing);
      // What the mechanism kept away is there again: the switch is real.
      expect(record.replays).toHaveLength(3);
      for (const { final_state_sha256 } of record.replays)
        expect(final_state_sha256).not.toBe(full.final_state_sha256);
      expect(record.degraded.join()).toContain(`${name} (`);
      expect(record.degraded.join()).toContain(lost);
      expect(record.environment!.mechanisms).toEqual(here.filter((one) => !missing.includes(one)));
      const refused = await run('/bin/entropy', missing, { policyName: 'forensic' });
      expect(refused).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
      expect(refused.message).toContain(name);
    },
  );

  it('is asked for all by a policy’s gate, and passes with them', async () => {
    const policyName = join(tempFolder(), 'policy.json');
    writeFileSync(policyName, '{"version": 1, "gates": {"mechanisms": "all"}}');
    const refused = await run('/bin/entropy', ['clock_trap'], { policyName });
    expect(refused).toMatchObject({ verdict: 'inconclusive', reason: 'determinism_degraded', replays: [] });
    const passed = await run('/bin/entropy', [], { policyName });
    expect(passed.gates).toContainEqual({ name: 'mechanisms', threshold: 'all', value: 'all', pass: true });
  });

  it('resumes what it replayed itself, and nothing of another kind of machine', async () => {
    const folder = tempFolder();
    const first = await run('/bin/entropy', ['clock_trap'], { folder });
    const { harness_sha256, seccomp_sha256, mechanisms, processor: p, kernel } = first.environment!;
    const kept = (machine: unknown[] | undefined): number => {
      const given = [harness_sha256, seccomp_sha256, 'auto', 'full', 'clock_trap'];
      const runs = RunFolder.open(join(folder, 'out'), first.manifest_sha256!, given);
      rmSync(join(runs.path, 'record.json'), { force: true });
      if (machine) runs.tieTo(machine);
      const found = runs.resume().length;
      runs.close();
      return found;
    };
    expect(kept([mechanisms, p, kernel])).toBe(3);
    expect(kept([mechanisms, { ...p, model: 0 }, kernel])).toBe(0);
    expect(kept([mechanisms, p, '6.1.0'])).toBe(0);
    expect(kept(undefined)).toBe(0);
  });

  it('that leaves cpuid to the processor captures what holds on it alone, and says so everywhere', async () => {
    const cwd = tempFolder();
    const image = `${world.fixture.repository}@${world.fixture.manifest}`;
    const args = ['capture', '--image', image, '--without', 'cpuid', '--', '/bin/processor'];
    const captured = await reenact(args, { cwd });
    expect(captured.stdout).toContain(`  holds only on the same processor: ${processor}\n`);
    const content = JSON.parse(readFileSync(join(cwd, 'crash.json'), 'utf8')) as Manifest;
    expect(content.expect!.processor).toBe(processor);
    const go = (...more: string[]) => reenact(['run', 'crash.json', '--replays', '2', ...more], { cwd });

    const same = await go('--without', 'cpuid', '--allow-degraded');
    expect(same.stdout).toMatch(/^reproduced /);
    expect(same.stdout).toContain(`  holds only on the same processor: ${processor}\n`);

    // Where cpuid is answered, the program sees another processor: nothing follows about it.
    const whole = await go();
    expect(whole.stdout).toMatch(/^inconclusive .*\n +reason +other_processor: /);
    expect(whole.stdout).toContain(`one holds only on ${processor}, the other on every processor`);
    expect(whole.status).toBe(3);

    writeManifest(cwd, { ...content, expect: { ...content.expect, processor: ELSEWHERE } }, 'crash.json');
    const other = await go('--without', 'cpuid');
    expect(other.stdout).toContain(`one holds only on ${ELSEWHERE}, the other only on ${processor}`);
    expect(other.stdout).toMatch(/^reproduced /);
  });

  it('of another kind than a bundle’s is named when that is replayed, and nothing follows', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest('/bin/processor', { replays: 2 }), 'm.json');
    expect(await reenact(['run', 'm.json', '--bundle', 'b.tar'], { cwd })).toMatchObject({ status: 0 });
    const done = await reenact(['bundle', 'replay', 'b.tar', '--without', 'cpuid'], { cwd });
    const kinds = `one holds on every processor, the other only on ${processor}`;
    expect(done.stdout).toContain(`0 of 2 new replays ended in a recorded state`);
    expect(done.stdout).toContain(`; of the record and this replay, ${kinds}\n`);
    expect(done.status).toBe(3);
    const whole = await reenact(['bundle', 'replay', 'b.tar', '--json', '--allow-degraded'], { cwd });
    expect(JSON.parse(whole.stdout)).toMatchObject([{ same: true, kinds: null }]);
  });

  it('is looked at by many doctors at once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => reenact(['doctor'])));
    expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  it('is looked at by doctor in a real container, which leaves nothing behind', async () => {
    const [{ usable, findings }] = JSON.parse((await reenact(['doctor', '--json'])).stdout);
    const finding = (name: string) => findings.find(({ check }: { check: string }) => check === name);
    const { status, detail } = finding('determinism');
    expect({ usable, status, found: mechanismsOf(detail.replaceAll(', ', ',')) }).toEqual({
      ...{ usable: true, status: 'ok' },
      found: here,
    });
    expect(finding('processor').detail).toContain(processor);
    const narrowed = await reenact(['doctor', '--without', 'cpuid']);
    expect(narrowed.stdout).toContain(`results hold only on the same processor: ${processor}\n`);
    expect(narrowed.status).toBe(0);
    const nothing = await reenact(['doctor', '--without', 'call_trace']);
    expect(nothing.stdout).toContain('nothing is decided by the seed');
    expect(nothing.status).toBe(3);
  });
});
