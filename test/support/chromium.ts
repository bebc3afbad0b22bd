/** A page in Debian's chromium, by hand-installed binary and its own debugging pipe: what a browser makes of a report. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

import { tempFolder } from './world.ts';

function version(): string {
  try {
    return execFileSync('chromium', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** Says in the names of tests why they are skipped; empty where chromium is here. */
export const NO_CHROMIUM: string = version() === '' ? '(skipped: no chromium on PATH)' : '';

export interface View {
  width: number;
  scheme?: 'light' | 'dark';
  /** The media that styles are for; a screen unless this says otherwise. */
  media?: 'print';
}

type Ask = (method: string, params?: object) => Promise<Record<string, never>>;

export interface Browser {
  /** What the expression comes to in the page at this address, seen so. */
  look<T>(url: string, view: View, expression: string): Promise<T>;
  /** The page as it is seen, as PNG; as PDF of A4 for print. */
  picture(url: string, view: View): Promise<Buffer>;
  close(): Promise<void>;
}

/** Asks over the pipe; messages end in a zero byte, answers carry the number of their question. */
function asker(input: Writable, output: Readable): Ask {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (reason: Error) => void }>();
  let rest = '';
  let last = 0;
  let session: string | undefined;
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop()!;
    for (const text of messages) {
      const { id, result, error } = JSON.parse(text);
      const one = waiting.get(id);
      waiting.delete(id);
      if (error) one?.reject(new Error(error.message));
      else one?.resolve(result as never);
      session ??= result?.sessionId;
    }
  });
  return (method, params = {}) =>
    new Promise((resolve, reject) => {
      last++;
      waiting.set(last, { resolve, reject });
      input.write(`${JSON.stringify({ id: last, method, params, sessionId: session })}\0`);
    });
}

/** Starts a browser without a window or network of its own; it opens nothing but the pages that a test made. */
export async function openBrowser(): Promise<Browser> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe'];
  const child = spawn('chromium', [...flags, `--user-data-dir=${tempFolder()}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const ask = asker(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  await ask('Target.attachToTarget', { targetId, flatten: true });

  const show = async (url: string, { width, scheme = 'light', media }: View): Promise<void> => {
    // Of a phone: scroll bars take no room, and the page's own width counts.
    const size = { width, height: 780, deviceScaleFactor: 1, mobile: true };
    await ask('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await ask('Emulation.setEmulatedMedia', { media: media ?? 'screen', features });
    await ask('Page.navigate', { url });
    await evaluate(
      `new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))`,
    );
  };
  const evaluate = async (expression: string): Promise<unknown> => {
    const found = await ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    const { exceptionDetails, result } = found as unknown as {
      exceptionDetails?: object;
      result: { value: unknown };
    };
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  };
  return {
    look: async <T>(url: string, view: View, expression: string) => {
      await show(url, view);
      return (await evaluate(expression)) as T;
    },
    picture: async (url, view) => {
      await show(url, view);
      const { data } =
        view.media === 'print'
          ? await ask('Page.printToPDF', { paperWidth: 8.27, paperHeight: 11.69, printBackground: false })
          : await ask('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(data!, 'base64');
    },
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
