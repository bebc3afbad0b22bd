/** Source maps written by hand. */

/** Base 64 of one number, as in mappings. */
export function vlq(value: number): string {
  let text = '';
  for (let rest = value < 0 ? -value * 2 + 1 : value * 2, first = true; first || rest > 0; first = false) {
    const more = rest >= 32;
    text += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[(rest % 32) + (more ? 32 : 0)];
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Mappings of segments, line by line; each number counts from the one before. */
function mappingsOf(lines: number[][][]): string {
  const last = [0, 0, 0, 0, 0];
  return lines
    .map((segments) => {
      last[0] = 0;
      return segments
        .map((numbers) =>
          numbers
            .map((number, i) => {
              const step = number - last[i]!;
              last[i] = number;
              return vlq(step);
            })
            .join(''),
        )
        .join(',');
    })
    .join(';');
}

interface Written {
  version: number;
  sources: (string | null)[];
  names: string[];
  mappings: string;
  [more: string]: unknown;
}

/** A map of three sources, the last without a name, and two names. */
export const mapOf = (lines: number[][][], more = {}): Written => ({
  ...{ version: 3, sources: ['a.ts', 'b.ts', null], names: ['f', 'g'], mappings: mappingsOf(lines) },
  ...more,
});
