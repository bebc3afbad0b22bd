/** Reads a Breakpad symbol file's identity (Breakpad, docs/symbol_files.md): its MODULE and INFO CODE_ID lines. */
import { itemAt } from '../../base/list.ts';
import type { FileBytes } from '../common/bytes.ts';
import { imageOf, type ObjectFile, pdbId } from '../common/identity.ts';
import type { SymbolFormat } from '../common/symbol-format.ts';

const FIRST_LINES_BYTES = 4096;
const MODULE =
  /^MODULE (Linux|mac|windows|Android|solaris|[A-Za-z]+) (\S+) ([0-9A-F]{32})([0-9a-fA-F]{1,8}) (.+)$/;
/** Of the hash that stands for a build-id (Breakpad, common/linux/file_id.cc). */
const STAND_IN_BYTES = 16;
const ARCHS: Readonly<Record<string, string>> = { aarch64: 'arm64', i386: 'x86', AMD64: 'x86_64' };

/** A Linux build-id of 16 bytes or more stands whole in the CODE_ID line, and only its first 16 in the debug id. */
function readBreakpad(file: FileBytes): ObjectFile {
  const lines = file
    .piece(0, Math.min(FIRST_LINES_BYTES, file.size), 'its first lines')
    .toString('utf8')
    .split(/\r?\n/);
  const [, writtenSystem, arch, guid, age] = MODULE.exec(itemAt(lines, 0)) ?? [];
  if (writtenSystem === undefined || arch === undefined || guid === undefined || age === undefined)
    throw file.wrong('its first line is no MODULE line');
  // Breakpad's dump_syms writes mac, Mozilla's Mac.
  const system = writtenSystem.toLowerCase();
  const code = /^INFO CODE_ID ([0-9A-Fa-f]{1,128})(?: |$)/.exec(lines[1] ?? '')?.[1]?.toLowerCase();
  const debug_id = `${guid}${age}`;
  const known = { debug_id, features: ['symbol_table' as const, 'unwind' as const] };
  const name = ARCHS[arch] ?? arch;
  if (system === 'windows') {
    const { id } = pdbId(guid, Number.parseInt(age, 16));
    return {
      format: 'breakpad',
      images: [imageOf(name, { ...known, id: code ? `pe:${code}` : id, pdb: id })],
    };
  }
  if (/^mac$/i.test(system))
    return {
      format: 'breakpad',
      images: [imageOf(name, { ...known, id: `macho:${guid.toLowerCase()}` })],
    };
  // A build-id of another length is one that a linker wrote; one of 16 bytes, or none, can be Breakpad's own hash.
  const weak_id = code === undefined || code.length === 2 * STAND_IN_BYTES;
  const id = code === undefined ? null : `elf:${code}`;
  return { format: 'breakpad', images: [imageOf(name, { ...known, id, weak_id })] };
}

export const breakpad: SymbolFormat = {
  name: 'breakpad',
  title: 'a Breakpad symbol file',
  isProgram: false,
  recognise: (start) => start.toString('latin1', 0, 7) === 'MODULE ',
  read: readBreakpad,
};
