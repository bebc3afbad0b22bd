/** What the addresses of a trace count from: programs with one id can differ in their lowest address, and profiles give offsets in the file. */

import { hex } from '../../base/hex.ts';
import type { Image, Layout } from '../../objects/common/identity.ts';
import type { TraceImage } from './trace.ts';

/** Empty: the image's lowest address; `file`: the beginning of its file; else the address at which its lowest one lay, 0x0: those of the linker. */
export type Basis = string;

const PAGE_BYTES = 4096n;
/** Programs that are not moved lie below this address; a kernel loads movable programs there only on 32-bit processors. */
const FIXED_BELOW = 0x1000_0000n;
/** Profiles whose mappings name an offset in the file, but not the linker's address for it. */
const BY_FILE = new Set(['pprof', 'perf', 'otlp']);
/** If a reader gives an image this beginning, its addresses are the linker's own. */
const LINKED = '0x0';

/** The basis of an image of a trace; an image without an id is not looked up. */
export function basisOf({ id, debug_id, sha256, base }: TraceImage, format: string): Basis {
  const isElf = id === null ? debug_id !== null || sha256 !== null : /^(?:elf|go|sha256):/.test(id);
  if (!isElf) return '';
  if (base === LINKED && format !== 'pprof') return LINKED;
  if (BY_FILE.has(format)) return 'file';
  const at = base === null ? 0n : BigInt(base);
  return at > 0n && at <= FIXED_BELOW ? hex(at) : '';
}

function lowestOf({ loads }: Layout): bigint {
  const all = loads.map(({ address }) => BigInt(address));
  const lowest = all.reduce((low, one) => (one < low ? one : low));
  return lowest - (lowest % PAGE_BYTES);
}

/** The address of the byte that stands at this place of the file; null where nothing of it is mapped. */
function addressOfByte({ loads }: Layout, at: bigint): bigint | null {
  const found = loads.find(({ offset, size }) => at >= BigInt(offset) && at < BigInt(offset) + BigInt(size));
  return found ? at - BigInt(found.offset) + BigInt(found.address) : null;
}

/** The value that all agree on; null where they differ, or there is none. */
function agreed(all: (bigint | null)[]): bigint | null {
  const [first = null] = all;
  return all.every((one) => one === first) ? first : null;
}

/** A symbol file, and the shipped files that bear its id. */
export interface Sides {
  format: string;
  image: Pick<Image, 'base' | 'layout' | 'features'>;
  shipped: Layout[];
}

/**
 * The distance from the symbols' own lowest address of what a trace has at `address` counted from `basis`; null where the
 * files that are known by this id differ in it, or none of them says: a guess would name another function.
 */
export function distanceIn({ format, image, shipped }: Sides, basis: Basis, address: bigint): bigint | null {
  const base = BigInt(image.base);
  const own = image.layout;
  if (format === 'breakpad') {
    // Its addresses count from the lowest address of the program that it was made from.
    if (basis === 'file')
      return agreed(
        shipped.map((one) => {
          const found = addressOfByte(one, address);
          return found === null ? null : found - lowestOf(one);
        }),
      );
    const lowest = shipped.filter(({ fixed }) => fixed).map(lowestOf);
    if (lowest.length > 0 && basis !== '') lowest.push(BigInt(basis));
    return lowest.length === 0 || agreed(lowest) !== null ? address : null;
  }
  if (format !== 'elf') return address;
  if (basis === 'file') {
    // A file of debug information keeps the addresses, but its file offsets are wrong.
    const files = image.features.includes('code') && own ? [own, ...shipped] : shipped;
    const found = agreed(files.map((one) => addressOfByte(one, address)));
    return found === null ? null : found - base;
  }
  if (!own?.fixed) return address;
  if (basis !== '') return address + BigInt(basis) - base;
  return agreed([base, ...shipped.map(lowestOf)]) === null ? null : address;
}
