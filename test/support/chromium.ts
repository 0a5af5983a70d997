import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const found = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
const required = process.env.REQUIRE_CHROMIUM === '1' || process.env.CI === 'true';

/**
 * As people's browsers are: what a frame keeps is kept apart for the page around it, which playwright's own list of features to leave out leaves out.
 * Of two such lists browsers go by the last.
 */
export const browserArguments: readonly string[] = [
  '--no-sandbox',
  '--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch',
];

/** A browser on this machine, or null where there is none: then the test says so, and where it must run it fails. */
export const launchChromium = async (): Promise<Browser | null> => {
  if (found !== undefined) return chromium.launch({ executablePath: found, args: [...browserArguments] });
  if (required)
    throw new Error('a browser is required here (CI or REQUIRE_CHROMIUM=1), and there is no chromium on this machine');
  process.stderr.write(
    'What is shown in a browser was not tried: there is no chromium on this machine (Debian: apt-get install chromium).\n',
  );
  return null;
};
