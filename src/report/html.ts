/** Pieces of HTML that the report's sections share. */
import type { Digest } from '../base/digest.ts';
import type { GateResult } from '../verdict/record.ts';

/** Everything comes from outside: markup is escaped, and what could reorder or hide text is shown as its number. */
export function esc(text: string | number | null | undefined): string {
  return String(text ?? '')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A table of two columns; names are escaped, contents are HTML. */
export function rows(pairs: [string, string][]): string {
  return `<table class="rows">${pairs.map(([name, html]) => `<tr><th scope="row">${esc(name)}</th><td>${html}</td></tr>`).join('')}</table>`;
}

/** A table with named columns: names are escaped, cells are HTML; where the screen is narrow each cell bears its name. */
export function columns(names: string[], lines: string[][], kind?: 'checks' | 'stack'): string {
  const cells = (line: string[]): string =>
    line.map((html, i) => `<td${names[i] ? ` data-name="${esc(names[i])}"` : ''}>${html}</td>`).join('');
  const head = `<thead><tr>${names.map((name) => `<th scope="col">${esc(name)}</th>`).join('')}</tr></thead>`;
  const body = `<tbody>${lines.map((line) => `<tr>${cells(line)}</tr>`).join('')}</tbody>`;
  return `<table${kind ? ` class="${kind}"` : ''}>${head}${body}</table>`;
}

/** A digest, or the word for none. */
export function digest(value: Digest | string | null | undefined): string {
  return value ? `<span class="digest">${esc(value)}</span>` : 'none';
}

/** The conditions of a policy and what was found; `shown` puts a value into words, which are escaped here. */
export function gatesTable(gates: GateResult[], shown: (value: GateResult['value']) => string): string {
  const lines = gates.map(({ name, threshold, value, pass }) => [
    esc(name),
    esc(shown(threshold)),
    esc(shown(value)),
    pass ? 'passed' : '<strong>failed</strong>',
  ]);
  return columns(['Condition', 'Needed', 'Found', 'Result'], lines);
}
