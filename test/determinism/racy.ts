/** Programs that race: random mixes of locks, conditions, atomics, pipes, forks and sleeps, each from a seed. */
import { type Program, parseProgram } from './programs.ts';

/** Mulberry32: the same numbers from the same seed on every machine. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof numbers>;

/** Steps by kind; `thread` names the children and short threads of a thread by a letter of their own. */
const STEPS: ((r: Random, thread: number) => string)[] = [
  (r) => `in_lock(${r(3)}, ${200 * (1 + r(10))});`,
  (r) => `in_lock(0, ${200 * (1 + r(10))});`,
  (r) => {
    const first = r(3);
    return `in_two_locks(${first}, ${(first + 1 + r(2)) % 3}, ${100 * (1 + r(5))});`;
  },
  (r) => `try_lock(${r(3)});`,
  (r) => `as_reader(${100 * r(10)});`,
  () => 'as_writer();',
  (r) => `by_condition(${400 * r(8)});`,
  (r) => `by_pipe(${r(2)}, me, ${400 * r(8)});`,
  (r) => `by_semaphore(${400 * r(8)});`,
  (r) => `by_event(me, ${400 * r(8)});`,
  (r) => `timed_condition(${20 + r(300)});`,
  (r) => `look_into_pipe(${r(2)}, ${r(2)});`,
  (r) => `add_word(${r(4)});`,
  (r) => `swap_word(${r(4)}, ${1 + r(6)});`,
  (r) => `sleep_ns(${1000 * r(300)});`,
  () => 'sched_yield();',
  (r) => `work(${500 * (1 + r(8))});`,
  (_, thread) => `with_thread('${String.fromCharCode(0x30 + thread)}');`,
];

function forking(r: Random, thread: number): string {
  return `with_child('${String.fromCharCode(0x61 + thread)}', ${1 + r(6)}, ${500 * r(8)}, ${r(2)});`;
}

/** One thread's part in one phase: loops of some steps, and now and then a child. */
function part(r: Random, thread: number, forks: boolean): string {
  const loops = Array.from({ length: 1 + r(2) }, () => {
    const steps = Array.from({ length: 2 + r(4) }, () => `    ${STEPS[r(STEPS.length)]!(r, thread)}`);
    return `  for (int n = 0; n < ${4 + r(16)}; n++) {\n${steps.join('\n')}\n  }`;
  });
  if (forks && r(3) === 0) loops.splice(r(loops.length + 1), 0, `  ${forking(r, thread)}`);
  return loops.join('\n');
}

/** The program of a seed. All threads meet between phases. */
export function racyProgram(seed: number): Program {
  const r = numbers(seed);
  const threads = 2 + r(7);
  const phases = 1 + r(3);
  const forks = r(2) === 0;
  const parts = Array.from({ length: phases }, (_, p) =>
    Array.from(
      { length: threads },
      (_, t) => `static void part_${p}_${t}(void) {\n${part(r, t, forks)}\n}`,
    ).join('\n\n'),
  );
  const table = Array.from(
    { length: phases },
    (_, p) => `    {${Array.from({ length: threads }, (_, t) => `part_${p}_${t}`).join(', ')}},`,
  );
  const name = `racy-${String(seed).padStart(3, '0')}`;
  const text = `/* 5 ${threads} threads${forks ? ' and children' : ''}: generated from seed ${seed}. */
#include "racy.h"

${parts.join('\n\n')}

static void *body(void *number) {
  static void (*const parts[${phases}][${threads}])(void) = {
${table.join('\n')}
  };
  me = enter(number);
  for (int p = 0; p < ${phases}; p++) {
    parts[p][(long)number]();
    pthread_barrier_wait(&phase);
  }
  printf("%c saw %08x\\n", me, seen);
  return NULL;
}

int main(void) {
  begin_race(${threads});
  run_threads(${threads}, body);
  end_race();
  return 0;
}
`;
  return parseProgram(name, text);
}
