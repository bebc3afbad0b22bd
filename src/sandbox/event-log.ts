/** The event log of one replay: every system call and signal in their order, as PID 1 saw them (docs/harness.md). */
import { Fault } from '../base/fault.ts';
import { array, closed, described, integer, nullable, oneOf, type Shape, string } from '../base/shape.ts';
import { callName } from './calls.ts';
import { signalName } from './trailer.ts';

const EVENT_BYTES = 128;
const EXCERPT_AT = 104;

export interface Event {
  thread: number;
  kind: 'call' | 'signal';
  /** The call's name, such as openat, or the signal's. */
  name: string;
  /** Virtual time, ns after 1970. */
  clock_ns: string;
  /** Where the thread stood. */
  counter: string;
  /** Always as many as a call can have, even if it has fewer; hexadecimal. */
  arguments: string[];
  /** null where the program did not run on to see it. */
  answer: string | null;
  /** Digests (FNV-1a, 64 bits) of all registers, and of the data to which the known arguments point. */
  registers: string;
  data: string;
  /** How that data begins, at most 24 bytes; hexadecimal. */
  excerpt: string;
}

const hex = string({ pattern: /^0x[0-9a-f]{1,16}$/ });
const digest = string({ pattern: /^[0-9a-f]{16}$/ });

export const eventShape: Shape<Event> = closed(
  described(
    {
      thread: 'Number of the thread',
      kind: 'A system call or a signal',
      name: 'The call’s name, such as openat, or the signal’s',
      clock_ns: 'Virtual time, nanoseconds after 1970',
      counter: 'Address where the thread stood, hexadecimal',
      arguments: 'As many as a call can have, whether it has them or not, hexadecimal; none of a signal',
      answer: 'What the call returned; null where the program did not run on to see it',
      registers: 'Digest of all registers (FNV-1a, 64 bits)',
      data: 'Digest of the data that the known arguments lead to (FNV-1a, 64 bits)',
      excerpt: 'How that data begins, at most 24 bytes, hexadecimal',
    },
    {
      thread: integer(0, 2 ** 31 - 1),
      kind: oneOf('call', 'signal'),
      name: string({ max: 64 }),
      clock_ns: string({ pattern: /^-?\d{1,19}$/ }),
      counter: hex,
      arguments: array(hex, { max: 6 }),
      answer: nullable(string({ pattern: /^-?\d{1,19}$/ })),
      registers: digest,
      data: digest,
      excerpt: string({ pattern: /^(?:[0-9a-f]{2}){0,24}$/ }),
    },
  ),
);

export class EventLog {
  /** How many events there are. */
  readonly length: number;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    if (bytes.length % EVENT_BYTES !== 0)
      throw new Fault('supervisor_lost', `PID 1 wrote an event log of ${bytes.length} bytes`);
    this.bytes = bytes;
    this.length = bytes.length / EVENT_BYTES;
  }

  /** An event's own bytes: equal ones are equal events. */
  raw(index: number): Buffer {
    return this.bytes.subarray(index * EVENT_BYTES, (index + 1) * EVENT_BYTES);
  }

  at(index: number): Event {
    const b = this.raw(index);
    const kind = b[4] === 0 ? 'call' : 'signal';
    const number = Number(b.readBigInt64LE(8));
    const address = (at: number): string => `0x${b.readBigUInt64LE(at).toString(16)}`;
    const sum = (at: number): string => b.readBigUInt64LE(at).toString(16).padStart(16, '0');
    return {
      thread: b.readInt32LE(0),
      kind,
      name: kind === 'call' ? callName(number) : signalName(number),
      clock_ns: String(b.readBigInt64LE(16)),
      counter: address(24),
      arguments: kind === 'call' ? [32, 40, 48, 56, 64, 72].map(address) : [],
      answer: b[5] ? String(b.readBigInt64LE(88)) : null,
      registers: sum(80),
      data: sum(96),
      excerpt: b.toString('hex', EXCERPT_AT, EXCERPT_AT + Math.min(24, b.readUInt8(6))),
    };
  }
}
