/** reenact bundle push and pull: bundles in registries, by their identity. */
import { EXIT, Fault } from '../base/fault.ts';
import { pullBundle } from '../bundle/registry/pull.ts';
import { pushBundle } from '../bundle/registry/push.ts';
import { parseReference } from '../bundle/registry/reference.ts';
import type { Transfer } from '../bundle/registry/remote.ts';
import { safe } from '../report/human.ts';
import type { Arguments } from './options.ts';
import { abortOnSignals } from './signals.ts';

/** Credentials come from the environment: other users can read a command line. */
export async function withTransfer<T>(work: (o: Transfer) => Promise<T>): Promise<T> {
  const { REENACT_REGISTRY_USER: user, REENACT_REGISTRY_PASSWORD: password } = process.env;
  const { signal, release } = abortOnSignals();
  const onBlob = (text: string): void => void process.stderr.write(`${text}\n`);
  const transfer = {
    signal,
    ...(user && password ? { credentials: { user, password } } : {}),
    ...(process.stderr.isTTY ? { onBlob } : {}),
  };
  return work(transfer).finally(release);
}

export async function pushCommand(a: Arguments): Promise<number> {
  const [file, to, ...more] = a.positionals;
  if (file === undefined || to === undefined || more.length > 0)
    throw new Fault('usage', 'name a bundle and where to push it: bundle push FILE HOST/REPOSITORY[:TAG]');
  const reference = parseReference(to);
  if (reference.digest)
    throw new Fault('usage', 'a bundle’s digest is its own: name a repository, and a tag if you want one');
  const { root, sent, blobs, attached } = await withTransfer((o) => pushBundle(file, reference, o));
  process.stdout.write(
    `${file}: pushed, ${sent} of ${blobs} blobs were not there yet, ${attached} attached\n  identity ${root}\n  pull     ${reference.repository}@${root}\n`,
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
  const reference = parseReference(from);
  const { root, sizeBytes, attached, others } = await withTransfer((o) => pullBundle(out, reference, o));
  if (reference.tag !== undefined)
    process.stderr.write(`${from} is ${root} now; a tag is no identity, whoever may push can move it\n`);
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
