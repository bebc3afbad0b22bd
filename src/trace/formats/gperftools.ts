/** Profiles of gperftools (cpuprofile-fileformat.html, heapprofile.html): addresses of memory in samples, then the maps they lie in. */
import { frameAt, imageFinder, type Thread, TRACE_LIMITS, type Trace } from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { imagesOfMaps } from './maps.ts';
import { linesOf } from './stacks.ts';

const HEAP = /^heap profile: /;
const SAMPLE = /^\s*\d{1,15}: +\d{1,20} \[[^\]]{1,64}\] @((?: 0x[0-9a-f]{1,16}){1,4096})\s*$/;
/** Words before the first sample, by the second of them. */
const MOST_DEPTH = 4096;

interface Samples {
  stacks: bigint[][];
  maps: string;
}

/** Words of 8 bytes, or of 4: a header that counts 3 further words, then count, depth and addresses of each sample. */
function cpuSamples(file: TraceFile, word: 4 | 8): Samples {
  const { bytes } = file;
  const at = (n: number): bigint => {
    const offset = n * word;
    if (offset + word > bytes.length) throw file.wrong('a profile of gperftools that was cut off');
    return word === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset));
  };
  const stacks: bigint[][] = [];
  let [n, frames] = [2 + Number(at(1)), 0];
  for (;;) {
    const [count, depth] = [at(n), Number(at(n + 1))];
    n += 2;
    if (depth > MOST_DEPTH)
      throw file.wrong(`a sample of ${depth} addresses, at most ${MOST_DEPTH} are read`);
    const stack = Array.from({ length: depth }, (_, i) => at(n + i));
    n += depth;
    // The profile ends with an empty sample at address 0.
    if (count === 0n && depth === 1 && stack[0] === 0n) break;
    frames += depth;
    if (frames > TRACE_LIMITS.frames) throw file.wrong(`more than ${TRACE_LIMITS.frames} frames`);
    stacks.push(stack);
  }
  return { stacks, maps: bytes.toString('utf8', n * word) };
}

function heapSamples(file: TraceFile): Samples {
  const stacks: bigint[][] = [];
  let frames = 0;
  for (const line of linesOf(file.text)) {
    const [, addresses] = SAMPLE.exec(line) ?? [];
    if (addresses === undefined) continue;
    const stack = addresses.trim().split(' ').map(BigInt);
    frames += stack.length;
    if (frames > TRACE_LIMITS.frames) throw file.wrong(`more than ${TRACE_LIMITS.frames} frames`);
    stacks.push(stack);
  }
  const maps = file.text.indexOf('\nMAPPED_LIBRARIES:');
  return { stacks, maps: maps < 0 ? '' : file.text.slice(maps) };
}

/** A sample of processor time begins where the thread was; one of memory where the allocator returns to. */
function traceOf({ stacks, maps }: Samples, innermost: boolean): Trace {
  const images = imagesOfMaps(linesOf(maps));
  const find = imageFinder(images);
  const threads = stacks.map(
    (stack, id): Thread => ({
      ...{ id, crashed: false },
      frames: stack.map((address, n) =>
        frameAt(address, images, find, {
          activation: innermost && n === 0,
          trust: 'prewalked',
          claimed: null,
        }),
      ),
    }),
  );
  return { format: 'gperftools', signal: null, images, threads };
}

/** Its first words are 0, 3 and 0. */
function wordOf({ bytes }: TraceFile): 4 | 8 | undefined {
  const words = bytes.toString('hex', 0, 24);
  if (words.startsWith('00000000000000000300000000000000')) return 8;
  return words.startsWith('000000000300000000000000') ? 4 : undefined;
}

export const gperftools: TraceFormat = {
  name: 'gperftools',
  title: 'a profile of gperftools',
  recognise: (file) => wordOf(file) !== undefined || HEAP.test(file.firstLine),
  parse: (file) => {
    const word = wordOf(file);
    return word ? traceOf(cpuSamples(file, word), true) : traceOf(heapSamples(file), false);
  },
};
