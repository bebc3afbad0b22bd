/** What doctor ends with: commands that lead on from what it found, as they can be typed on this machine. */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { packageFile } from '../../base/package-files.ts';
import type { Finding } from '../../library/doctor.ts';
import { quoteWord } from '../../manifest/instructions.ts';
import { correctedHost } from '../../sandbox/endpoint.ts';

/** What of this machine decides how a command is typed. */
export interface Place {
  /** `reenact`, or its path where PATH has it not. */
  command: string;
  /** The clone that this runs from; undefined in a package, which has no set-up. */
  clone: string | undefined;
  apt: boolean;
  root: boolean;
  /** What corrects a DOCKER_HOST that cannot be read; undefined where it can be, or is not set. */
  mistyped: string | undefined;
}

function onPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    const found = join(folder || '.', 'reenact');
    return existsSync(found) && realpathSync(found) === realpathSync(program);
  });
}

/** This machine, by its environment. */
export function placeHere(env: NodeJS.ProcessEnv): Place {
  const program = packageFile('bin/reenact');
  return {
    command: onPath(program, env.PATH ?? '') ? 'reenact' : quoteWord(program),
    clone: existsSync(packageFile('setup/main.ts')) ? packageFile('.') : undefined,
    apt: existsSync('/usr/bin/apt-get'),
    root: process.getuid?.() === 0,
    mistyped: env.DOCKER_HOST ? correctedHost(env.DOCKER_HOST) : undefined,
  };
}

/** The commands, in the order in which they are typed; none where a machine of another kind is needed. */
export function nextCommands(findings: Finding[], place: Place): string[] {
  const { command, clone, apt, root, mistyped } = place;
  const missing = findings.filter(({ status }) => status === 'missing').map(({ check }) => check);
  if (missing.length === 0)
    return [
      `${command} init crash.json`,
      '# fill in what stands between < and > in crash.json, then:',
      `${command} run crash.json`,
    ];
  if (missing.includes('processor'))
    return [
      '# put in the address of an engine on an x86-64 machine, then:',
      `export DOCKER_HOST=tcp://HOST:PORT`,
      `${command} doctor`,
    ];
  if (missing.includes('engine') && mistyped) return [mistyped, `${command} doctor`];
  if (missing.includes('engine') || missing.includes('harness')) {
    if (clone) return [`eval "$(npm --prefix ${quoteWord(clone)} run -s setup)"`, `${command} doctor`];
    if (!missing.includes('engine')) return [];
    if (apt) return [`${root ? '' : 'sudo '}apt-get install -y docker.io`, `${command} doctor`];
    return [
      '# put in the path of your engine’s socket, then:',
      `export DOCKER_HOST=unix:///PATH/TO/docker.sock`,
      `${command} doctor`,
    ];
  }
  return missing.every((check) => check === 'determinism')
    ? [`${command} run crash.json --determinism off`]
    : [];
}
