/** Bounds for outside programs that read hostile bytes: memory, processor time, open files, and what they write. */

const LIMITS = {
  /** Bytes of all that is mapped, files included, and bytes of memory beside files: unpacked sections, and what the engine builds from them. */
  addressBytes: 32 * 2 ** 30,
  dataBytes: 4 * 2 ** 30,
  cpuS: 900,
  openFiles: 64,
  /** Bytes of all answers to one batch, in a file: room for 16 KB each. */
  answersBytes: 2 ** 31,
};

/** The arguments with which prlimit(1) starts a program so that hostile bytes cannot take the machine: memory, time, what it writes, no core. */
export function confined(program: string, args: string[]): string[] {
  const { addressBytes, dataBytes, cpuS, openFiles, answersBytes } = LIMITS;
  return [
    `--as=${addressBytes}`,
    `--data=${dataBytes}`,
    `--cpu=${cpuS}`,
    `--nofile=${openFiles}`,
    `--fsize=${answersBytes}`,
    '--core=0',
    program,
    ...args,
  ];
}
