/** LLVM's symbolizer on one file of symbols: a process of its own with hostile bytes to read, which may die at any address. */
import { exec, execAlong } from '../base/exec.ts';
import { asFault, Fault } from '../base/fault.ts';
import { confined } from './confined.ts';
import type { Stage } from './stage.ts';

export const ENGINE = 'llvm-symbolizer-19';

const LIMITS = {
  /** How long it may give no answer at all: the first one comes after all compressed sections were unpacked. */
  stallMs: 120_000,
  /** The longest answer: as long as a hundred thousand nested calls. */
  answerBytes: 16 << 20,
  /** How many addresses are written at once. */
  inputLines: 4096,
};

/** The engine asks no servers, does not restart itself to explain its own crash, and takes no options from outside. */
const ENV = { DEBUGINFOD_URLS: '', LLVM_DISABLE_SYMBOLIZATION: '1', LLVM_SYMBOLIZER_OPTS: '', LC_ALL: 'C' };

function* linesOf(addresses: BigUint64Array): Generator<string> {
  for (let at = 0; at < addresses.length; at += LIMITS.inputLines) {
    let text = '';
    for (const address of addresses.subarray(at, at + LIMITS.inputLines))
      text += `0x${address.toString(16)}\n`;
    yield text;
  }
}

/** Splits its output into lines; false where a line is too long. */
function lineCutter(each: (line: string) => void): (piece: Buffer) => boolean {
  let rest: Buffer[] = [];
  let length = 0;
  return (piece) => {
    let at = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, at)) {
      const last = piece.subarray(at, end);
      each((rest.length === 0 ? last : Buffer.concat([...rest, last])).toString('utf8'));
      if (rest.length > 0) [rest, length] = [[], 0];
      at = end + 1;
    }
    if (at < piece.length) {
      rest.push(Buffer.from(piece.subarray(at)));
      length += piece.length - at;
    }
    return length <= LIMITS.answerBytes;
  };
}

/**
 * Asks for addresses of the file on the stage and hands over the answers, JSON, in the same order, as they come; returns
 * how many came. If they are fewer than were asked for, it died, hung, or did not finish the next one.
 */
export async function ask(
  stage: Stage,
  addresses: BigUint64Array,
  o: { program: string; arch: string; inlines: boolean },
  each: (answer: string) => void,
): Promise<number> {
  const none = `${stage.folder}/nothing`;
  const args = [
    `--obj=${stage.object}`,
    `--default-arch=${o.arch === 'x86' ? 'i386' : o.arch}`,
    `--dwp=${stage.noSplit}`,
    `--debug-file-directory=${none}`,
    `--fallback-debug-path=${none}`,
    ...['--no-debuginfod', '--no-demangle', '--output-style=JSON'],
    o.inlines ? '--inlines' : '--no-inlines',
  ];
  let count = 0;
  let failure: unknown;
  const cut = lineCutter((line) => {
    each(line);
    count++;
  });
  const take = (piece: Buffer): boolean => {
    try {
      return cut(piece);
    } catch (error) {
      failure = error;
      return false;
    }
  };
  const { stallMs } = LIMITS;
  const exitCode = await execAlong('prlimit', confined(o.program, args), {
    ...{ input: linesOf(addresses), outputPath: `${stage.folder}/answers`, take, stallMs },
    ...{ cwd: stage.folder, env: ENV },
  }).catch((error: unknown) => {
    throw asFault('symbolizer_missing', 'prlimit (Debian: util-linux) cannot be started', error);
  });
  if (failure) throw failure;
  // The exit statuses of prlimit where it cannot start a program.
  if (count === 0 && (exitCode === 126 || exitCode === 127))
    throw new Fault('symbolizer_missing', `${o.program} cannot be started`);
  return count;
}

/** The engine's version, such as 19.1.7: it is kept with what the engine said. Throws a Fault where there is no engine. */
export async function engineVersion(): Promise<string> {
  try {
    const { stdout } = await exec(ENGINE, ['--version'], { timeoutMs: 30_000, outputBytes: 1 << 16 });
    return /version (\S+)/.exec(Buffer.from(stdout).toString())![1]!;
  } catch (error) {
    throw asFault('symbolizer_missing', `${ENGINE} cannot be started`, error);
  }
}
