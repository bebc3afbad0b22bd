/** The dynamic linker's own list of what it loaded (link.h), for cores without a list of mapped files. */
import { present } from '../../base/list.ts';
import type { Segment } from '../../objects/elf/segments.ts';
import type { CoreFile } from './memory.ts';

const AT_PHDR = 3;
const PHDR = 6;
const DYNAMIC = 2;
const DT_DEBUG = 21n;
const MOST_ENTRIES = 4096;
const MOST_MODULES = 65_536;
const MOST_PATH_BYTES = 4096;

interface Listed {
  base: bigint;
  path: string;
}

/** Where the program begins: its headers state their own address. */
function programBase(
  core: CoreFile,
  headers: bigint,
  segmentsAt: (base: bigint) => Segment[],
): { base: bigint; segments: Segment[] } | undefined {
  // They lie on its first page, behind the ELF header.
  const base = headers - (headers % 4096n);
  const segments = segmentsAt(base);
  return segments.length > 0 && core.read(headers, 4) ? { base, segments } : undefined;
}

function debugOf(core: CoreFile, segments: Segment[], bias: bigint): bigint | undefined {
  const { word } = core.layout;
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  for (let n = 0; dynamic && n < MOST_ENTRIES; n++) {
    const at = bias + dynamic.address + BigInt(2 * n * word);
    const tag = core.word(at);
    if (tag === undefined || tag === 0n) return undefined;
    if (tag === DT_DEBUG) return core.word(at + BigInt(word));
  }
  return undefined;
}

/** Base and path of each module that the linker knew; the program's own path is not in the list and is left empty. */
export function readLinkMap(
  core: CoreFile,
  auxiliary: Map<number, bigint>,
  segmentsAt: (base: bigint) => Segment[],
): Listed[] {
  const headers = auxiliary.get(AT_PHDR);
  const program = headers === undefined ? undefined : programBase(core, headers, segmentsAt);
  if (!program) return [];
  const found: Listed[] = [{ base: program.base, path: '' }];
  const own = program.segments.find(({ type }) => type === PHDR);
  const debug = own && debugOf(core, program.segments, present(headers) - own.address);
  const word = BigInt(core.layout.word);
  let at = debug ? core.word(debug + word) : undefined;
  for (let n = 0; at && n < MOST_MODULES; n++) {
    const [base, name, next] = [core.word(at), core.word(at + word), core.word(at + 3n * word)];
    const path = name === undefined ? null : core.text(name, MOST_PATH_BYTES);
    if (base && path && path !== 'linux-vdso.so.1' && segmentsAt(base).length > 0) found.push({ base, path });
    at = next;
  }
  return found;
}
