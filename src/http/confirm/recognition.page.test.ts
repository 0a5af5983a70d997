import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../../test/support/chromium';
import type { RecognitionView } from '../../features/recognitions/recognition.view';
import { pagesFor } from './pages';
import type { Merchant } from './parts';
import { disownedPage, paymentPage, recognizedPage } from './recognition.page';

const site: Merchant = { merchant: 'Demo Shop', supportUrl: 'https://shop.example.com/help' };
const now = new Date('2026-09-01T09:00:00Z');
const view: RecognitionView = {
  kind: 'PAYMENT',
  merchant: 'Demo Shop',
  ticket: '1042',
  askedBy: 'Ana Alvarez',
  payment: {
    minorUnits: 12_345,
    currency: 'EUR',
    at: '2026-08-31T22:14:00.000Z',
    brand: 'visa',
    last4: '4242',
    order: 'Two concert tickets',
  },
  expiresAt: new Date('2026-09-02T08:30:00Z'),
  code: null,
  shown: 'f'.repeat(64),
};
const first = { now, problems: [] };
const wrong = { now, problems: [{ field: 'agreed', message: 'Tick the box.' }] };
const pages = (of: RecognitionView): readonly string[] => [
  paymentPage(site, of, first),
  paymentPage(site, of, wrong),
  recognizedPage(site, of),
  disownedPage(site, of),
];

describe('the page that asks whose a payment is', () => {
  it.each([
    ['EUR', 'EUR 123.45'],
    ['JPY', 'JPY 12,345'],
    ['KWD', 'KWD 12.345'],
  ])('says the amount in %s with its own decimals, and its code', (currency, amount) => {
    const body = paymentPage(site, { ...view, payment: { ...view.payment, currency } }, first).replace(/\u00a0/g, ' ');
    expect(body).toContain(`<bdi>${amount}</bdi>`);
  });

  it('is the page of a question about a payment', () => {
    const { asked, confirmed, refused } = pagesFor(view);
    const filling = { ...first, address: null, codeWasSent: false };
    expect([asked(site, view, filling), confirmed(site, view, false), refused(site, view)]).toEqual([
      paymentPage(site, view, first),
      recognizedPage(site, view),
      disownedPage(site, view),
    ]);
  });

  it('shows what is known of the payment, and leaves out what isn’t', () => {
    const bare = { ...view, askedBy: null, payment: { ...view.payment, brand: null, last4: null, order: null } };
    expect(paymentPage(site, view, first)).toMatch(/Visa •••• 4242.*Two concert tickets/s);
    expect(paymentPage(site, bare, first)).not.toMatch(/Paid with|<dt>For|null/);
  });

  it('has neither script nor an answer that is chosen beforehand', () => {
    for (const body of pages(view)) expect(body).not.toMatch(/<script|javascript:|checked|\son\w+=/i);
  });

  it('escapes whatever shop and helpdesk call things', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const hostile = `${text}<img src=x onerror=alert(1)>`;
        const of = { ...view, merchant: hostile, ticket: hostile, askedBy: hostile };
        for (const body of pages({ ...of, payment: { ...view.payment, order: hostile } })) expect(body).not.toContain('<img');
      }),
      { numRuns: 50 },
    );
  });

  describe('in a browser', () => {
    let browser: Browser | null;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

    it.each([
      ['light', 1_024],
      ['light', 320],
      ['dark', 320],
    ] as const)('gives yes and no the same weight, and is accessible: %s, %d pixels', async (colorScheme, width) => {
      if (browser === null) return;
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
      for (const [place, body] of pages(view).entries()) {
        await page.setContent(body);
        const looks = (await page.evaluate(`[...document.querySelectorAll('.answers button')].map((button) => {
          const { width, height } = button.getBoundingClientRect();
          const { color, backgroundColor, borderColor, fontWeight, fontSize } = getComputedStyle(button);
          return [Math.round(width), Math.round(height), color, backgroundColor, borderColor, fontWeight, fontSize].join();
        })`)) as readonly string[];
        expect([looks.length, new Set(looks).size]).toEqual(place < 2 ? [2, 1] : [0, 0]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
        await page.evaluate(axe);
        const violations = await page.evaluate('axe.run().then((found) => found.violations.map(({ id }) => id))');
        expect(violations).toEqual([]);
      }
      await page.close();
    });
  });
});
