/** Pieces of HTML that the report's sections share. */
import type { Digest } from '../base/digest.ts';

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

/** A digest, or the word for none. */
export function digest(value: Digest | string | null | undefined): string {
  return value ? `<span class="digest">${esc(value)}</span>` : 'none';
}
