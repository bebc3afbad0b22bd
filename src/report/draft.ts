/** Plain text for paper: 72 columns, numbered paragraphs, and names of strangers that cannot pose as any of it. */
import { present } from '../base/list.ts';
import { safe } from './human.ts';

const COLUMNS = 72;
/** Longer names are cut: one must not bury the rest of a page. */
const NAME_LENGTH = 200;

/** For a person to fill in. */
export const BLANK = '____________________';

/** A name from a record, in quotation marks and on one line: nothing in it breaks, hides or reorders a text. */
export function quoted(name: string): string {
  const characters = [...name];
  const cut = characters.length > NAME_LENGTH;
  const text = cut ? characters.slice(0, NAME_LENGTH).join('') : name;
  const plain = safe(JSON.stringify(text)).replace(
    /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${present(c.codePointAt(0)).toString(16)}}`,
  );
  return cut ? `${plain} (cut: it has ${characters.length} characters)` : plain;
}

/** Lines of at most 72 columns; a word that is longer than a line is broken. */
function wrap(text: string, first: string, rest: string): string {
  const width = COLUMNS - rest.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && [...line].length + 1 + [...word].length > width) {
      lines.push(line);
      line = '';
    }
    const characters = [...(line === '' ? word : `${line} ${word}`)];
    while (characters.length > width) lines.push(characters.splice(0, width).join(''));
    line = characters.join('');
  }
  lines.push(line);
  return lines.map((one, index) => `${index === 0 ? first : rest}${one}`).join('\n');
}

/** A text in the making. */
export class Draft {
  text = '';
  private paragraphs = 0;
  private points = 0;

  /** As it stands; the caller keeps to the columns. */
  line(text = ''): void {
    this.text += `${text}\n`;
  }

  centred(text: string): void {
    this.line(`${' '.repeat(Math.max(0, Math.floor((COLUMNS - text.length) / 2)))}${text}`);
  }

  rule(): void {
    this.line('='.repeat(COLUMNS));
  }

  heading(text: string): void {
    this.line();
    this.line(text);
  }

  plain(text: string, indent = 0): void {
    const space = ' '.repeat(indent);
    this.line(wrap(text, space, space));
  }

  /** The next paragraph, numbered through the whole text; its number can be named elsewhere. */
  paragraph(text: string): number {
    this.points = 0;
    this.paragraphs++;
    this.line();
    this.line(wrap(text, `${String(this.paragraphs).padStart(2)}. `, '    '));
    return this.paragraphs;
  }

  /** The next point of the paragraph before it. */
  point(text: string): void {
    this.points++;
    this.line(wrap(text, `    (${this.points}) `, '        '));
  }

  /** A digest's 64 digits on a line of their own. */
  digits(hex: string): void {
    this.line(`        ${hex}`);
  }
}
