/** PEM as tools write it (RFC 7468): text may stand before and between the blocks, in any line ending. */

export interface PemBlock {
  /** "PUBLIC KEY", "CERTIFICATE" … */
  label: string;
  der: Buffer;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;

/** The blocks of a text in their order; throws an Error at a block that has no end or is not base64. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { label: string; lines: string[] } | undefined;
  for (const line of text.split(/\r\n|\r|\n/).map((one) => one.trim())) {
    const [, label] = BEGIN.exec(line) ?? [];
    if (open && line === `-----END ${open.label}-----`) {
      blocks.push({ label: open.label, der: derOf(open) });
      open = undefined;
    } else if (open && label !== undefined)
      throw new Error(`its ${open.label} block is not closed before the next`);
    else if (open) open.lines.push(line);
    else if (label !== undefined) open = { label, lines: [] };
  }
  if (open) throw new Error(`its ${open.label} block has no end`);
  return blocks;
}

function derOf({ label, lines }: { label: string; lines: string[] }): Buffer {
  const text = lines.join('').replace(/[ \t]/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Error(`its ${label} block is not base64`);
  return Buffer.from(text, 'base64');
}
