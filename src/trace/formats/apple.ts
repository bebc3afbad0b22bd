/** An Apple crash report (.ips, macOS 12 and iOS 15 on): a line of JSON about the report, then the report itself. */

import { hex } from '../../base/hex.ts';
import { itemAt } from '../../base/list.ts';
import {
  addressOf,
  type Frame,
  type Thread,
  type Trace,
  type TraceImage,
  wrongTrace,
} from '../model/trace.ts';
import { cutAt } from './cut.ts';
import { list, members, text } from './foreign.ts';
import type { TraceFormat } from './format.ts';

function imageFrom(value: unknown): TraceImage {
  const image = members(value);
  const uuid = (text(image.uuid) ?? '').replaceAll('-', '').toLowerCase();
  const known = /^[0-9a-f]{32}$/.test(uuid) && !/^0+$/.test(uuid);
  const [base, size] = [addressOf(image.base), addressOf(image.size)];
  return {
    id: known ? `macho:${uuid}` : null,
    debug_id: known ? `${uuid.toUpperCase()}0` : null,
    path: text(image.path) ?? text(image.name) ?? '',
    arch: text(image.arch),
    base: base === undefined ? null : hex(base),
    size: size === undefined ? null : Number(size),
    sha256: null,
  };
}

/** As many as its reports have of one stack. */
const MOST_FRAMES = 512;

interface Where {
  images: TraceImage[];
  /** As messages call it. */
  where: string;
  /** Whether its first frame, too, is where a call comes back to. */
  thrown?: true;
}

function frameFrom(value: unknown, n: number, { images, where, thrown }: Where): Frame {
  const frame = members(value);
  const offset = addressOf(frame.imageOffset);
  const index = addressOf(frame.imageIndex);
  if (offset === undefined) throw wrongTrace(where, `frame ${n} has no imageOffset`);
  const image = index !== undefined && index < BigInt(images.length) ? Number(index) : null;
  const base = image === null ? null : itemAt(images, image).base;
  // An image at 0 stands for none: there, the offset is the address.
  const absolute = base === null || BigInt(base) === 0n;
  return {
    image: absolute ? null : image,
    rel_addr: absolute ? null : hex(offset),
    ip: hex(absolute ? offset : offset + BigInt(base)),
    activation: n === 0 && !thrown,
    trust: 'prewalked',
    claimed: text(frame.symbol),
  };
}

export const apple: TraceFormat = {
  name: 'apple',
  title: 'an Apple .ips report',
  recognise: ({ firstLine, firstEnd }) =>
    firstEnd >= 0 && /^\{.*"(?:app_name|bug_type|incident_id)".*\}\s*$/.test(firstLine),
  parse: (file) => fromApple(file.json(file.bytes.subarray(file.firstEnd + 1)), file.name),
};

/** `report` is what stands behind the first line. */
function fromApple(report: unknown, where: string): Trace {
  const top = members(report);
  const images = list(top.usedImages).map(imageFrom);
  const threads = list(top.threads)
    .map(members)
    .map(
      (thread, i): Thread => ({
        id: Number(addressOf(thread.id) ?? BigInt(i)),
        crashed: thread.triggered === true || top.faultingThread === i,
        frames: list(thread.frames).map((frame, n) =>
          frameFrom(frame, n, { images, where: `${where}, thread ${i}` }),
        ),
      }),
    );
  // Where an uncaught exception was thrown: the thread itself stands in abort, which no code of the app called.
  const thrown = list(top.lastExceptionBacktrace).map((frame, n) =>
    frameFrom(frame, n, { images, where: `${where}, lastExceptionBacktrace`, thrown: true }),
  );
  if (thrown.length > 0)
    threads.unshift({ id: threads.find(({ crashed }) => crashed)?.id ?? 0, crashed: true, frames: thrown });
  cutAt(threads, 'ReportCrash', MOST_FRAMES);
  const { type, signal } = members(top.exception);
  return { format: 'apple', signal: text(signal) ?? text(type), images, threads };
}
