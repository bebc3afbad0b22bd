/** For each gap: what was expected, what is there instead, and the command that closes it. */

import { present } from '../base/list.ts';
import { isScript } from '../objects/script/place.ts';
import type { GapCode, JoinedFrame, NearMiss } from './gap.ts';

export interface Remedy {
  expected: string;
  actual: string;
  remedy: string;
}

const ADD_SYMBOLS = 'reenact symbols add FILE --evidence E --policy P';
const ADD_ARTIFACT = 'reenact artifact add FILE --evidence E --policy P';

/** How to find the symbols of an image, by the kind of its id. */
function whereToFind(id: string, arch: string | null): string {
  const [kind, value = ''] = id.split(':');
  if (kind === 'elf')
    return `find / -path '*/.build-id/${value.slice(0, 2)}/${value.slice(2)}.debug', or reenact symbols fetch ${value} --debuginfod URL --out DIR`;
  if (kind === 'macho') {
    const uuid = value.toUpperCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return `upload dSYM UUID ${uuid}${arch === null ? '' : ` arch ${arch}`}; find it with dwarfdump --uuid FILE.dSYM, or mdfind "com_apple_xcode_dsym_uuids == ${uuid}"`;
  }
  if (kind === 'pdb')
    return 'look in the symbol server or the archive of the build for the PDB that the linker wrote';
  if (kind === 'js') return 'archive the source map that the bundler wrote with this debug id';
  return 'look in the archive of the build that shipped this file';
}

function missing({ image_id: id, arch }: JoinedFrame): Remedy {
  return {
    expected: `symbols of ${id}`,
    actual: 'none in the store',
    remedy: `${whereToFind(present(id), arch)}; then ${ADD_SYMBOLS}`,
  };
}

/** `near[0]` is what was found instead. */
function nearly(what: string): (frame: JoinedFrame, near: NearMiss[]) => Remedy {
  return (frame, near) => {
    const other = near[0] ?? (frame.bundle && { ...frame.bundle, id: present(frame.image_id), arch: null });
    const found = other
      ? `${other.name} is ${other.id}${other.arch ? `, ${other.arch}` : ''}`
      : 'another one';
    return {
      expected: present(frame.image_id),
      actual: found,
      remedy: `${what}; ${whereToFind(present(frame.image_id), frame.arch)}; then ${ADD_SYMBOLS}`,
    };
  };
}

function pdbAge(frame: JoinedFrame, near: NearMiss[]): Remedy {
  const age = (id: string): number => Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 16);
  const [expected, found] = [age(present(frame.image_id)), near.map(({ id }) => age(id))];
  return {
    expected: `PDB Age ${expected} of GUID ${present(frame.image_id).slice(4, 36)}`,
    actual: `PDB Age ${found.join(', ')} found`,
    remedy: `the PDB was rewritten after linking: archive the linker’s final PDB; then ${ADD_SYMBOLS}`,
  };
}

/** The part of the symbols that is missing and would have covered the address. */
function lacking(expected: string, remedy: string): (frame: JoinedFrame) => Remedy {
  return ({ bundle }) => ({
    expected,
    actual: bundle ? `${bundle.name} (${bundle.sha256}) has none` : 'none',
    remedy: `${remedy}; then ${ADD_SYMBOLS}`,
  });
}

function unverified(frame: JoinedFrame): Remedy {
  const { artifact, bundle } = frame;
  const [thing, command] =
    artifact && bundle?.evidence?.verified ? [artifact, ADD_ARTIFACT] : [bundle, ADD_SYMBOLS];
  return {
    expected: `accepted evidence about ${thing?.sha256}`,
    actual: thing?.evidence?.error ?? 'none',
    remedy: `give evidence that the policy accepts: ${command}`,
  };
}

/** How a name becomes certain, by what the name was taken from. */
const CERTAIN: Readonly<Record<string, string>> = {
  pdb: 'this PDB has only public names there: have the compiler write CodeView into that module (cl /Zi, clang -gcodeview), or add the program itself where it holds DWARF, as MinGW’s do',
  pe: 'this program has only a table of symbols there: add its PDB, or build it with -g and add the program before strip',
  macho: 'this file has only a table of symbols there: add the dSYM of the build, made by dsymutil',
  breakpad:
    'this file has only a PUBLIC line there: make it again from the program with its debug information',
  elf: 'give the function a size (.size in assembly), or build it with -g',
};

function nearest({ bundle, rel_addr, places }: JoinedFrame): Remedy {
  return {
    expected: `a function that is known to reach ${rel_addr}`,
    actual: `${bundle?.name} has ${places.at(-1)?.function} before it, and not how far that goes`,
    remedy: `${CERTAIN[bundle?.format ?? ''] ?? 'build with -g'}; then ${ADD_SYMBOLS}`,
  };
}

/** A trace can lack ids that the files have: a text of frames, a tool that never asked for them. */
function noImageId({ image_path, arch }: JoinedFrame): Remedy {
  const about = { actual: `the trace has none for ${image_path}` };
  if (arch === 'javascript')
    return {
      ...{ expected: 'an id that the bundler wrote', ...about },
      remedy: 'have the bundler write debug ids, and send events that bear them (debug_meta)',
    };
  if (isScript(arch))
    return {
      ...{ expected: 'an id of the file that ran', ...about },
      remedy: `no tool writes one into files of ${arch}: such frames are shown, and join with nothing`,
    };
  return {
    ...{ expected: 'an id that the linker wrote', ...about },
    remedy:
      'add a trace that bears ids, such as the core or the dump itself; where the file has none either (readelf -n FILE), relink it with -Wl,--build-id=sha1',
  };
}

const REMEDIES: Record<GapCode, (frame: JoinedFrame, near: NearMiss[]) => Remedy> = {
  no_module: ({ ip }) => ({
    expected: 'an address in a program or library',
    actual: `${ip} lies in none that the trace names`,
    remedy: 'code made at run time, or a damaged stack: have the crash handler list all modules',
  }),
  no_address: () => ({
    expected: 'an address',
    actual: 'the trace gives a name alone',
    remedy: 'add the dump itself instead of a text made from it: reenact trace add FILE',
  }),
  no_image_id: noImageId,
  scanned_frame: () => ({
    expected: 'a frame found by unwinding',
    actual: 'found by searching the stack, perhaps left from an earlier call',
    remedy: 'build with unwind tables (-fasynchronous-unwind-tables) or frame pointers, and capture again',
  }),
  bundle_missing: missing,
  pdb_age_mismatch: pdbAge,
  pdb_guid_mismatch: nearly('that PDB is of another build'),
  uuid_mismatch: nearly('that dSYM is of another build'),
  arch_slice_missing: nearly('that dSYM has no slice of this processor: archive the universal one'),
  build_id_mismatch_same_text: nearly(
    'the same code was linked again: keep the symbols of the very build that was shipped',
  ),
  ambiguous_debug_id: ({ image_id }) => ({
    expected: `one build with the debug id ${present(image_id).slice('debug:'.length)}`,
    actual: 'several',
    remedy: 'add a trace that bears whole build-ids, such as the core or the dump itself',
  }),
  id_unproven: ({ image_id }, near) => ({
    expected: `symbols that are of ${image_id} alone`,
    actual: `${near[0]?.name} bears an id of 16 bytes that no program here bears as its build-id: Breakpad hashes the first page of code for programs without one, and others can have the same`,
    remedy: `if the program has a build-id (readelf -n FILE), add it: ${ADD_ARTIFACT}; else relink with -Wl,--build-id=sha1, and make the symbols from that`,
  }),
  base_ambiguous: ({ bundle, rel_addr, candidates }) => ({
    expected: `the program headers of the file that was loaded, which say what ${rel_addr} is in ${bundle?.name}`,
    actual:
      candidates === 0
        ? 'no such file in the store, and symbols do not tell'
        : 'files with this build-id that lie at other addresses (as patchelf leaves them)',
    remedy:
      candidates === 0
        ? `add the program that ran: ${ADD_ARTIFACT}`
        : 'add a trace that bears the program’s addresses, such as a core, or use the symbols of the program that ran, split off after patchelf',
  }),
  stripped_bundle: nearly('what was added has nothing that names an address'),
  unsupported_compression: lacking('sections that can be read', 'objcopy --decompress-debug-sections FILE'),
  dwo_missing: lacking(
    'the .dwo files',
    'pack them with llvm-dwp -e PROGRAM -o PROGRAM.dwp and add that as well (GNU dwp leaves DWARF 5 out), or add the .dwo files, or build without -gsplit-dwarf',
  ),
  dwz_missing: lacking(
    'the file shared by dwz',
    'add that file as well (eu-readelf --string-dump=.gnu_debugaltlink FILE names it, in .dwz/), or build without dwz',
  ),
  symtab_only: lacking('functions of all addresses', 'build with -g'),
  malformed: lacking('symbols that can be read', 'take the file from the build itself: this one is damaged'),
  engine_crash: ({ bundle, rel_addr }) => ({
    expected: `a name for ${rel_addr}`,
    actual: `the engine ends on it in ${bundle?.name}`,
    remedy: 'nothing is wrong with the trace: a later engine may read it; add the symbols in another form',
  }),
  approximate_nearest: nearest,
  approximate_folded: ({ bundle, rel_addr, places }) => ({
    expected: `one function at ${rel_addr}`,
    actual: `${bundle?.name} has several there: the linker kept one body of those that are alike, ${places.at(-1)?.function} among them`,
    remedy: 'no symbols can tell them apart: link with --icf=safe or --icf=none, and ship that build',
  }),
  approximate_by_name: ({ bundle, image_path }) => ({
    expected: 'an id that script and source map share',
    actual: `the trace has none for ${image_path}, and only its name leads to the source map ${bundle?.name}, which every build can have`,
    remedy:
      'have the bundler write debug ids into scripts and maps, add that map, and send events that bear them (debug_meta)',
  }),
  no_symbol_at_addr: ({ bundle, rel_addr }) => ({
    expected: `a function at ${rel_addr}`,
    actual: `${bundle?.name} names none there`,
    remedy: 'code without symbols, such as a PLT or hand-written assembly: nothing to upload',
  }),
  bundle_unverified: unverified,
  artifact_unlinked: ({ image_id, loaded_sha256, candidates }) => ({
    expected: loaded_sha256 === null ? `a shipped file with ${image_id}` : `the file ${loaded_sha256}`,
    actual:
      candidates === 0
        ? 'none in the store with this id and code'
        : `${candidates} with the same id, other bytes`,
    remedy: `add the file as it was shipped: ${ADD_ARTIFACT}`,
  }),
  ambiguous_artifact: ({ image_id, candidates }) => ({
    expected: `one shipped file with ${image_id}`,
    actual: `${candidates}, and the trace does not say which was loaded`,
    remedy: 'add a trace that bears the digest of the loaded file, as replays do',
  }),
  provenance_missing: ({ artifact }) => ({
    expected: `provenance of ${artifact?.sha256}`,
    actual: 'none was given',
    remedy: ADD_ARTIFACT,
  }),
  provenance_digest_mismatch: ({ artifact }) => ({
    expected: `provenance of ${artifact?.sha256}`,
    actual: artifact?.evidence?.error ?? 'it is about other bytes',
    remedy: 'get the provenance of the file that was shipped, or ship the file that it is about',
  }),
  provenance_unverified: unverified,
};

/** What a gap's first frame and the near misses come to. */
export function remedyOf(code: GapCode, frame: JoinedFrame, near: NearMiss[]): Remedy {
  return REMEDIES[code](frame, near);
}

/** What helps where a walk was cut, by the reason; where nothing helps, it says so. */
export function cutRemedy(reason: string): string {
  const remedies: Record<string, string> = {
    no_file:
      'reenact trace add CORE --exec FILE (the very file that was loaded), or reenact trace add CORE --sysroot DIR (where all of them lie)',
    file_differs: 'reenact trace add CORE --exec FILE (the build that crashed, not what lies there now)',
    no_memory:
      'take the core anew: all of it (ulimit -c unlimited, no full disk), with the stack (coredump_filter 0x33)',
    no_unwind_table: 'build that code with unwind tables (-fasynchronous-unwind-tables) or frame pointers',
    limit: 'nothing: only so many frames are walked',
  };
  return remedies[reason] ?? 'nothing leads further: compare the frames that are known';
}
