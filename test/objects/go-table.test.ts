/** Go's own table of functions: programs without debug information keep their names, lines and inlined calls; damaged tables are refused. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { readObject } from '../../src/objects/object.ts';
import { qualityOf } from '../../src/objects/quality.ts';
import { goPlaces } from '../../src/symbolize/go-places.ts';
import { type Trace, traceImage } from '../../src/trace/model/trace.ts';
import { joinedWith, shown } from '../support/real-symbols.ts';
import { run } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

const GO = '/usr/bin/go';
const SOURCE = `package main

type T struct{ n *int }

func small(p *int) int { return *p + 1 }

func (t *T) culprit() int { return small(t.n) * 2 }

//go:noinline
func caller(t *T) int {
	return t.culprit() + 1
}

func main() { println(caller(&T{})) }
`;
const CHAIN = 'main.small main.go:5 <- main.(*T).culprit main.go:7 <- main.caller main.go:11';

/** A program with debug information, and the address of the first instruction of caller in it. */
function built(...flags: string[]): { path: string; caller: bigint } {
  const folder = tempFolder();
  writeFileSync(join(folder, 'main.go'), SOURCE);
  writeFileSync(join(folder, 'go.mod'), 'module x\ngo 1.18\n');
  const env = {
    ...process.env,
    GOFLAGS: '-mod=mod',
    GOCACHE: join(folder, 'cache'),
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  execFileSync(GO, ['build', ...flags, '-o', 'program', '.'], { cwd: folder, env });
  const path = join(folder, 'program');
  const line = run('nm', [path])
    .split('\n')
    .find((one) => one.endsWith(' main.caller'));
  return { path, caller: BigInt(`0x${line!.split(' ')[0]}`) };
}

function stripped(path: string): string {
  const to = join(tempFolder(), 'stripped');
  run('strip', ['-o', to, path]);
  return to;
}

async function names(path: string, addresses: bigint[]): Promise<string[]> {
  const { base } = readObject(path).images[0]!;
  const rel = BigUint64Array.from(addresses.map((one) => one - BigInt(base)));
  return (await goPlaces({ path, format: 'elf', arch: 'x86_64' }, rel)).map(({ places }) => shown(places));
}

describe.skipIf(!existsSync(GO))('Go’s table (skipped where there is no go)', () => {
  let [path, caller, bare] = ['', 0n, ''];
  beforeAll(() => {
    ({ path, caller } = built());
    bare = stripped(path);
  });

  it('names functions, lines and inlined calls of a stripped program, at a fixed place or a moved one', async () => {
    const { path: moved, caller: at } = built('-buildmode=pie');
    for (const [one, from] of [
      [bare, caller],
      [stripped(moved), at],
    ] as const) {
      const found = await names(
        one,
        Array.from({ length: 16 }, (_, i) => from + BigInt(i)),
      );
      expect(found).toContain(CHAIN);
      expect(await names(one, [0x10n, from + (1n << 40n)])).toEqual(['', '']);
    }
  });

  it('makes a stripped program as good as a Breakpad file, and Go’s own id names its build', async () => {
    const [{ images }, whole] = [readObject(bare), readObject(path)];
    expect(qualityOf('elf', images[0]!).level).toBe('lines');
    expect(images[0]!.id).toMatch(/^go:[\w-]+\/[\w-]+\/[\w-]+\/[\w-]+$/);
    // The copy that was stripped, and the one that was kept.
    expect(images[0]!.id).toBe(whole.images[0]!.id);
    const rel = caller - BigInt(images[0]!.base);
    const frame = { image: 0, ip: null, activation: true, trust: 'context', claimed: null } as const;
    const frames = Array.from({ length: 16 }, (_, i) => ({
      ...frame,
      rel_addr: `0x${(rel + BigInt(i)).toString(16)}`,
    }));
    const trace: Trace = {
      ...{ format: 'native', signal: 'SIGSEGV', images: [traceImage({ id: images[0]!.id, path: '/app' })] },
      threads: [{ id: 1, crashed: true, frames }],
    };
    const joined = await joinedWith(trace, { symbols: [bare], shipped: [bare] });
    expect(joined.map(({ gap, shown: chain }) => `${gap}: ${chain}`)).toContain(`null: ${CHAIN}`);
  });

  it('that is damaged is refused, or names less; it never hangs', async () => {
    const bytes = readFileSync(bare);
    const table = run('readelf', ['-SW', bare])
      .split('\n')
      .find((one) => one.includes('.gopclntab'))!;
    const [, offset, size] = /PROGBITS +\w+ (\w+) (\w+)/.exec(table)!.map((one) => Number.parseInt(one, 16));
    const damaged = join(tempFolder(), 'damaged');
    const before = performance.now();
    for (let n = 0; n < 40; n++) {
      const copy = Buffer.from(bytes);
      // Its heads first, then anywhere.
      const at = offset! + 8 + (n < 20 ? 4 * n : Math.floor((size! / 20) * (n - 20)));
      copy.fill(n % 2 === 0 ? 0xff : 0x80, at, at + 4 + 400 * (n % 3));
      writeFileSync(damaged, copy);
      await names(damaged, [caller, caller + 6n]).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Fault);
      });
    }
    expect(performance.now() - before).toBeLessThan(60_000);
  });
});
