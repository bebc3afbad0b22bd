/** What Breakpad's minidump_stackwalk -m prints: a line a module, then a line a frame, fields between bars. */

import { pdbId } from '../identity.ts';
import { addressOf, type Frame, hex, type Thread, type Trace, type TraceImage } from '../trace.ts';

const DEBUG_ID = /^([0-9A-F]{32})([0-9a-fA-F]{1,8})$/;

function imageOf(system: string, fields: string[]): TraceImage {
  const [, code = '', , debug = '', id = '', from, to] = fields;
  const [, guid, age] = DEBUG_ID.exec(id) ?? [];
  const [base, end] = [addressOf(from), addressOf(to)];
  const known = guid !== undefined && !/^0+$/.test(guid);
  const windows = system.startsWith('Windows');
  const mac = system.startsWith('Mac') || system === 'iOS';
  return {
    // Of an ELF build-id the first 16 bytes are left, which is no id to compare.
    id: !known
      ? null
      : windows
        ? pdbId(guid, Number.parseInt(age!, 16)).id
        : mac
          ? `macho:${guid.toLowerCase()}`
          : null,
    debug_id: known ? `${guid}${age!.toLowerCase()}` : null,
    path: debug || code,
    arch: null,
    base: base === undefined ? null : hex(base),
    size: base === undefined || end === undefined || end < base ? null : Number(end - base) + 1,
    sha256: null,
  };
}

/** Where a function is named, the offset counts from it or from its line, so that the frame's own address is lost. */
export function fromStackwalk(text: string): Trace {
  const images: TraceImage[] = [];
  const byName = new Map<string, number>();
  const threads = new Map<string, Thread>();
  let [system, signal, crashed]: [string, string | null, string] = ['', null, '0'];
  for (const line of text.split(/\r?\n/)) {
    const fields = line.split('|');
    const [first = '', second = ''] = fields;
    if (first === 'OS') system = second;
    else if (first === 'Crash') [signal, crashed] = [second || null, fields[3] ?? '0'];
    else if (first === 'Module') {
      byName.set(second, images.length);
      images.push(imageOf(system, fields));
    } else if (/^\d{1,6}$/.test(first) && /^\d{1,6}$/.test(second) && fields.length >= 7) {
      const [module = '', name = '', , , offset] = fields.slice(2);
      const image = byName.get(module) ?? null;
      const address = addressOf(offset);
      const thread = threads.get(first) ?? { id: Number(first), crashed: first === crashed, frames: [] };
      threads.set(first, thread);
      const bare = name === '' && address !== undefined;
      const frame: Frame = {
        image: bare ? image : null,
        rel_addr: bare && image !== null ? hex(address) : null,
        ip: bare && image === null ? hex(address) : null,
        activation: Number(second) === 0,
        trust: 'prewalked',
        claimed: name === '' ? null : `${module}!${name}`,
      };
      thread.frames.push(frame);
    }
  }
  return { format: 'stackwalk', signal, images, threads: [...threads.values()] };
}
