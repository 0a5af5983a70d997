import { join } from 'node:path';
import type { DemoHelpdeskSection, DemoPaymentsSection } from '../../upstream/demo.section';
import { readDemoCursor } from '../merchant/cursor';
import { DemoHelpdesk } from './demo-helpdesk';
import { DemoPayments } from './demo-payments';

/** Where the demo provider's card pages are, under the gateway's own address. */
export const demoSetupPath = '/demo-provider/setup';

export interface DemoSettings {
  /** Of the demo merchant. */
  readonly demo: { readonly size: number; readonly seed: number } | null;
  readonly dataFolder: string;
  /** How far the demo's sources have been read; null before their first reading. */
  readonly position: string | null;
}

/** A loaded demo merchant goes on with its own seed, size and day: those of today would be another merchant. */
const demoMerchant = ({ demo, position }: DemoSettings, clock: () => Date) => {
  const { size, seed } = demo ?? { size: 1, seed: 1 };
  const cursor = readDemoCursor(position ?? '');
  return cursor ? { seed: cursor.seed, size: cursor.size, anchor: cursor.anchor } : { seed, size, anchor: clock() };
};

/** What makes connectors of the sources of kind `demo`: all of them show the same merchant. */
export const demoConnectors = (
  settings: DemoSettings,
  { clock, publicUrl }: { readonly clock: () => Date; readonly publicUrl: () => string },
) => {
  const { dataFolder } = settings;
  const merchant = demoMerchant(settings, clock);
  return {
    helpdesk: ({ name }: DemoHelpdeskSection) => new DemoHelpdesk({ ...merchant, source: name, clock: { now: clock } }),
    payments: ({ name, helpdesk }: DemoPaymentsSection) =>
      new DemoPayments({
        ...merchant,
        source: name,
        helpdeskSource: helpdesk,
        clock: { now: clock },
        stateFile: join(dataFolder, `demo-${name}.json`),
        setupUrl: (reference) => `${publicUrl()}${demoSetupPath}/${reference}`,
      }),
  };
};
