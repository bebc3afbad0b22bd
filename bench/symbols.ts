/** Functions and lines at 100,000 addresses of a large real file, beside llvm-symbolizer alone on the same addresses. */
import { spawnSync } from 'node:child_process';
import { closeSync, globSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../src/base/cache-folder.ts';
import { systemClock } from '../src/base/clock.ts';
import { readObject } from '../src/objects/object.ts';
import { engineVersion, symbolize } from '../src/symbolize/symbolize.ts';

/** Of Debian's own packages with debug information, a C++ one that is large and not too large to fetch. */
const PACKAGE = 'librados2-dbg';
const ADDRESSES = 100_000;
const ROUNDS = 3;

/** The largest debug file of that package, fetched once into the cache folder, its sections unpacked. */
function largeFile(): string | null {
  const folder = join(cacheFolder(process.env), 'bench', PACKAGE);
  const plain = join(folder, 'plain.debug');
  try {
    return statSync(plain).isFile() ? plain : null;
  } catch {}
  mkdirSync(folder, { recursive: true });
  const run = (program: string, args: string[]): boolean =>
    spawnSync(program, args, { cwd: folder }).status === 0;
  if (!run('apt-get', ['download', PACKAGE])) return null;
  for (const archive of globSync('*.deb', { cwd: folder })) run('dpkg-deb', ['-x', archive, 'x']);
  const found = globSync('x/usr/lib/debug/.build-id/*/*.debug', { cwd: folder })
    .map((path) => ({ path, size: statSync(join(folder, path)).size }))
    .sort((a, b) => b.size - a.size)[0];
  return found && run('objcopy', ['--decompress-debug-sections', found.path, plain]) ? plain : null;
}

/** Spread over all of the code, the same in each run. */
function addressesIn(path: string): bigint[] {
  const { size, start } = textOf(path);
  let state = 1;
  return Array.from({ length: ADDRESSES }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return start + BigInt(Math.floor((state / 2 ** 32) * size));
  });
}

function textOf(path: string): { start: bigint; size: number } {
  const { stdout } = spawnSync('readelf', ['-SW', path], { encoding: 'utf8' });
  const [, start, size] = /\.text +\S+ +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+)/.exec(stdout)!;
  return { start: BigInt(`0x${start}`), size: Number.parseInt(size!, 16) };
}

/** Milliseconds of llvm-symbolizer alone, its answers thrown away. */
function alone(path: string, list: string, style: string): number {
  const input = openSync(list, 'r');
  const began = systemClock.monotonicMs();
  spawnSync('llvm-symbolizer-19', [`--obj=${path}`, '--no-demangle', `--output-style=${style}`], {
    stdio: [input, 'ignore', 'ignore'],
  });
  closeSync(input);
  return systemClock.monotonicMs() - began;
}

async function ours(
  path: string,
  addresses: bigint[],
): Promise<{ ms: number; bytes: number; found: number }> {
  const { arch, base } = readObject(path).images[0]!;
  const distances = addresses.map((address) => address - BigInt(base));
  const before = process.memoryUsage.rss();
  let most = before;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 10);
  const began = systemClock.monotonicMs();
  const resolved = await symbolize({ path, arch, format: 'elf' }, distances);
  const ms = systemClock.monotonicMs() - began;
  clearInterval(looking);
  return { ms, bytes: most - before, found: resolved.filter(({ places }) => places.length > 0).length };
}

/** Prints the table; `given` is an ELF file to ask instead of Debian's. */
export async function benchSymbols(given?: string): Promise<void> {
  const path = given ?? largeFile();
  if (path === null) {
    process.stdout.write(
      `\nfunctions and lines: not measured, ${PACKAGE} cannot be fetched; name an ELF file\n`,
    );
    return;
  }
  const addresses = addressesIn(path);
  const list = join(cacheFolder(process.env), 'bench', 'addresses');
  mkdirSync(join(list, '..'), { recursive: true });
  writeFileSync(list, addresses.map((address) => `0x${address.toString(16)}\n`).join(''));
  const best = {
    ours: Number.POSITIVE_INFINITY,
    json: Number.POSITIVE_INFINITY,
    text: Number.POSITIVE_INFINITY,
  };
  let [bytes, found] = [0, 0];
  // Read once, so that none pays for the disk.
  spawnSync('cat', [path], { stdio: 'ignore' });
  for (let round = 0; round < ROUNDS; round++) {
    const run = await ours(path, addresses);
    [bytes, found] = [Math.max(bytes, run.bytes), run.found];
    best.ours = Math.min(best.ours, run.ms);
    best.json = Math.min(best.json, alone(path, list, 'JSON'));
    best.text = Math.min(best.text, alone(path, list, 'LLVM'));
  }
  const s = (ms: number): string => (ms / 1000).toFixed(2).padStart(8);
  const ratio = (theirs: number): string => (best.ours / theirs).toFixed(2).padStart(6);
  process.stdout.write(
    `\n${ADDRESSES} addresses of ${(statSync(path).size / 1e6).toFixed(0)} MB, ${found} of them known, the best of ${ROUNDS} rounds, s\n` +
      `  ours, each answer read       ${s(best.ours)}\n` +
      `  llvm-symbolizer ${await engineVersion()} alone  ${s(best.json)} ${ratio(best.json)}x  (aim <= 1.1x)\n` +
      `  the same, not as JSON        ${s(best.text)} ${ratio(best.text)}x\n` +
      `  our memory beside it         ${(bytes / 1e6).toFixed(0).padStart(8)} MB  (aim <= 200)\n`,
  );
}
