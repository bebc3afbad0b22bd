/** Lines of /proc/PID/maps, which profiles end with: each file that was mapped as one image. */

import { hex } from '../../base/hex.ts';
import { present } from '../../base/list.ts';
import { type TraceImage, traceImage } from '../model/trace.ts';

const LINE =
  /^\s*([0-9a-f]{1,16})-([0-9a-f]{1,16}):? ([-rwxps]{4}) ([0-9a-f]{1,16}) \S{1,16} \d{1,20}\s+(\S.{0,4095})$/;

/** An image begins where the first byte of its file was mapped; if that byte was not mapped, no addresses count from the image. */
export function imagesOfMaps(lines: Iterable<string>): TraceImage[] {
  const byPath = new Map<string, { base: bigint | null; end: bigint; start: bigint }>();
  for (const line of lines) {
    const [, from, to, , offset, path] = LINE.exec(line) ?? [];
    if (from === undefined || present(path).startsWith('[')) continue;
    const [start, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
    const found = byPath.get(present(path)) ?? { base: null, end, start };
    if (BigInt(`0x${offset}`) === 0n) found.base ??= start;
    if (end > found.end) found.end = end;
    byPath.set(present(path), found);
  }
  return [...byPath].flatMap(([path, { base, end }]) =>
    base === null || end <= base ? [] : [traceImage({ path, base: hex(base), size: Number(end - base) })],
  );
}
