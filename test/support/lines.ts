/** What is printed in lines of 80 columns, as it was before it was broken into them. */

/** Joins lines that stand below a label's text. */
export function unwrapped(text: string): string {
  return text.replace(/\n {12,15}(?=\S)/g, ' ');
}
