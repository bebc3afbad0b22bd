/** What an exit of 126 or 127 usually means: a shell or the loader did not find what it was to start. */
const MEANINGS: Readonly<Record<number, string>> = {
  126: 'a shell found the program, and could not execute it; its stderr says which',
  127: 'a shell or the loader did not find a program or a library; its stderr says which',
};

/** undefined where the exit status says nothing of the kind; a program may end so by its own choice. */
export function notFoundAdvice(exitCode: number | null): string | undefined {
  const meaning = MEANINGS[exitCode ?? 0];
  return (
    meaning &&
    `exit ${exitCode}: ${meaning}. Give a missing file as an input (reenact capture --input FILE) and name it /case/FILE, or use an image that has it`
  );
}
