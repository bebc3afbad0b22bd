// Entry of every npm script: runs on any Node, brings in the pinned Node 24 and the packages, then hands over.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockSha = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const marker = join(root, 'node_modules', '.reenact-lock');

function run(file, args) {
  const { status, signal, error } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`setup: cannot run ${file}: ${error.message}`);
  return signal ? 130 : (status ?? 70);
}

if (process.argv[2] !== 'stop' || existsSync(marker)) {
  if (!existsSync(marker) || readFileSync(marker, 'utf8') !== lockSha) {
    console.error(
      'setup: installing the npm packages this project pins, and Node 24 as one of them (npm ci)',
    );
    // The scripts of packages stay off: none is needed, and each is a stranger's program.
    const status = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
    if (status !== 0) {
      console.error('setup: npm ci failed; see above. Nothing else was changed.');
      process.exit(status);
    }
    writeFileSync(marker, lockSha);
  }
  const pinned = join(root, 'node_modules', '.bin', 'node');
  const node = existsSync(pinned) ? pinned : process.execPath;
  const major = Number(spawnSync(node, ['-p', 'process.versions.node.split(".")[0]']).stdout);
  if (major < 24) {
    console.error(
      `setup: Node 24 or newer is needed; ${node} is ${major}, and no prebuilt one exists for this platform`,
    );
    process.exit(64);
  }
  process.exit(run(node, ['setup/main.ts', ...process.argv.slice(2)]));
}
