import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const firstOf = (...places: readonly string[]) => process.env.CHROMIUM ?? places.find((place) => existsSync(place));
const whole = firstOf('/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome');
/** The same engine without the browser around it, which shows a page in a quarter of the processor time. */
const shell = firstOf('/usr/bin/chromium-headless-shell');
const required = process.env.REQUIRE_CHROMIUM === '1' || process.env.CI === 'true';

/**
 * As people's browsers are: what a frame keeps is kept apart for the page around it, which playwright's own list of features to leave out leaves out.
 * Of two such lists browsers go by the last.
 */
export const browserArguments: readonly string[] = [
  '--no-sandbox',
  '--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch',
];

const absent = (): null => {
  if (required)
    throw new Error('a browser is required here (CI or REQUIRE_CHROMIUM=1), and there is no chromium on this machine');
  process.stderr.write(
    'What is shown in a browser was not tried: there is no chromium on this machine (Debian: apt-get install chromium; with chromium-headless-shell beside it these tests take half the time).\n',
  );
  return null;
};

/** Where a browser with settings of its own is, which its engine alone doesn't have; null where there is none, as below. */
export const wholeChromium = (): string | null => whole ?? absent();

/** A browser on this machine, or null where there is none: then the test says so, and where it must run it fails. */
export const launchChromium = async (): Promise<Browser | null> => {
  const executablePath = shell ?? whole;
  return executablePath === undefined ? absent() : chromium.launch({ executablePath, args: [...browserArguments] });
};
