import type { Page } from 'playwright-core';
import { engine } from './database';

/** What a control is, as far as it matters here. */
const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])';

/** Runs in the page, in a small window, in forced colours and with motion reduced: what is in somebody's way there. */
const look = (controls: string): string[] => {
  // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
  type Any = any;
  const { document, getComputedStyle, innerWidth, innerHeight } = globalThis as Any;
  const found = new Set<string>();
  const root = document.documentElement;
  const nameOf = (each: Any): string =>
    `${each.localName}${each.className && typeof each.className === 'string' ? `.${each.className.split(' ').join('.')}` : ''} "${(
      each.getAttribute('aria-label') ??
      each.labels?.[0]?.textContent ??
      each.textContent ??
      ''
    )
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 40)}"`;
  const isShown = (each: Any): boolean => {
    const { width, height } = each.getBoundingClientRect();
    return each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && width > 1 && height > 1;
  };
  const everything: Any[] = [...document.querySelectorAll('body, body *')].filter((each: Any) => !each.closest('svg, script'));

  // WCAG 2.2, 1.4.10: only what has two dimensions by itself is scrolled in both.
  if (root.scrollWidth > root.clientWidth) found.add(`the page is ${root.scrollWidth - root.clientWidth} wider than its window`);
  for (const each of everything) {
    const style = getComputedStyle(each);
    const isField = each.matches('input, select, textarea, option, optgroup');
    if (!isField && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1 && isShown(each)) {
      const isTable = each.closest('table, pre') !== null || each.querySelector('table, pre') !== null;
      if (/auto|scroll/.test(style.overflowX) && !isTable) found.add(`${nameOf(each)} is scrolled to the side`);
      if (/hidden|clip/.test(style.overflowX) && style.clipPath === 'none') found.add(`${nameOf(each)} is cut off at the side`);
    }
    // 2.3.3, and whoever is ill of it.
    const lasts = (text: string) => text.split(',').some((part) => Number.parseFloat(part) > 0);
    if (lasts(style.transitionDuration) || (style.animationName !== 'none' && lasts(style.animationDuration)))
      found.add(`${nameOf(each)} moves`);
    if (style.scrollBehavior === 'smooth') found.add(`${nameOf(each)} scrolls slowly`);
    if (style.forcedColorAdjust === 'none') found.add(`${nameOf(each)} keeps its own colours`);
  }
  if (getComputedStyle(root).scrollBehavior === 'smooth') found.add('the page scrolls slowly');
  for (const moving of document.getAnimations())
    if (moving.playState === 'running') found.add(`${nameOf(moving.effect.target)} is moving`);

  // What is chosen is told by something that forced colours leave: neither background nor shadow.
  const marks = (each: Any): string => {
    const s = getComputedStyle(each);
    return [
      s.outlineStyle,
      s.outlineWidth,
      s.borderWidth,
      s.borderStyle,
      s.textDecorationLine,
      s.textDecorationThickness,
      s.fontWeight,
    ].join();
  };
  for (const each of document.querySelectorAll(
    '[aria-current]:not([aria-current=false]), [aria-selected=true], [aria-pressed=true]',
  )) {
    const others: Any[] = [...(each.closest('ul, ol, nav, table, [role]') ?? document).querySelectorAll(each.localName)];
    const other = others.find(
      (one) =>
        one !== each && !one.matches('[aria-current]:not([aria-current=false]), [aria-selected=true], [aria-pressed=true]'),
    );
    if (other && isShown(each) && marks(each) === marks(other)) found.add(`${nameOf(each)} is told apart by colour alone`);
  }

  const top = document.querySelector('dialog:modal') ?? document;
  const all: Any[] = [...top.querySelectorAll(controls)].filter((each: Any) => !each.matches(':disabled'));
  // A list may have thousands of the same.
  const looked = all.length > 120 ? [...all.slice(0, 80), ...all.slice(-40)] : all;
  const isInText = (each: Any): boolean =>
    each.matches('a, summary') &&
    getComputedStyle(each).display === 'inline' &&
    (each.parentElement?.textContent ?? '').trim().length > (each.textContent ?? '').trim().length;
  const was = document.activeElement;
  const targets: { each: Any; box: Any }[] = [];
  for (const each of looked) {
    const isAlways = isShown(each);
    // What has it already isn't brought into view.
    document.activeElement?.blur();
    each.focus();
    if (!isShown(each)) {
      // Beside what is hidden from everybody, such as what is folded.
      if (isAlways) found.add(`${nameOf(each)} goes when it has the focus`);
      continue;
    }
    if (document.activeElement !== each) {
      found.add(`${nameOf(each)} takes no focus`);
      continue;
    }
    const style = getComputedStyle(each);
    if (style.outlineStyle === 'none' || Number.parseFloat(style.outlineWidth) === 0)
      found.add(`${nameOf(each)} doesn’t show its focus`);
    const isDrawn = each.matches(
      'button, .button, select, textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file])',
    );
    const edges = [style.borderTopStyle, style.borderBottomStyle].some((edge) => edge !== 'none');
    if (isDrawn && !(edges && Number.parseFloat(style.borderBottomWidth) + Number.parseFloat(style.borderTopWidth) > 0))
      found.add(`${nameOf(each)} has no edge`);
    // 2.4.11: some of what has the focus is in view, and under nothing.
    const isItself = (at: Any): boolean => at !== null && (each.contains(at) || at.contains(each) || at.control === each);
    const spots = [...each.getClientRects()].flatMap((rect: Any) => {
      const [left, right] = [Math.max(0, rect.left) + 2, Math.min(innerWidth, rect.right) - 2];
      const [upper, lower] = [Math.max(0, rect.top) + 2, Math.min(innerHeight, rect.bottom) - 2];
      if (left > right || upper > lower) return [];
      const [x, y] = [(left + right) / 2, (upper + lower) / 2];
      return [
        [x, y],
        [left, upper],
        [right, upper],
        [left, lower],
        [right, lower],
      ] as const;
    });
    if (spots.length === 0) found.add(`${nameOf(each)} isn’t in view when it has the focus`);
    else if (!spots.some(([x, y]) => isItself(document.elementFromPoint(x, y)))) {
      const over = document.elementFromPoint(...(spots[0] as readonly [number, number]));
      found.add(`${nameOf(each)} is under ${over === null ? 'nothing' : nameOf(over)} when it has the focus`);
    }
    if (isAlways && !isInText(each)) {
      const { scrollX, scrollY } = globalThis as Any;
      const { left, top: upper, right, bottom } = (each.closest('label') ?? each).getBoundingClientRect();
      targets.push({
        each,
        box: { left: left + scrollX, top: upper + scrollY, right: right + scrollX, bottom: bottom + scrollY },
      });
    }
  }
  // 2.5.8: 24 by 24, or with so much room around it.
  const isSmall = ({ box }: Any) => box.right - box.left < 23.5 || box.bottom - box.top < 23.5;
  for (const target of targets.filter(isSmall)) {
    const { box } = target;
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const near = targets.find((other) => {
      if (other === target || target.each.contains(other.each) || other.each.contains(target.each)) return false;
      const [dx, dy] = [
        Math.max(other.box.left - x, 0, x - other.box.right),
        Math.max(other.box.top - y, 0, y - other.box.bottom),
      ];
      const apart = isSmall(other)
        ? Math.hypot((other.box.left + other.box.right) / 2 - x, (other.box.top + other.box.bottom) / 2 - y) >= 24
        : Math.hypot(dx, dy) >= 12;
      return !apart;
    });
    if (near) found.add(`${nameOf(target.each)} is small, and beside ${nameOf(near.each)}`);
  }
  document.activeElement?.blur();
  if (was && was !== document.body) was.focus({ preventScroll: true });
  return [...found];
};

/** What of a page is in the way of whoever reads it at 400 %, in colours of their own, without motion, or by keyboard. Empty where nothing is. */
export const unreadable = async (page: Page): Promise<readonly string[]> => {
  const size = page.viewportSize();
  const from = await page.evaluate('[scrollX, scrollY]');
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  // 1280 by 1024 at 400 %, as WCAG 2.2 reckons it (1.4.10).
  await page.setViewportSize({ width: 320, height: 256 });
  try {
    // Browsers show the focus to whoever had the keyboard last.
    await page.keyboard.press('Shift');
    return await page.evaluate(look, controls);
  } finally {
    await page.emulateMedia({ forcedColors: null, reducedMotion: null });
    if (size) await page.setViewportSize(size);
    await page.evaluate(`scrollTo(...${JSON.stringify(from)})`);
  }
};

/** Throws what `unreadable` finds. It doesn't go by the database: on one of them it is looked at. */
export const expectReadableEverywhere = async (page: Page): Promise<void> => {
  if (engine === 'mariadb') return;
  expect(await unreadable(page)).toEqual([]);
};
