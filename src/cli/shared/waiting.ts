/** How a person hears of a wait that takes long. */

/** On a line of its own, also where progress is being drawn. */
export function tellWaiting(text: string): void {
  process.stderr.write(`\nreenact: ${text}\n`);
}
