/** The report's section on custody: the run's own entries, and where to find what was signed later. */
import type { Digest } from '../base/digest.ts';
import { digest } from './html.ts';

function entries(custody: Digest[], withheld: boolean): string {
  if (withheld) return '<p>The entries of the run were withheld.</p>';
  if (custody.length === 0) return '<p>No entries of the run: its policy names nobody who may sign.</p>';
  const count =
    custody.length === 1
      ? 'The run left one entry:'
      : `The run’s chain has ${custody.length} entries, each naming the one before; the last is`;
  return `<p>${count} ${digest(custody.at(-1))}.</p>`;
}

/** The section as HTML; `custody` are the digests of the run's entries in their order, unless they were withheld. */
export function custodySection(custody: Digest[], withheld: boolean): string {
  return `<h2>Chain of custody</h2>${entries(custody, withheld)}<p>What was signed about this bundle as a whole, and timestamps, were attached after this page was made: <code>custody.txt</code> beside it lists them. Without any, the bundle’s identity must reach you by another way: it is in VERIFY.txt.</p>`;
}
