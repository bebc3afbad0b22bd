/** A Sentry event (develop.sentry.dev, event payloads): frames oldest first, images in debug_meta. */

import { hex } from '../../base/hex.ts';
import { itemAt, present } from '../../base/list.ts';
import { pdbId } from '../../objects/common/identity.ts';
import {
  addressOf,
  FRAME_TRUSTS,
  type Frame,
  frameAt,
  imageFinder,
  type Thread,
  type Trace,
  type TraceImage,
  type WalkEnd,
} from '../model/trace.ts';
import { cutBy } from './cut.ts';
import { list, type Members, members, text } from './foreign.ts';
import type { TraceFormat } from './format.ts';
import { Scripts } from './javascript.ts';

/** Functions inlined at one address whose names are kept. */
const MOST_INLINED = 32;

/** A debug id has dashes, and an age behind the last; nil GUIDs say nothing. */
function debugId(value: unknown): { guid: string; age: number } | undefined {
  const found =
    /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?:-?([0-9a-f]{1,8}))?$/i.exec(
      text(value) ?? '',
    );
  if (!found) return undefined;
  const guid = found.slice(1, 6).join('').toUpperCase();
  return /^0+$/.test(guid) ? undefined : { guid, age: Number.parseInt(found[6] ?? '0', 16) };
}

function idsOf(type: string, image: Members): Pick<TraceImage, 'id' | 'debug_id'> {
  const debug = debugId(image.debug_id ?? image.uuid ?? image.id);
  const code = text(image.code_id)?.toLowerCase();
  const debug_id = debug ? `${debug.guid}${debug.age.toString(16)}` : null;
  if (type === 'elf') return { id: code && /^[0-9a-f]+$/.test(code) ? `elf:${code}` : null, debug_id };
  if (type === 'sourcemap') return { id: debug ? `js:${debug.guid.toLowerCase()}` : null, debug_id };
  if (type === 'macho' || type === 'apple')
    return { id: debug ? `macho:${debug.guid.toLowerCase()}` : null, debug_id };
  return { id: debug ? pdbId(debug.guid, debug.age).id : null, debug_id };
}

function imageFrom(value: unknown): TraceImage {
  const image = members(value);
  const [base, size] = [addressOf(image.image_addr), addressOf(image.image_size)];
  const type = text(image.type) ?? 'elf';
  return {
    ...idsOf(type, image),
    path: text(image.code_file) ?? text(image.debug_file) ?? text(image.name) ?? '',
    arch: type === 'sourcemap' ? 'javascript' : text(image.arch),
    base: base === undefined ? null : hex(base),
    size: size === undefined ? null : Number(size),
    sha256: null,
  };
}

interface Places {
  images: TraceImage[];
  find: ReturnType<typeof imageFinder>;
  /** Where the event names a source map; symbols cannot name frames of scripts without one. */
  scripts: Scripts | null;
}

function scriptFrame(frame: Members, { scripts }: Places): Frame[] {
  const [file, line] = [text(frame.abs_path) ?? text(frame.filename), Number(addressOf(frame.lineno) ?? 0n)];
  if (!scripts || file === null || line === 0) return [];
  const column = Number(addressOf(frame.colno) ?? 0n);
  return [scripts.frame({ name: text(frame.function), file, line, column })];
}

/** What the sender did to its addresses (develop.sentry.dev, stack trace interface): which of them are still return addresses. */
const RETURNS: Readonly<Record<string, (n: number) => boolean>> = {
  auto: (n) => n > 0,
  all_but_first: (n) => n > 0,
  all: () => true,
  none: () => false,
};

interface Physical {
  frame: Members;
  address: bigint | undefined;
  names: string[];
}

const placeKey = ({ function: name, lineno, filename }: Members): string => `${name} ${lineno} ${filename}`;

/**
 * The frames without those that were inlined into them: a processed stack lists each inlined call as a frame of its
 * own at the same address. A function that calls itself comes back to one address again and again, but then at the
 * same line of the same function, which begins the next frame. Innermost first, as the names are joined.
 */
function physical(frames: Members[]): Physical[] {
  const found: Physical[] = [];
  let [last, seen]: [Physical | undefined, Set<string> | null] = [undefined, null];
  for (const frame of frames) {
    const address = addressOf(frame.instruction_addr);
    const name = text(frame.function);
    if (last && address !== undefined && address === last.address) seen ??= new Set([placeKey(last.frame)]);
    else seen = null;
    if (!last || !seen || seen.has(placeKey(frame))) {
      last = { frame, address, names: name === null ? [] : [name] };
      seen = null;
      found.push(last);
      continue;
    }
    seen.add(placeKey(frame));
    if (name !== null && last.names.length < MOST_INLINED) last.names.push(name);
  }
  return found;
}

/** The stack as it was sent, where the server kept it beside its processed form; innermost first, as everywhere here. */
function framesFrom({ stacktrace, raw_stacktrace: raw }: Members, places: Places): Frame[] {
  const addressed = (stack: unknown): boolean =>
    list(members(stack).frames).some((frame) => addressOf(members(frame).instruction_addr) !== undefined);
  const stack = members(addressed(raw) ? raw : stacktrace);
  const adjustment = text(
    stack.instruction_addr_adjustment ?? members(stacktrace).instruction_addr_adjustment,
  );
  const returns =
    (adjustment !== null && Object.hasOwn(RETURNS, adjustment) && RETURNS[adjustment]) ||
    present(RETURNS.auto);
  return physical(list(stack.frames).toReversed().map(members)).flatMap(
    ({ frame, address, names }, n): Frame[] => {
      if (address === undefined) return scriptFrame(frame, places);
      const trust = FRAME_TRUSTS.find((one) => one === frame.trust) ?? 'unknown';
      const claimed = names.length === 0 ? null : names.join(', inlined in ');
      return [frameAt(address, places.images, places.find, { activation: !returns(n), trust, claimed })];
    },
  );
}

/** `frames_omitted`: the first frame that was left out, and the one behind the last. */
function endOf({ stacktrace, raw_stacktrace: raw }: Members): { ended?: WalkEnd } {
  const [from, to] = list(members(raw ?? stacktrace).frames_omitted).map(addressOf);
  if (from === undefined || to === undefined || to <= from || to > 1_000_000_000n) return {};
  return { ended: cutBy('the sender', `frames_omitted ${from} to ${to}`, Number(to - from)) };
}

export const sentry: TraceFormat = {
  name: 'sentry',
  title: 'a Sentry event',
  recognise: (file) => ['exception', 'threads', 'debug_meta'].some((member) => file.has(member)),
  parse: ({ members: event }) => fromSentry(event),
};

/** An exception's own stack is that of the thread that it names; other threads follow. */
function fromSentry(top: Members): Trace {
  const images = list(members(top.debug_meta).images).map(imageFrom);
  const mapped = images.some(({ arch }) => arch === 'javascript');
  const places: Places = {
    images,
    find: imageFinder(images),
    scripts: mapped ? new Scripts(images) : null,
  };
  const exceptions = list(members(top.exception).values ?? top.exception).map(members);
  const stacks = exceptions.filter(
    ({ stacktrace, raw_stacktrace }) => (stacktrace ?? raw_stacktrace ?? null) !== null,
  );
  const last = stacks.at(-1);
  const threads: Thread[] = last
    ? [
        {
          id: Number(addressOf(last.thread_id) ?? 0n),
          crashed: true,
          frames: framesFrom(last, places),
          ...endOf(last),
        },
      ]
    : [];
  for (const thread of list(members(top.threads).values ?? top.threads).map(members)) {
    const id = Number(addressOf(thread.id) ?? 0n);
    if (last && itemAt(threads, 0).id === id) continue;
    const crashed = thread.crashed === true && !last;
    threads.push({ id, crashed, frames: framesFrom(thread, places), ...endOf(thread) });
  }
  return { format: 'sentry', signal: text(last?.type), images, threads };
}
