/** What set-up tells the person: plain sentences on stderr, and one way to give up. */

export function say(text: string): void {
  process.stderr.write(`setup: ${text}\n`);
}

/** A problem that set-up cannot fix by itself; the message says what the user can do. */
export class SetupError extends Error {}
