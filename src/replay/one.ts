/** One replay: a fresh container, run, captured, removed; tried again only when the infrastructure failed. */
import { sleep } from '../base/clock.ts';
import { Fault, type FaultCode } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { OtherLost, Unanswered } from '../base/patience.ts';
import type { ContainerFacts } from '../sandbox/engine.ts';
import { assertRoom, type Ending, runContainer } from '../sandbox/run.ts';
import { captureState } from '../state/capture.ts';
import type { RawReplay } from '../verdict/decide.ts';
import type { RunContext } from './context.ts';
import type { Prepared } from './prepared.ts';
import { createSandbox, writtenBytes } from './sandbox.ts';
import { underLoad, type Variation, variationOf } from './vary.ts';

/** Failures that another try may not meet; everything else would only fail again. */
const WORTH_A_RETRY: readonly FaultCode[] = ['engine_failed', 'engine_unreachable'];
const RETRY_PAUSE_MS = 500;

type Result = Omit<RawReplay, 'index' | 'seed' | 'attempts'>;

async function attempt(
  c: RunContext,
  p: Prepared,
  seed: number,
  variation: Variation | undefined,
  extra: string[],
): Promise<Result & { log: Buffer | undefined }> {
  assertRoom(c.store.folder);
  const { preparedImage } = p;
  const plan = p.planFor(seed);
  const args = [
    '--timeout-ms',
    String(Math.round(plan.timeoutMs)),
    ...(preparedImage.way === 'archive' ? ['--hidden'] : []),
    ...plan.determinism,
    ...(variation?.taken ? ['--taken', String(variation.taken)] : []),
    ...(variation ? [variation.reversed ? '--reversed' : '--watched'] : []),
    ...extra,
    '--',
    ...plan.argv,
  ];
  const container = await createSandbox(c, p, args, variation);
  const { id } = container;
  try {
    const overlay = preparedImage.way === 'overlay' ? container.overlay : undefined;
    const ending = await runContainer(c.engine, id, {
      store: c.store,
      timeoutMs: plan.timeoutMs,
      outputBytes: plan.outputBytes,
      signal: c.signal,
      ...(overlay ? { writtenBytes: () => writtenBytes(overlay.upper) } : {}),
    });
    return { ...(await describe(p, container, ending)), log: ending.log };
  } finally {
    await c.scope.discard(id);
  }
}

/** Where it crashed, and where others did, as a row of the record has it. */
function crashFields(crashes: Ending['crashes']): Pick<Result, 'crash' | 'other_crashes'> {
  const { program, others = [], othersLeftOut = 0 } = crashes ?? {};
  return {
    ...(program ? { crash: program } : {}),
    ...(others.length + othersLeftOut > 0
      ? { other_crashes: { crashes: others, left_out: othersLeftOut } }
      : {}),
  };
}

async function describe(p: Prepared, container: ContainerFacts, ending: Ending): Promise<Result> {
  const common = { exit_code: ending.exitCode, signal: ending.signal, duration_ms: ending.durationMs };
  const complete = ending.ended === 'exit' || ending.ended === 'signal';
  const captured = complete ? await captureState(p.capture, container, ending, p.baseline) : undefined;
  if (complete && !captured) return { ...common, ended: 'write_limit', final_state_sha256: null };
  return {
    ...common,
    ended: ending.ended,
    final_state_sha256: captured?.sha256 ?? null,
    ...crashFields(ending.crashes),
    ...(ending.unproven ? { unproven_instructions: ending.unproven } : {}),
    ...(ending.obstacle ? { error: { code: ending.ended, message: ending.obstacle } } : {}),
  };
}

function varied(
  c: RunContext,
  p: Prepared,
  index: number,
  seed: number,
  extra: string[],
): ReturnType<typeof attempt> {
  const variation = c.vary ? variationOf(index) : undefined;
  const once = (): ReturnType<typeof attempt> => attempt(c, p, seed, variation, extra);
  return variation?.load ? underLoad(once) : once();
}

/** The same replay once more, with its event log; throws a Fault where the infrastructure failed. */
export function replayLogged(
  c: RunContext,
  p: Prepared,
  { index, seed }: Pick<RawReplay, 'index' | 'seed'>,
): ReturnType<typeof attempt> {
  return varied(c, p, index, seed, ['--log']);
}

/** The result of replay `index`; a Fault other than an interruption becomes part of the result. */
export async function replayOnce(
  c: RunContext,
  p: Prepared,
  index: number,
  seed: number,
): Promise<RawReplay> {
  const began = c.clock.monotonicMs();
  const common = { index, seed, ...(c.vary ? { varied: variationOf(index).name } : {}) };
  for (let attempts = 1; ; attempts++) {
    try {
      const { log: _log, ...result } = await varied(c, p, index, seed, c.core ? ['--core'] : []);
      return { ...common, attempts, ...result };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === 'interrupted' || c.signal.aborted)
        throw new Fault('interrupted', 'interrupted', error);
      // An engine that lives but was silent for long is not asked the same again: that would take as long once more.
      const stalled = error.cause instanceof Unanswered && !(error.cause instanceof OtherLost);
      if (WORTH_A_RETRY.includes(error.code) && !stalled && attempts <= LIMITS.retries) {
        await sleep(RETRY_PAUSE_MS * attempts, c.signal).catch(() => undefined);
        continue;
      }
      const nothing = { ended: null, final_state_sha256: null, exit_code: null, signal: null };
      const duration_ms = Math.round(c.clock.monotonicMs() - began);
      return {
        ...common,
        attempts,
        ...nothing,
        duration_ms,
        error: { code: error.code, message: error.message },
      };
    }
  }
}
