/** An engine of a test's own: to be killed, or shut off from this machine's loopback interface. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../../setup/packages.ts';
import { sleep } from '../../src/base/clock.ts';
import { connectDocker } from '../../src/sandbox/docker.ts';
import type { Engine } from '../../src/sandbox/engine.ts';

export class OwnEngine {
  readonly address: string;
  private readonly home: string;
  private readonly socket: string;
  private readonly isolated: boolean;
  private daemon: ReturnType<typeof spawn> | undefined;

  /** `isolated`: in a network of its own, as in a virtual machine, where 127.0.0.1 is another. */
  constructor(home: string, isolated = false) {
    this.home = home;
    this.socket = join(home, 's');
    this.address = `unix://${this.socket}`;
    this.isolated = isolated;
  }

  /** Where the containerd listens that it brings with it. */
  get containerd(): string {
    return join(this.home, 'e/containerd/containerd.sock');
  }

  connect(): Promise<Engine> {
    return connectDocker({ socketPath: this.socket }, this.address);
  }

  async start(): Promise<Engine> {
    const command = [
      ...(this.isolated ? [findProgram('unshare')!, '--net'] : []),
      findProgram('dockerd')!,
      ...['--host', this.address],
      ...['--data-root', join(this.home, 'd'), '--exec-root', join(this.home, 'e')],
      ...['--pidfile', join(this.home, 'p')],
      ...['--bridge=none', '--iptables=false', '--ip6tables=false'],
    ];
    this.daemon = spawn(command[0]!, command.slice(1), { stdio: 'ignore' });
    for (let tries = 0; tries < 300; tries++) {
      const engine = await this.connect().catch(() => undefined);
      if (engine) return engine;
      await sleep(100);
    }
    throw new Error('the second engine did not start');
  }

  kill(signal: NodeJS.Signals): void {
    this.daemon?.kill(signal);
  }

  /** Ends it and takes away what it mounted. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    while (this.daemon && this.daemon.exitCode === null && this.daemon.signalCode === null) await sleep(50);
    for (const mount of readFileSync('/proc/mounts', 'utf8').split('\n'))
      if (mount.includes(this.home)) execFileSync('umount', ['-l', mount.split(' ')[1]!]);
  }
}
