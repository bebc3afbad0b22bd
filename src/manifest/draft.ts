/** A manifest to fill in: every field with a usual value has it. */
import { DEFAULTS } from '../base/limits.ts';

/** What only its author knows; nothing of this form is accepted in these fields, so none is run unfilled. */
export const BLANKS = {
  sandbox_image: '<REPOSITORY>',
  sandbox_image_sha256: '<sha256:DIGEST>',
  run_instructions: 'deterministic-run.sh --seed $seed -- <COMMAND>',
} as const;

/** Every field with a usual value has it; those that capture and sign write are left to them. */
export function manifestDraft(name: string): Record<string, unknown> {
  const { replays, cpus, memoryBytes, pids, timeoutS, outputBytes, user, determinism, clockStartS } =
    DEFAULTS;
  return {
    harness_version: '1',
    os: 'linux',
    name,
    ...BLANKS,
    seed: 1,
    inputs: [],
    env: {},
    user,
    limits: { cpus, memory: memoryBytes, pids, timeout: timeoutS, output: outputBytes },
    replays,
    determinism,
    schedule: 'in_order',
    clock_start: clockStartS,
  };
}
