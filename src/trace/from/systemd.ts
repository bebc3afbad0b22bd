/** An entry of systemd-coredump (journalctl -o json): its message lists modules with build-ids, and each thread's stack. */
import { elfIds } from '../identity.ts';
import {
  addressOf,
  type Frame,
  hex,
  type Thread,
  type Trace,
  type TraceImage,
  traceImage,
} from '../trace.ts';

const MODULE =
  /^(?:Found module|Module) (\S+) (?:with build-id:? |from .* with build-id:? )([0-9a-f]{2,128})$/;
const THREAD = /^Stack trace of thread (\d{1,9}):$/;
const FRAME = /^#(\d{1,6})\s+(0x[0-9a-f]{1,16}) (.{1,4096}?) \((\S+) \+ (0x[0-9a-f]{1,16})\)$/;

interface Journal {
  MESSAGE?: unknown;
  COREDUMP_SIGNAL_NAME?: unknown;
}

/** Addresses are raw: a return address is where the call comes back to. The first thread is the one that crashed. */
export function fromSystemd(entry: Journal): Trace {
  const message = typeof entry.MESSAGE === 'string' ? entry.MESSAGE : '';
  const images: TraceImage[] = [];
  const byName = new Map<string, number>();
  const threads: Thread[] = [];
  const add = (path: string, buildId?: string): number => {
    const name = path.replace(/^.*\//, '');
    const known = byName.get(name);
    if (known !== undefined) return known;
    byName.set(name, images.length);
    return images.push(traceImage({ path, ...elfIds(buildId) })) - 1;
  };
  for (const line of message.split('\n').map((one) => one.trim())) {
    const [, module, buildId] = MODULE.exec(line) ?? [];
    if (module !== undefined) add(module, buildId);
    const [, id] = THREAD.exec(line) ?? [];
    if (id !== undefined) threads.push({ id: Number(id), crashed: threads.length === 0, frames: [] });
    const [, number, address, claimed, name, offset] = FRAME.exec(line) ?? [];
    if (number === undefined || threads.length === 0) continue;
    const image = name === 'n/a' ? null : add(name!);
    const frame: Frame = {
      image,
      rel_addr: image === null ? null : hex(addressOf(offset)!),
      ip: hex(addressOf(address)!),
      activation: Number(number) === 0,
      trust: 'prewalked',
      claimed: claimed === 'n/a' ? null : claimed!,
    };
    threads.at(-1)!.frames.push(frame);
  }
  const signal = typeof entry.COREDUMP_SIGNAL_NAME === 'string' ? entry.COREDUMP_SIGNAL_NAME : null;
  return { format: 'systemd', signal, images, threads };
}
