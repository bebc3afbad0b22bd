/** What `pprof -raw` prints of a profile: samples, locations and mappings, in sections by name. */
import { present } from '../../base/list.ts';
import type { Trace } from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { type Location, type Mapping, type ProfileTables, traceOfProfile } from './pprof.ts';
import { linesOf } from './stacks.ts';

const SAMPLE = /^\s*-?\d{1,20}(?:\s+-?\d{1,20}){0,15}: ([\d ]{1,8192})$/;
const LOCATION = /^\s*(\d{1,10}): 0x([0-9a-f]{1,16})(?: M=(\d{1,10}))?(?: (\S.{0,4095}))?$/;
const MAPPING = /^(\d{1,10}): 0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16}) (.{0,4096})$/;
const BUILD_ID = /^(?:[0-9a-f]{2}){4,64}$/;
const SECTIONS = ['Samples:', 'Locations', 'Mappings'];

/** Behind the name stand its file, which may have spaces, and the line. */
function nameOf(place: string): string {
  const path = place.indexOf(' /');
  return path > 0 ? place.slice(0, path) : place.replace(/ \S+:\d+(?::\d+)? s=\d+(?:\(.*\))?$/, '');
}

class RawProfile implements ProfileTables {
  readonly mappings = new Map<number, Mapping>();
  readonly locations = new Map<number, Location>();
  readonly functions = new Map<number, number>();
  readonly strings: string[] = [''];
  readonly samples: number[][] = [];
  private last: Location | null = null;

  /** Names are kept once each; the number of a function is that of its name. */
  private named(text: string): number {
    const index = this.strings.push(text) - 1;
    this.functions.set(index, index);
    return index;
  }

  read(section: string, line: string): void {
    if (section === 'Samples:') this.sample(line);
    else if (section === 'Locations') this.location(line);
    else if (section === 'Mappings') this.mapping(line);
  }

  private sample(line: string): void {
    const [, places] = SAMPLE.exec(line) ?? [];
    if (places !== undefined) this.samples.push(places.trim().split(/ +/).map(Number));
  }

  /** A line without a number goes on with the functions of the last location, from the innermost outwards. */
  private location(line: string): void {
    const [, id, address, mapping, place] = LOCATION.exec(line) ?? [];
    const name = nameOf(place ?? line.trim());
    if (id !== undefined) {
      this.last = { mapping: Number(mapping ?? 0), address: BigInt(`0x${address}`), functions: [] };
      this.locations.set(Number(id), this.last);
      if (place === undefined) return;
    }
    if (this.last && this.last.functions.length < 32) this.last.functions.push(this.named(name));
  }

  private mapping(line: string): void {
    const [, id, start, limit, offset, rest] = MAPPING.exec(line) ?? [];
    if (id === undefined) return;
    const file = present(rest)
      .replace(/ ?(?:\[(?:F|L|N|I){1,4}\])+$/, '')
      .trimEnd();
    // Behind a mapping's file stands its build-id, if it has one.
    const space = file.lastIndexOf(' ');
    const buildId = BUILD_ID.test(file.slice(space + 1)) ? file.slice(space + 1) : undefined;
    const path = buildId === undefined ? file : file.slice(0, Math.max(0, space));
    this.mappings.set(Number(id), {
      ...{ start: BigInt(`0x${start}`), limit: BigInt(`0x${limit}`), offset: BigInt(`0x${offset}`) },
      file: this.strings.push(path) - 1,
      buildId: buildId === undefined ? 0 : this.strings.push(buildId) - 1,
    });
  }
}

function fromRaw(file: TraceFile): Trace {
  const profile = new RawProfile();
  let section = '';
  for (const line of linesOf(file.text)) {
    const begun = SECTIONS.find((one) => line === one);
    if (begun) section = begun;
    else if (line !== '') profile.read(section, line);
  }
  return { ...traceOfProfile(profile, file), format: 'pprof' };
}

export const pprofText: TraceFormat = {
  name: 'pprof-raw',
  title: 'what pprof -raw prints',
  recognise: ({ head }) => /^PeriodType: /m.test(head) && /^Samples:\r?$/m.test(head),
  parse: fromRaw,
};
