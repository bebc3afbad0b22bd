/** node setup/readme.ts LOG: puts what `npm run demo 2>&1 | tee LOG` printed into README.md and docs/walkthrough.md, and says of which commands. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENTS = ['README.md', 'docs/walkthrough.md'].map((name) => join(import.meta.dirname, '..', name));
const COMMAND = /^\$ /;
/** What only a person waits for, and set-up's own lines. */
const PASSING = /^setup: |, \d+ s left$/;

interface Printed {
  command: string;
  lines: string[];
}

/** The same command of another run: digests, the registry's port and the seeds that were tried may be others. */
const keyOf = (command: string): string =>
  command.replace(/sha256:\S+|127\.0\.0\.1:\d+|--seeds? [\d.]+|0x[0-9a-f]+/g, '#');

function readLog(path: string): Map<string, Printed> {
  const found = new Map<string, Printed>();
  let last: Printed | undefined;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (COMMAND.test(line)) {
      last = { command: line, lines: [] };
      found.set(keyOf(line), last);
    } else if (line.startsWith('As it should be')) last = undefined;
    else if (!PASSING.test(line)) last?.lines.push(line);
  }
  return found;
}

/** A block of README whose commands are all the demo's, as the log has them; any other as it is. */
function renewed(block: string, log: Map<string, Printed>): string {
  const commands = block.split('\n').filter((line) => COMMAND.test(line));
  const printed = commands.map((line) => log.get(keyOf(line)));
  if (commands.length === 0 || printed.some((one) => !one)) return block;
  process.stdout.write(`${commands.join('\n')}\n`);
  return printed.map((one) => `${one!.command}\n${one!.lines.join('\n').trimEnd()}\n`).join('\n');
}

const log = readLog(process.argv[2]!);
for (const path of DOCUMENTS)
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(
      /^```\n([\s\S]*?)^```$/gm,
      (_all, block: string) => `\`\`\`\n${renewed(block, log)}\`\`\``,
    ),
  );
