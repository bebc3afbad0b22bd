/** report.html in a real browser: nothing scrolls sideways on a phone, all is legible in light and dark, paper cuts nothing. */
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Browser, NO_CHROMIUM, openBrowser, type View } from '../support/chromium.ts';
import { makeReports } from '../support/reports.ts';

/** Widths of the page and of what may scroll by itself, and the boxes that a reader cannot see whole. */
const WIDTHS = `(() => {
  const page = document.documentElement;
  const outside = [...document.querySelectorAll('body *')].filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    return left < 0 || right > page.clientWidth + 0.5 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0;
  });
  return { scroll: page.scrollWidth, outside: outside.map((one) => one.outerHTML.slice(0, 120)) };
})()`;

/** Texts with less than 4.5 : 1 to what lies behind them, and marks with less than 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11). */
const CONTRASTS = `(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = (one, colour, least) => ratio(colour, behind(one)) < least ? [colour + ' on ' + behind(one) + ': ' + one.outerHTML.slice(0, 80)] : [];
  const texts = [...document.querySelectorAll('body *')].filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const names = [...document.querySelectorAll('td[data-name]')];
  return {
    texts: texts.length,
    page: behind(document.body),
    faint: [
      ...texts.flatMap((one) => faint(one, getComputedStyle(one).color, 4.5)),
      ...names.flatMap((one) => faint(one, getComputedStyle(one, '::before').color, 4.5)),
      ...[...document.querySelectorAll('rect')].flatMap((one) => faint(one, one.matches('.lost') ? getComputedStyle(one).stroke : getComputedStyle(one).fill, 3)),
      ...[...document.querySelectorAll('.verdict, .badge')].flatMap((one) => faint(one, getComputedStyle(one).borderLeftColor, 3)),
    ],
  };
})()`;

describe.skipIf(NO_CHROMIUM !== '')(`report.html in chromium ${NO_CHROMIUM}`, () => {
  let reports: [string, string][];
  let browser: Browser | undefined;
  beforeAll(async () => {
    reports = await makeReports();
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  async function each<T>(view: View, expression: string): Promise<[string, T][]> {
    const found: [string, T][] = [];
    for (const [name, path] of reports)
      found.push([name, await browser!.look<T>(pathToFileURL(path).href, view, expression)]);
    return found;
  }

  /** 718 is the width of A4 less the margins that browsers leave. */
  const VIEWS: View[] = [
    { width: 320 },
    { width: 360 },
    { width: 641 },
    { width: 1280 },
    { width: 718, media: 'print' },
  ];
  it.each(VIEWS)('is seen whole: %o', async (view) => {
    for (const [name, { scroll, outside }] of await each<{ scroll: number; outside: string[] }>(view, WIDTHS))
      expect([name, scroll, outside]).toEqual([name, view.width, []]);
  });

  it.each([360, 1280])('has the contrast of WCAG AA in light and dark at %i', async (width) => {
    const pages: string[] = [];
    for (const scheme of ['light', 'dark'] as const)
      for (const [name, seen] of await each<{ texts: number; page: string; faint: string[] }>(
        { width, scheme },
        CONTRASTS,
      )) {
        expect([name, scheme, seen.faint]).toEqual([name, scheme, []]);
        expect(seen.texts).toBeGreaterThan(50);
        pages.push(seen.page);
      }
    expect(new Set(pages).size).toBe(2);
  });

  it('is printed in dark ink from a dark screen', async () => {
    const seen = await each<string>(
      { width: 718, scheme: 'dark', media: 'print' },
      'getComputedStyle(document.body).color',
    );
    expect(new Set(seen.map(([, colour]) => colour))).toEqual(new Set(['rgb(27, 27, 27)']));
  });
});
