/** What set-up tells the person: plain sentences on stderr, and one way to give up. */

export function say(text: string): void {
  process.stderr.write(`setup: ${text}\n`);
}

/** Something set-up cannot mend by itself; the message says what the person can do. */
export class SetupError extends Error {}
