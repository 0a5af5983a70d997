import { consoleLoads, gzipBytes } from '../support/built-console';

const { pages, screens, proof } = consoleLoads();
const kilobytes = (files: readonly string[] = []) => gzipBytes(files) / 1_000;
/** Screens with which a day of work begins. */
const first = Object.keys(screens).filter((name) => /^screens\/(tickets|agent|supervisor)\//.test(name));

describe('what a browser loads, compressed', () => {
  it.each(first)('for %s as the first screen is at most 107 kB', (screen) => {
    expect(kilobytes([...(pages.index ?? []), ...(screens[screen] ?? [])])).toBeLessThanOrEqual(107);
  });

  it.each(Object.keys(screens))('for %s is at most 30 kB beside what every screen has', (screen) => {
    expect(kilobytes(screens[screen])).toBeLessThanOrEqual(30);
  });

  it('for the panel is at most 14 kB beside what every screen has: a frame has it, too', () => {
    expect(kilobytes(screens['screens/agent/agent.tsx'])).toBeLessThanOrEqual(14);
  });

  it('for a frame with the panel is at most 97.5 kB, all that it shows first included', () => {
    expect(kilobytes(pages.frame)).toBeLessThanOrEqual(97.5);
  });

  it('for a proof of an event is at most 38 kB more', () => {
    expect(kilobytes([proof])).toBeLessThanOrEqual(38);
  });
});
