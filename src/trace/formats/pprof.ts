/** A profile of pprof (google/pprof, proto/profile.proto): each sample is the stack of a thread that did not crash. */
import { gunzipSync } from 'node:zlib';
import { hex } from '../../base/hex.ts';
import { itemAt } from '../../base/list.ts';
import { messageOf } from '../../base/thrown.ts';
import { elfIds } from '../../objects/common/identity.ts';
import {
  type Frame,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  traceImage,
  wrongTrace,
} from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { ProtobufError, ProtobufReader } from './protobuf.ts';

/** Unpacked: a gzip file can claim a thousand times its size. */
const PROFILE_BYTES = 64 << 20;
/** Of each kind of message, by the number of its field. */
const MOST: Readonly<Record<number, [number, string]>> = {
  2: [TRACE_LIMITS.threads, 'samples'],
  3: [TRACE_LIMITS.images, 'mappings'],
  4: [1_000_000, 'locations'],
  5: [1_000_000, 'functions'],
  6: [2_000_000, 'strings'],
};
/** Functions inlined at one location that are kept, and characters of a name. */
const MOST_INLINED = 32;
const MOST_NAME = 1024;
/** Characters of the names of all frames together: a name can stand in each of them. */
const MOST_CLAIMED = 128 << 20;

type Key = number | bigint;

export interface Mapping {
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: number;
  buildId: number;
}

export interface Location {
  mapping: Key;
  address: bigint;
  functions: Key[];
}

/** What a profile is, in whichever way it was written. */
export interface ProfileTables {
  mappings: Map<Key, Mapping>;
  locations: Map<Key, Location>;
  /** Names by their place among the strings. */
  functions: Map<Key, number>;
  strings: string[];
  samples: Key[][];
}

class Profile implements ProfileTables {
  readonly mappings = new Map<Key, Mapping>();
  readonly locations = new Map<Key, Location>();
  readonly functions = new Map<Key, number>();
  readonly strings: string[] = [];
  readonly samples: Key[][] = [];
  private frames = 0;

  constructor(bytes: Buffer) {
    const reader = new ProtobufReader(bytes);
    const counts: number[] = new Array(7).fill(0);
    while (reader.next()) {
      if (reader.field === 2) this.sample(new ProtobufReader(reader.message));
      else if (reader.field === 3) this.mapping(new ProtobufReader(reader.message));
      else if (reader.field === 4) this.location(new ProtobufReader(reader.message));
      else if (reader.field === 5) this.function(new ProtobufReader(reader.message));
      else if (reader.field === 6) this.strings.push(reader.message.toString('utf8'));
      const [most, what] = MOST[reader.field] ?? [];
      if (most !== undefined && ++counts[reader.field]! > most)
        throw new ProtobufError(`more than ${most} ${what}`);
    }
  }

  private sample(reader: ProtobufReader): void {
    const places: Key[] = [];
    while (reader.next())
      if (reader.field === 1)
        reader.each((key) => {
          if (++this.frames > TRACE_LIMITS.frames)
            throw new ProtobufError(`more than ${TRACE_LIMITS.frames} frames`);
          places.push(key);
        });
    this.samples.push(places);
  }

  private mapping(reader: ProtobufReader): void {
    const found: Mapping = { start: 0n, limit: 0n, offset: 0n, file: 0, buildId: 0 };
    let id: Key = 0;
    while (reader.next()) {
      if (reader.field === 1) id = reader.key;
      else if (reader.field === 2) found.start = reader.value;
      else if (reader.field === 3) found.limit = reader.value;
      else if (reader.field === 4) found.offset = reader.value;
      else if (reader.field === 5) found.file = reader.number;
      else if (reader.field === 6) found.buildId = reader.number;
    }
    this.mappings.set(id, found);
  }

  private location(reader: ProtobufReader): void {
    const found: Location = { mapping: 0, address: 0n, functions: [] };
    let id: Key = 0;
    while (reader.next()) {
      if (reader.field === 1) id = reader.key;
      else if (reader.field === 2) found.mapping = reader.key;
      else if (reader.field === 3) found.address = reader.value;
      else if (reader.field === 4 && found.functions.length < MOST_INLINED) {
        const line = new ProtobufReader(reader.message);
        let named: Key = 0;
        while (line.next()) if (line.field === 1) named = line.key;
        found.functions.push(named);
      }
    }
    this.locations.set(id, found);
  }

  private function(reader: ProtobufReader): void {
    let [id, name]: [Key, number] = [0, 0];
    while (reader.next())
      if (reader.field === 1) id = reader.key;
      else if (reader.field === 2) name = reader.number;
    this.functions.set(id, name);
  }
}

/**
 * Addresses of a profile are those of memory. The image is taken to begin where the first byte of its file would lie,
 * so that rel_addr is an offset in the file: basis.ts converts it by the segments of the file, since lld and mold
 * do not put text at the address that equals its offset.
 */
function imageOf({ start, limit, offset, file, buildId }: Mapping, strings: string[]): TraceImage {
  const id = strings[buildId]?.toLowerCase() ?? '';
  const base = start >= offset ? start - offset : null;
  return traceImage({
    ...(/^(?:[0-9a-f]{2}){2,64}$/.test(id) ? elfIds(id) : {}),
    path: strings[file] ?? '',
    base: base === null ? null : hex(base),
    size: base === null || limit <= base ? null : Number(limit - base),
  });
}

function traceOf(profile: ProfileTables): Trace {
  const { mappings, locations, functions, strings, samples } = profile;
  const images = [...mappings.values()].map((mapping) => imageOf(mapping, strings));
  const byMapping = new Map([...mappings.keys()].map((key, index) => [key, index]));
  const nameOf = (key: Key): string => (strings[functions.get(key) ?? 0] ?? '').slice(0, MOST_NAME);
  const frameOf = (key: Key, activation: boolean): Frame => {
    const found = locations.get(key);
    const named = (found?.functions ?? []).map(nameOf).filter((name) => name !== '');
    const address = found?.address || null;
    const image = address === null ? undefined : byMapping.get(found!.mapping);
    const base = image === undefined ? null : itemAt(images, image).base;
    const inside = base !== null && address! >= BigInt(base);
    return {
      image: inside ? image! : null,
      rel_addr: inside ? hex(address! - BigInt(base)) : null,
      ip: address === null ? null : hex(address),
      activation,
      trust: 'prewalked',
      claimed: named.length === 0 ? null : named.join(', inlined in '),
    };
  };
  // A location stands in many samples: its frame is made once for the innermost place, and once for all others.
  const made: [Map<Key, Frame>, Map<Key, Frame>] = [new Map(), new Map()];
  let claimed = 0;
  const threads = samples.map((sample, id): Thread => {
    const frames = sample.map((key, n) => {
      const known = made[n === 0 ? 0 : 1];
      const frame = known.get(key) ?? frameOf(key, n === 0);
      known.set(key, frame);
      claimed += frame.claimed?.length ?? 0;
      if (claimed > MOST_CLAIMED) throw new ProtobufError(`names of more than ${MOST_CLAIMED} characters`);
      return frame;
    });
    return { id, crashed: false, frames };
  });
  return { format: 'pprof', signal: null, images, threads };
}

/** gzip, or near the beginning the type of the samples: a message whose first number is field 1, which no text has. */
function isPprof(bytes: Buffer): boolean {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  return /\n[\x02-\x16]\x08/.test(bytes.toString('latin1', 0, 64));
}

/** The trace of a profile that was read from text. Throws a Fault where its names are too many. */
export function traceOfProfile(profile: ProfileTables, file: TraceFile): Trace {
  try {
    return traceOf(profile);
  } catch (error) {
    if (error instanceof ProtobufError) throw file.wrong(error.message);
    throw error;
  }
}

export const pprof: TraceFormat = {
  name: 'pprof',
  title: 'a profile of pprof',
  recognise: ({ bytes }) => isPprof(bytes),
  parse: ({ bytes, name }) => fromPprof(bytes, name),
};

/** Takes the profile as it is written, packed by gzip, or unpacked. Locations that a sample names and the profile does not describe stay as frames. */
function fromPprof(bytes: Buffer, name: string): Trace {
  let plain = bytes;
  if (bytes[0] === 0x1f)
    try {
      plain = gunzipSync(bytes, { maxOutputLength: PROFILE_BYTES });
    } catch (error) {
      throw wrongTrace(
        name,
        `gzip, but not of a profile of at most ${PROFILE_BYTES} bytes: ${messageOf(error)}`,
      );
    }
  if (plain.length > PROFILE_BYTES)
    throw wrongTrace(name, `a profile of ${plain.length} bytes, at most ${PROFILE_BYTES} are read`);
  try {
    return traceOf(new Profile(plain));
  } catch (error) {
    if (error instanceof ProtobufError) throw wrongTrace(name, `no profile of pprof: ${error.message}`);
    throw error;
  }
}
