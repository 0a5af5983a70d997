import type { Browser } from 'playwright-core';
import { closed, isolated } from '../../console/app/text/isolated';
import { launchChromium } from '../support/chromium';

let browser: Browser | null;
beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);
afterAll(() => browser?.close());

const [rlo, rli, fsi, pdi, pdf] = ['\u202e', '\u2067', '\u2068', '\u2069', '\u202c'];

/** What somebody may be called, or write, to turn what stands beside it. */
const hostile = {
  'an override': `x${rlo}y`,
  'the end of its own isolate, and an override': `x${pdi}${rlo}y`,
  'more ends than one': `x${pdi}${pdi}${pdf}${pdi}${rlo}y`,
  'an isolate that stays open': `x${rli}y`,
  'two that stay open': `x${rli}y${fsi}z`,
  'a line that begins an isolate, and one that ends it': `x${rli}y\nz${pdi}${rlo}w`,
  'a paragraph’s end, and an override': `x\u2029${rlo}y`,
  'a control that ends paragraphs': `x\u001c${rlo}y`,
  'letters from right to left': 'שלום',
  'digits of those': `٤٢${rlo}`,
};

describe('a text of somebody else’s', () => {
  it.each(Object.entries(hostile))('turns nothing that stands beside it, by %s', async (_, text) => {
    if (!browser) return;
    const page = await browser.newPage();
    await page.setContent(
      '<p style="font: 20px monospace">A <bdi dir="auto"></bdi> abc def</p><p style="font: 20px monospace; white-space: pre-wrap">A <bdi></bdi> abc def</p><p style="font: 20px monospace"></p>',
    );
    // Where the letters of "abc def" stand, behind each of them.
    const orders = await page.evaluate(
      ([inElement, inSentence]) => {
        // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
        const { document } = globalThis as any;
        for (const each of document.querySelectorAll('bdi')) each.textContent = inElement;
        document.querySelector('p:last-child').textContent = `A ${inSentence} abc def`;
        // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
        return [...document.querySelectorAll('p')].map(({ lastChild }: any) => {
          const from = lastChild.data.length - 'abc def'.length;
          return [0, 1, 2, 4, 5, 6].map((at) => {
            const range = document.createRange();
            range.setStart(lastChild, from + at);
            range.setEnd(lastChild, from + at + 1);
            return range.getBoundingClientRect().left as number;
          });
        });
      },
      [closed(text), isolated(text)] as const,
    );
    expect(orders).toEqual(orders.map((lefts) => [...lefts].sort((one, other) => one - other)));
    expect(orders.map((lefts) => new Set(lefts).size)).toEqual([6, 6, 6]);
    await page.close();
  });

  it('stays as it is where it turns nothing, with the isolates that it ends itself', () => {
    for (const text of [
      '',
      'Ana Quill',
      'José 42 % (“x”)',
      '•••• 4242',
      '日本語',
      `a${fsi}b${pdi}c`,
      `${rli}a${fsi}b${pdi}${pdi}`,
      'a\nb\tc',
    ])
      expect(closed(text)).toBe(text);
    for (const text of ['Ana Quill', 'José', '12.04.2026, 10:00', '日本語']) expect(isolated(text)).toBe(text);
    expect(isolated('שלום')).toBe(`${fsi}שלום${pdi}`);
    expect(closed(`a${pdi}b`)).toBe('ab');
    expect(closed(`a${rli}b`)).toBe(`a${rli}b${pdi}`);
  });
});
