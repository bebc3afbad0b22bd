/** Rows of a label and a text, in lines that a terminal of 80 columns holds. */

/** As wide as terminals have always been. */
export const COLUMNS = 80;

/** Words in lines of at most this width; a longer word, such as a digest, has a line to itself. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A word that is too long loses its beginning: of a path, its end says more. */
function shortened(text: string, width: number): string {
  return text
    .split(' ')
    .map((word) => (word.length > width ? `…${word.slice(1 - width)}` : word))
    .join(' ');
}

/** A label, and a text in the column beside it, in as many lines as it needs; texts are of one line, and safe to print. */
export function rowText(label: string, text: string, column: number): string {
  const lines = wrapped(text, COLUMNS - column);
  return lines
    .map((line, n) => `${n === 0 ? `  ${label}`.padEnd(column) : ' '.repeat(column)}${line}\n`)
    .join('');
}

/** The same for a guest's words, of which no line is wider, whatever the guest chose. */
export function narrowRow(label: string, text: string, column: number): string {
  return rowText(label, shortened(text, COLUMNS - column), column);
}
