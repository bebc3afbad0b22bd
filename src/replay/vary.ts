/** What run --vary changes around a program on purpose, one thing at a time, to show which of them it depends on. */
import { Worker } from 'node:worker_threads';

/** One thing that must not matter; nothing at all in the first. */
export interface Variation {
  name: string;
  hostname?: string;
  /** Processors it may use, as cpuset(7) writes them. */
  cpuset?: string;
  /** Process numbers used up before the program's. */
  taken?: number;
  /** Folders in reverse order. */
  reversed?: boolean;
  /** Whether a thread beside it keeps a processor busy. */
  load?: boolean;
}

const VARIATIONS: Variation[] = [
  { name: 'nothing' },
  { name: 'host name', hostname: 'elsewhere' },
  { name: 'processors', cpuset: '0' },
  { name: 'process numbers', taken: 7 },
  { name: 'order of folders', reversed: true },
  { name: 'load', load: true },
];

/** Each twice, so that a program that differs by itself is recognised. */
export const VARIED_REPLAYS: number = 2 * VARIATIONS.length;

/** The variation of a replay, counted from 1. */
export function variationOf(index: number): Variation {
  return VARIATIONS[(index - 1) % VARIATIONS.length]!;
}

/** Runs `work` while a thread counts beside it. */
export async function underLoad<T>(work: () => Promise<T>): Promise<T> {
  const worker = new Worker('for (;;);', { eval: true, execArgv: [] });
  try {
    return await work();
  } finally {
    await worker.terminate();
  }
}
