/** An entry of systemd-coredump (journalctl -o json): its message lists modules with build-ids, and each thread's stack. */

import { hex } from '../../base/hex.ts';
import { parseJson } from '../../base/json.ts';
import { lastItem, present } from '../../base/list.ts';
import { elfIds } from '../../objects/common/identity.ts';
import { type Frame, type Thread, type Trace, traceImage } from '../model/trace.ts';
import { cutAt } from './cut.ts';
import { list, type Members, members, text } from './foreign.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { NamedModules } from './named-modules.ts';

/** What the kernel writes behind the path of a program that was deleted. */
const DELETED = ' (deleted)';
const THREAD = /^Stack trace of thread (\d{1,9}):$/;
const PACKAGES = { sizeBytes: 16 << 20, depth: 8 };
const BUILD_ID = /^[0-9a-f]{2,128}$/;

/** FRAMES_MAX in its elf-util.c. */
const MOST_FRAMES = 64;

interface Journal {
  MESSAGE?: unknown;
  COREDUMP_SIGNAL_NAME?: unknown;
  COREDUMP_PACKAGE_JSON?: unknown;
}

/** A field of an entry: systemd writes a value that is not valid text as the list of its bytes. */
function fieldOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const bytes = list(value);
  const isByte = (one: unknown): one is number => Number.isInteger(one);
  return bytes.every(isByte) ? Buffer.from(bytes).toString('utf8') : '';
}

function pathOf(module: string): string {
  const deleted = module.startsWith('/') && module.endsWith(DELETED);
  return deleted ? module.slice(0, -DELETED.length) : module;
}

/** The module of a line, whose name may have spaces, and its build-id where the line has it: systemd 246 to 256. */
function moduleOf(line: string): { name: string; buildId: string | undefined } | undefined {
  const [, rest] = /^(?:Found module|Module) (.{1,4096})$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  const [, before, buildId] = /^(.+?)(?:,? with build-id:? |, build-id=)([0-9a-f]{2,128})$/.exec(rest) ?? [];
  const name = before ?? rest.replace(/ without build-id\.?$/, '');
  const from = name.lastIndexOf(' from ');
  return { name: from > 0 ? name.slice(0, from) : name, buildId };
}

/** Build-ids by module, as elfutils wrote them beside the message: since 252 those of packaged modules stand only here. */
function packagesOf(value: unknown): Map<string, string> {
  const parsed = parseJson(Buffer.from(fieldOf(value)), PACKAGES);
  const found = new Map<string, string>();
  if (!parsed.ok) return found;
  for (const [name, about] of Object.entries(members(parsed.value))) {
    const buildId = text(members(about).buildId);
    if (buildId !== null && BUILD_ID.test(buildId)) found.set(name, buildId);
  }
  return found;
}

function modulesOf(lines: string[], packages: Map<string, string>): NamedModules {
  const modules = new NamedModules();
  const add = (name: string, buildId: string | undefined): void => {
    modules.add(traceImage({ path: pathOf(name), ...elfIds(buildId) }));
  };
  for (const line of lines) {
    const { name, buildId } = moduleOf(line) ?? {};
    if (name !== undefined) add(name, buildId ?? packages.get(name));
  }
  for (const [name, buildId] of packages) add(name, buildId);
  return modules;
}

/** `#N ADDRESS SYMBOL (MODULE + OFFSET)`: a module's name may have spaces and brackets, a symbol of ELF has none as they stand here. */
function frameOf(line: string, modules: NamedModules): Frame | undefined {
  const [head = '', number, address] = /^#(\d{1,6})\s+(0x[0-9a-f]{1,16}) /.exec(line) ?? [];
  const open = line.indexOf(' (', head.length);
  const plus = line.lastIndexOf(' + ');
  const [, offset] = /^ \+ (0x[0-9a-f]{1,16})\)$/.exec(line.slice(Math.max(0, plus))) ?? [];
  if (number === undefined || open < 0 || plus < open || offset === undefined) return undefined;
  const symbol = line.slice(head.length, open);
  const claimed = symbol === 'n/a' ? null : symbol;
  const module = pathOf(line.slice(open + 2, plus));
  if (module !== 'n/a' && !modules.has(module)) modules.add(traceImage({ path: module }));
  return {
    ...(module === 'n/a'
      ? { image: null, rel_addr: null, claimed }
      : modules.place(module, BigInt(offset), claimed)),
    ip: hex(BigInt(present(address))),
    activation: Number(number) === 0,
    trust: 'prewalked',
  };
}

export const systemd: TraceFormat = {
  name: 'systemd',
  title: 'entries of systemd-coredump',
  recognise: (file) => isLines(file) || file.has('MESSAGE'),
  parse: (file) => (isLines(file) ? firstWithStack(file) : ofEntry(file.members, file)),
};

/** True for a first line that is a whole object, and a second line that begins another. */
function isLines({ bytes, firstEnd: end, firstLine }: TraceFile): boolean {
  if (end <= 0 || !/^\s*\{/.test(firstLine)) return false;
  return /\}\s*$/.test(bytes.toString('latin1', Math.max(0, end - 8), end)) && bytes[end + 1] === 0x7b;
}

function ofEntry(entry: Members, file: TraceFile): Trace {
  if (entry.MESSAGE === null)
    throw file.wrong('journalctl left the message out, as too long: give it --all as well');
  return fromSystemd(entry);
}

/** Of many entries of a journal, one a line, the first with a stack; the others may be malformed. */
function firstWithStack(file: TraceFile): Trace {
  const { bytes } = file;
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(at, end);
    if (line.includes('Stack trace of thread ')) {
      const trace = ofEntry(members(file.json(line)), file);
      if (trace.threads.some(({ frames }) => frames.length > 0)) return trace;
    }
    at = end + 1;
  }
  throw file.wrong(
    'lines of JSON, and none is an entry of systemd-coredump with a stack (journalctl leaves long messages out without --all)',
  );
}

/** Addresses are raw: a return address is where the call comes back to. The first thread is the one that crashed. */
function fromSystemd(entry: Journal): Trace {
  const lines = fieldOf(entry.MESSAGE)
    .split('\n')
    .map((one) => one.trim());
  const modules = modulesOf(lines, packagesOf(entry.COREDUMP_PACKAGE_JSON));
  const threads: Thread[] = [];
  for (const line of lines) {
    const [, id] = THREAD.exec(line) ?? [];
    if (id !== undefined) threads.push({ id: Number(id), crashed: threads.length === 0, frames: [] });
    const frame = threads.length > 0 && line.startsWith('#') ? frameOf(line, modules) : undefined;
    if (frame) lastItem(threads).frames.push(frame);
  }
  cutAt(threads, 'systemd-coredump', MOST_FRAMES);
  return { format: 'systemd', signal: text(entry.COREDUMP_SIGNAL_NAME), images: modules.images, threads };
}
