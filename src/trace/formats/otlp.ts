/** Profiles of OpenTelemetry in JSON (opentelemetry-proto, profiles/v1development): samples of stacks, in tables that all of them share. */

import { hex } from '../../base/hex.ts';
import { elfIds } from '../../objects/common/identity.ts';
import { addressOf, type Frame, TRACE_LIMITS, type Trace, type TraceImage } from '../model/trace.ts';
import { list, type Members, members, text } from './foreign.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { Stacks } from './stacks.ts';

const BUILD_ID = 'process.executable.build_id.gnu';
const FRAME_TYPE = 'profile.frame.type';
/** Kinds of frames whose address is one in a program; in all others it is whatever their runtime counts. */
const NATIVE: readonly (string | null)[] = [null, 'native', 'go', 'rust'];
const MOST_INLINED = 32;

/** Numbers of 64 bits are text in JSON. */
const indexOf = (value: unknown): number => Number(addressOf(value) ?? 0n);
const BUILD_ID_TEXT = /^(?:[0-9a-f]{2}){2,64}$/;

/** The tables that samples refer to; older senders kept them in each profile. */
class Tables {
  private readonly tables: Members;
  private readonly stacks: Stacks;
  private readonly profile: Members;

  constructor(dictionary: Members, profile: Members, stacks: Stacks) {
    [this.tables, this.profile, this.stacks] = [dictionary, profile, stacks];
  }

  private table(name: string): unknown[] {
    return list(this.tables[name] ?? this.profile[name]);
  }

  private string(index: unknown): string {
    return text(this.table('stringTable')[indexOf(index)]) ?? '';
  }

  /** The text that an attribute has, by its key; keys and texts stand in the attribute itself or in the table of strings. */
  private attribute(indices: unknown, key: string): string | null {
    for (const index of list(indices).slice(0, 64)) {
      const found = members(this.table('attributeTable')[indexOf(index)]);
      const name = text(found.key) ?? this.string(found.keyStrindex);
      const value = members(found.value);
      if (name === key) return text(value.stringValue) ?? (this.string(value.stringValueStrindex) || null);
    }
    return null;
  }

  private nameOf(location: Members): string | null {
    const names = list(location.lines ?? location.line)
      .slice(0, MOST_INLINED)
      .map((line) => {
        const found = members(this.table('functionTable')[indexOf(members(line).functionIndex)]);
        return this.string(found.nameStrindex);
      })
      .filter((name) => name !== '');
    return names.join(', inlined in ') || null;
  }

  /**
   * An address inside its mapping is one of memory, and rel_addr the offset in the file; any other is what the
   * linker gave it, as profilers of a whole host send it.
   */
  private placeOf(location: Members): Partial<Frame> {
    const address = addressOf(location.address);
    const type = this.attribute(location.attributeIndices, FRAME_TYPE);
    if (address === undefined || address === 0n || !NATIVE.includes(type)) return {};
    const mapping = members(this.table('mappingTable')[indexOf(location.mappingIndex)]);
    const path = this.string(mapping.filenameStrindex);
    const id = this.attribute(mapping.attributeIndices, BUILD_ID);
    if (path === '' && id === null) return { ip: hex(address) };
    const known: Partial<TraceImage> = { path, ...(BUILD_ID_TEXT.test(id ?? '') ? elfIds(id) : {}) };
    const [start, limit] = [addressOf(mapping.memoryStart) ?? 0n, addressOf(mapping.memoryLimit) ?? 0n];
    const offset = addressOf(mapping.fileOffset) ?? 0n;
    const isMemory = start > offset && address >= start && address < limit;
    const base = isMemory ? start - offset : 0n;
    const image = this.stacks.image({ ...known, base: hex(base) });
    return { image, rel_addr: hex(address - base), ip: isMemory ? hex(address) : null };
  }

  private locationsOf(sample: Members): unknown[] {
    if (sample.stackIndex !== undefined)
      return list(members(this.table('stackTable')[indexOf(sample.stackIndex)]).locationIndices);
    const from = indexOf(sample.locationsStartIndex);
    return list(this.profile.locationIndices).slice(from, from + indexOf(sample.locationsLength));
  }

  /** Adds the stack of a sample: of a thread that did not crash. */
  add(sample: Members): void {
    const places = this.locationsOf(sample);
    if (places.length === 0) return;
    this.stacks.begin(false);
    for (const [n, index] of places.entries()) {
      const location = members(this.table('locationTable')[indexOf(index)]);
      this.stacks.add({ ...this.placeOf(location), activation: n === 0, name: this.nameOf(location) });
    }
  }
}

const inside = (value: unknown, member: string): Members[] => list(members(value)[member]).map(members);

function fromOtlp(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  const dictionary = members(file.members.dictionary);
  for (const resource of inside(file.members, 'resourceProfiles'))
    for (const scope of inside(resource, 'scopeProfiles'))
      for (const profile of inside(scope, 'profiles')) {
        const tables = new Tables(dictionary, profile, stacks);
        for (const sample of inside(profile, profile.samples === undefined ? 'sample' : 'samples')) {
          tables.add(sample);
          if (stacks.threads.length >= TRACE_LIMITS.threads) return stacks.trace('otlp', null);
        }
      }
  return stacks.trace('otlp', null);
}

export const otlp: TraceFormat = {
  name: 'otlp',
  title: 'a profile of OpenTelemetry in JSON',
  recognise: (file) => file.has('resourceProfiles'),
  parse: fromOtlp,
};
