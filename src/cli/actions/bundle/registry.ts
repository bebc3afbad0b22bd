/** reenact bundle push and pull: bundles in registries, by their identity. */
import { EXIT, Fault } from '../../../base/fault.ts';
import { safe } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { transferText, withReenact } from '../../shared/door.ts';

export async function pushCommand(a: Arguments): Promise<number> {
  const [file, to, ...more] = a.positionals;
  if (file === undefined || to === undefined || more.length > 0)
    throw new Fault('usage', 'name a bundle and where to push it: bundle push FILE HOST/REPOSITORY[:TAG]');
  const { root, sent, blobs, attached, reference } = await withReenact({ onEvent: transferText }, (reenact) =>
    reenact.pushBundle(file, to),
  );
  process.stdout.write(
    `${file}: pushed, ${sent} of ${blobs} blobs were not there yet, ${attached} attached\n  identity ${root}\n  pull     ${reference}\n`,
  );
  return EXIT.ok;
}

export async function pullCommand(a: Arguments): Promise<number> {
  const [from, ...more] = a.positionals;
  const out = a.text('out');
  if (from === undefined || out === undefined || more.length > 0)
    throw new Fault(
      'usage',
      'name a bundle and where to put it: reenact bundle pull HOST/REPOSITORY@sha256:… --out FILE',
    );
  const { root, sizeBytes, attached, byTag, others } = await withReenact(
    { onEvent: transferText },
    (reenact) => reenact.pullBundle(from, out),
  );
  if (byTag)
    process.stderr.write(
      `${from} is ${root} now; a tag is no identity, every account that may push can move it\n`,
    );
  if (others.length > 0)
    process.stderr.write(
      `left out, for it is no part of a bundle: ${others.length} attached by others (${[...new Set(others)]
        .slice(0, 5)
        .map((type) => safe(type).slice(0, 100))
        .join(', ')})\n`,
    );
  process.stdout.write(`${out}: ${sizeBytes} bytes, ${attached} attached\n  identity ${root}\n`);
  return EXIT.ok;
}
