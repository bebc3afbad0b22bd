/** What the Go linker writes into every program (debug/buildinfo): its version, the module, the commit it was built from. */
import { itemAt, present } from '../../base/list.ts';
import { FileBytes } from '../common/bytes.ts';
import { NOBITS, readHeader, readSections } from '../elf/header.ts';

export interface GoBuild {
  /** Such as go1.22.3. */
  version: string;
  /** The package that was built. */
  path: string | null;
  module: { path: string; version: string | null } | null;
  /** Such as vcs.revision, vcs.modified, -ldflags, GOARCH. */
  settings: Record<string, string>;
}

const MAGIC = '\xff Go buildinf:';
/** Flag 2: the texts stand behind the header; before Go 1.18 only pointers to them did, which are not followed. */
const INLINE = 2;
const HEADER_BYTES = 32;
const MOST_TEXT_BYTES = 1 << 20;
const MOST_SETTINGS = 256;

/** A text behind its length; undefined where it is longer than there is room for. */
function textAt(bytes: Buffer, at: number): { text: Buffer; next: number } | undefined {
  let [length, place] = [0, at];
  for (let shift = 0; shift < 32; shift += 7) {
    const byte = bytes[place++];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte >= 0x80) continue;
    return place + length > bytes.length
      ? undefined
      : { text: bytes.subarray(place, place + length), next: place + length };
  }
  return undefined;
}

/** Values with spaces or quotes stand as Go writes strings, which is mostly as JSON does. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

function parse(version: string, about: Buffer): GoBuild {
  const found: GoBuild = { version, path: null, module: null, settings: Object.create(null) };
  // Sixteen fixed bytes before and behind the text mark it, so that it can be found in memory.
  const text = about.length >= 33 ? about.toString('utf8', 16, about.length - 16) : '';
  let left = MOST_SETTINGS;
  for (const line of text.split('\n')) {
    const [kind, first, second] = line.split('\t');
    if (kind === 'path' && first) found.path = first;
    if (kind === 'mod' && first) found.module = { path: first, version: second || null };
    const [, key, value] = (kind === 'build' && /^([^=]{1,128})=(.*)$/s.exec(first ?? '')) || [];
    if (key !== undefined && left-- > 0) found.settings[key] = unquoted(present(value));
  }
  return found;
}

/** The build of a Go program in ELF; null where it is none, or was built by a Go before 1.18. Throws a Fault where the file is malformed. */
export function goBuildInfo(path: string): GoBuild | null {
  const file = new FileBytes(path);
  try {
    if (file.piece(0, Math.min(4, file.size), 'its beginning').toString('latin1') !== '\x7fELF') return null;
    const section = readSections(file, readHeader(file)).find(
      ({ name, type, size }) => name === '.go.buildinfo' && type !== NOBITS && size >= HEADER_BYTES,
    );
    if (!section) return null;
    const size = Math.min(Number(section.size), 2 * MOST_TEXT_BYTES);
    const bytes = file.piece(section.offset, size, 'its section .go.buildinfo');
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || !(itemAt(bytes, 15) & INLINE)) return null;
    const version = textAt(bytes, HEADER_BYTES);
    const about = version && textAt(bytes, version.next);
    if (!version || !about) throw file.wrong('its section .go.buildinfo ends in the middle of a text');
    if (version.text.length > 256) throw file.wrong('its Go version is no version');
    return parse(version.text.toString('utf8'), about.text);
  } finally {
    file.close();
  }
}
