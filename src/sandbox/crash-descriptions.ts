/** What each field of a crash means, as the JSON Schema of records says it; docs/determinism.md says more. */

export const CRASH = {
  process: 'Which process crashed; left out by earlier releases: the program itself',
  signal: 'The signal that ended it, for example SIGSEGV',
  code: 'The signal’s si_code, of sigaction(2)',
  fault:
    'What the fault’s address lies in; null where the signal is no fault, or the processor named no address',
  thread: 'Number of the thread that crashed',
  threads: 'Numbers of the threads it had, at most 64',
  thread_count: 'How many threads it had',
  frames: 'The stack, innermost first: where the thread stood, then return addresses',
  walk_ended: 'Why there are no more frames; outermost: there are none',
  modules: 'Files of which something executable was mapped',
  modules_left_out: 'How many more such files there were',
  registers: 'The thread’s registers by name, hexadecimal',
  core: 'The ELF core that was kept; null: none',
};

export const PROCESS = {
  pid: 'Its process number in the sandbox',
  parent: 'Its parent’s process number; 1 where PID 1 started it, or it was orphaned',
  program: 'Path of what it executed, which the guest chooses; "hex:" and its bytes where it is not UTF-8',
};

export const PLACE = {
  area: 'What kind of memory the address lies in',
  module: 'Path of the file that is mapped there; null where the area is no module',
  build_id: 'The file’s build-id, hexadecimal; null where it has none, or the area is no module',
  offset:
    'Distance from the lowest address of the module or mapping, hexadecimal; null where nothing is mapped',
};

export const FAULT = { address: 'The address itself, hexadecimal' };

export const FRAME = {
  by: 'How the frame was found',
  function:
    'The function by the symbols of the file, which prove nothing; null where they name none; left out where they were not read',
};

export const FUNCTION = {
  name: 'Its name, as the symbols spell it; "hex:" and its bytes where it is not UTF-8',
  offset: 'Distance from its beginning, hexadecimal',
};

export const MODULE = {
  path: 'Path of the file; "hex:" and its bytes where it is not UTF-8',
  base: 'Its lowest address, hexadecimal',
  build_id: 'Its build-id, hexadecimal; null where it has none',
  sha256: 'Digest of the file at that path after the crash; null where it was not hashed',
  not_hashed: 'Why it was not hashed; too_large: the files together exceed 256 MiB; null where it was',
};

export const CORE = { size: 'Its size in bytes', sha256: 'Its digest' };
