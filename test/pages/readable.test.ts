import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium';
import { unreadable } from '../support/readable';

let browser: Browser | null;
let page: Page;
beforeAll(async () => {
  browser = await launchChromium();
  if (browser) page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
}, 60_000);
afterAll(() => browser?.close());

const far = '<div style="height: 2000px"></div>';

describe('what is held against every screen', () => {
  it.each([
    ['a line that doesn’t break', '<p style="white-space: nowrap; width: 600px">Long</p>', /wider than its window/],
    [
      'a text that is scrolled to the side',
      '<div style="overflow-x: auto"><p style="width: 900px">Long</p></div>',
      /div .* is scrolled to the side/,
    ],
    [
      'a text that is cut off',
      '<p style="overflow: hidden; white-space: nowrap; width: 80px">Much longer than that is</p>',
      /p .* is cut off at the side/,
    ],
    ['a transition', '<style>a { transition: color 1s }</style><a href="#x">Go</a>', /a "Go" moves/],
    [
      'an animation',
      '<style>@keyframes k { to { opacity: 0 } } p { animation: k 2s infinite }</style><p>Busy</p>',
      /p "Busy" (moves|is moving)/,
    ],
    ['a slow scroll', '<style>html { scroll-behavior: smooth }</style>', /scrolls slowly/],
    ['colours that are kept', '<p style="forced-color-adjust: none">Red</p>', /keeps its own colours/],
    [
      'a place in a list told by its background',
      '<ul><li><a href="#a" aria-current="page" style="background: gold">A</a></li><li><a href="#b">B</a></li></ul>',
      /a "A" is told apart by colour alone/,
    ],
    [
      'a focus without an outline',
      '<style>button:focus { outline: none }</style><button>Do it</button>',
      /button "Do it" doesn’t show its focus/,
    ],
    ['a button without an edge', '<button style="border: 0">Do it</button>', /button "Do it" has no edge/],
    ['a field without an edge', '<label>Name <input style="border: none"></label>', /input .* has no edge/],
    [
      'something that sticks over it',
      `${far}<button>Do it</button>${far}<p style="position: fixed; inset: 0; margin: 0; background: white">Cookies</p>`,
      /button "Do it" is under p "Cookies"/,
    ],
    [
      'something that is never in view',
      '<button style="position: fixed; left: -900px">Do it</button>',
      /button "Do it" isn’t in view/,
    ],
    [
      'small ones side by side',
      '<button style="width: 16px; height: 16px; padding: 0">a</button><button style="width: 16px; height: 16px; padding: 0">b</button>',
      /button "a" is small, and beside button "b"/,
    ],
  ])('is failed by %s', async (_, html, finding) => {
    if (!browser) return;
    await page.setContent(`<!doctype html><body>${html}</body>`);
    expect(await unreadable(page)).toContainEqual(expect.stringMatching(finding));
  });

  it('is passed by what has none of that, which stays as it was', async () => {
    if (!browser) return;
    await page.setContent(`<!doctype html><style>@media (prefers-reduced-motion: no-preference) { a { transition: color 1s } }</style><body>
      <p>Words with <a href="#x">a link</a> in them.</p><nav><a href="#a" aria-current="page" style="outline: 2px solid">A</a> <a href="#b">B</a></nav>
      <div style="overflow-x: auto"><table style="width: 900px"><tr><td>Wide</td></tr></table></div>${far}
      <label><input type="checkbox"> Yes</label><button id="last">Do it</button></body>`);
    await page.focus('#last');
    expect(await unreadable(page)).toEqual([]);
    expect(await page.evaluate('[document.activeElement.id, innerWidth, matchMedia("(forced-colors: active)").matches]')).toEqual(
      ['last', 1280, false],
    );
  });
});
