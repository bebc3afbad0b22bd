/** What is on its way to an engine and from it: a slow way is no silence, and silence ends it. */
import { Readable } from 'node:stream';

import { asFault, type FaultCode } from '../base/fault.ts';
import { type Patience, type Turn, Unanswered } from '../base/patience.ts';
import { demultiplex } from './demultiplex.ts';
import type { AttachedStreams, OnOutput } from './engine.ts';

/** What an engine is sent: every piece that it takes is a sign of life. */
export function sent(archive: Readable, turn: Turn): Readable {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of archive) {
      turn.heard();
      yield piece as Uint8Array;
    }
  };
  return Readable.from(pieces(), { objectMode: false });
}

/** What an engine sends. Ends with a Fault where it falls silent, goes away (engine_unreachable) or cuts off (engine_failed). */
export function received(stream: Readable, what: string, address: string, patience: Patience): Readable {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* patience.follow(stream as AsyncIterable<Uint8Array>, { what }, () => stream.destroy());
    } catch (error) {
      // An engine that lives and cuts off has found what it was to send damaged.
      const gone = error instanceof Unanswered || !(await patience.lives());
      const code: FaultCode = gone ? 'engine_unreachable' : 'engine_failed';
      throw asFault(code, `the engine at ${address} could not ${what}`, error);
    }
  };
  // A reader that stops must not wait for the next piece.
  return Readable.from(pieces(), { objectMode: false }).on('close', () => stream.destroy());
}

/** A container's streams; `drain` waits, as Patience does, for the rest of its output once it is over. */
export function attached(
  stream: NodeJS.ReadWriteStream,
  onOutput: OnOutput,
  drain: (rest: (turn: Turn) => Promise<void>) => Promise<void>,
): AttachedStreams {
  let heard = (): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('data', () => heard()).on('data', demultiplex(onOutput));
    stream.on('end', resolve);
    stream.on('close', resolve);
    stream.on('error', (error) =>
      reject(asFault('engine_failed', 'the engine cut a container’s output off', error)),
    );
  });
  ended.catch(() => undefined);
  const rest = (turn: Turn): Promise<void> => {
    heard = turn.heard;
    return ended;
  };
  return {
    sendInput: (bytes) => void stream.write(bytes),
    ended,
    rest: () => drain(rest),
    close: () => void (stream as unknown as { destroy(): void }).destroy(),
  };
}
