/** What each field of a document of joined frames means, as its JSON Schema says it. */

export const BUILD = {
  builder: 'What made the build; null: not said',
  builder_commit: 'Commit that was built; null: not said',
  compiler: 'The compiler; null: not said',
  compiler_flags: 'Its flags; null: not said',
};

export const WITHIN = { sha256: 'Digest of the file', path: 'Path inside it of what it contains' };

export const PROOF = {
  subject_sha256: 'Digest of the file that the evidence is about',
  within:
    'The files that contain one another, where the evidence is about a container: the last is what it is about; empty: it is about the file itself',
  files: 'Digests of the evidence itself',
  dsse: 'Digest of the envelope that counts',
  verified: 'Whether it stands under the document’s policy',
  code: 'Why it does not stand (docs/errors.md); null where it does',
  signers: 'Who signed, by the policy’s authorities',
  signed_at: 'A proven time of the signature, ISO 8601, UTC; null: none is proven',
  tile_ref: 'Reference of the entry in a log, rekor:…; null: none is proven',
  build: 'What a signed provenance says of the build',
};

export const SYMBOLS = {
  sha256: 'Digest of the symbol file',
  file_sha256:
    'Digest of the file that the evidence is about; another one where the symbols are a slice of it',
  name: 'Name of the symbol file',
  format: 'Format of the symbols, such as elf or pdb',
  lacks: 'What it cannot tell of an address',
  says: 'What compiler and linker wrote into it',
  evidence: 'What was verified about it',
};

export const SHIPPED = {
  sha256: 'Digest of the file that was shipped',
  name: 'What the store knows it by',
  kind: 'What kind of file it is',
  says: 'What compiler and linker wrote into it',
  evidence: 'What was verified about it, or about what it lies in',
};

export const PLACE = {
  function: 'Name of the function; null: unknown',
  file: 'Source file; null: unknown',
  line: 'Line in it, from 1; null: unknown',
  column: 'Column in it, from 1; null: unknown',
};

export const FRAME = {
  index: 'Its number, counted through all threads from 0',
  thread: '0: the thread that crashed, else the first one',
  ip: 'Address of the instruction, hexadecimal; null: unknown',
  image_id: 'Id of the image it lies in; null: it lies in none',
  image_path: 'Path of that image, as the trace names it; null: it lies in none',
  arch: 'That image’s processor architecture; null: unknown',
  loaded_sha256: 'Digest of the very file that was loaded; null: not taken',
  rel_addr: 'Distance from the image’s beginning, hexadecimal; null: unknown',
  activation:
    'Whether the thread stood at this instruction; else it is a return address, and the call lies before it',
  trust:
    'How it was found: context: by the registers; cfi: by tables; fp: by the frame pointer; scan: by searching the stack; prewalked: by the sender; unknown: not said',
  claimed: 'What the sender calls it, which proves nothing; null: nothing',
  places: 'Functions and lines by the symbols, inlined ones too, innermost first; empty: none were found',
  degraded: 'Whether the symbols tell less than they could',
  status: 'The result of looking the address up in the symbols; null: no lookup was possible',
  symbols: 'Digest of the symbol file it is joined to; null: to none',
  artifact: 'Digest of the shipped file it is joined to; null: to none',
  candidates: 'How many shipped files with the image’s id were known',
  gap: 'Why it is not joined to a proven build (docs/join.md); null where it is',
};

export const REPRODUCTION = {
  verdict: 'How the stack of the replay compares with the trace’s (docs/join.md)',
  at: 'The first frame that differs, counted from the innermost, from 0; null: none does',
  known: 'How many frames were found the same',
  reason: 'Why, in words',
};

export const EARLIER = { record_sha256: 'Digest of the record of that replay' };

export const GATE = {
  name: 'Name of the gate',
  threshold: 'What the policy asks for',
  value: 'What was found',
  pass: 'Whether it is enough',
};

export const NAMED = { name: 'Its name or path', sha256: 'Digest of its content' };

export const DOCUMENT = {
  join_version: 'Version of this format and of the rules for gaps and gates',
  trace_id: 'Digest that names the trace',
  format: 'The form that the trace was read from',
  signal: 'What ended the program, for example SIGSEGV; null: unknown',
  crashed: 'Whether the first thread crashed; false: none did, as in a core of a living process',
  ended: 'How the walk of that thread’s stack ended; null: the trace does not say',
  source_sha256: 'Digest of the file that the trace was read from',
  policy: 'The policy under which evidence was verified',
  reproduction: 'How the last replay of the trace compares with it, whose record lies beside this document',
  earlier: 'The same of replays before it, the first one first',
  symbols: 'Symbol files that frames are joined to',
  artifacts: 'Shipped files that frames are joined to',
  frames: 'The frames of all threads, those of the crashed thread first',
  gates: 'What the policy asks of the joins, and whether it was reached',
};
