/** Rows fit a terminal of 80 columns; a guest's words never make a line wider. */
import { expect, it } from 'vitest';

import { crashText, signatureText } from '../../src/report/crash.ts';
import { COLUMNS, narrowRow, rowText, wrapped } from '../../src/report/lines.ts';
import { crashAt, inModule } from '../support/crash-sites.ts';

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

it('texts are broken between words, and stand below each other', () => {
  const text = rowText('said', 'word '.repeat(40).trim(), 15);
  expect(widest(text)).toBeLessThanOrEqual(COLUMNS);
  expect(text.split('\n')[0]).toMatch(/^ {2}said {9}word word/);
  expect(text.split('\n')[1]).toMatch(/^ {15}word word/);
  expect(text.replace(/\s+/g, ' ').trim()).toBe(`said ${'word '.repeat(40).trim()}`);
});

it('a digest stays whole, on a line to itself', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  expect(wrapped(`of ${digest}, there`, 65)).toEqual(['of', `${digest},`, 'there']);
});

it('a crash is no wider than the terminal, however long the guest’s names are', () => {
  const deep = `/${'very-long-folder/'.repeat(12)}libparser.so.1`;
  const crash = crashAt([inModule(deep, '0x1234'), inModule(deep, '0x5678'), inModule('/bin/app', '0x40')]);
  for (const text of [crashText(crash), signatureText(crash)]) {
    const row = narrowRow('crash', text, 13);
    expect(widest(row)).toBeLessThanOrEqual(COLUMNS);
    expect(row).toContain('libparser.so.1+0x1234');
  }
});
