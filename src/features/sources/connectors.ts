import { join } from 'node:path';
import type { Database } from '../../db/database';
import { readDemoCursor } from '../../development/merchant/cursor';
import { DemoHelpdesk } from '../../development/sources/demo-helpdesk';
import { DemoPayments } from '../../development/sources/demo-payments';
import type { DemoHelpdeskSection, DemoPaymentsSection } from '../../upstream/demo.section';
import type { HelpdeskConnector } from '../../upstream/helpdesk/helpdesk.port';
import { RtHelpdesk } from '../../upstream/helpdesk/rt/rt.connector';
import type { RtSection } from '../../upstream/helpdesk/rt/rt.section';
import type { PaymentsConnector } from '../../upstream/payments/payments.port';
import { StripePayments } from '../../upstream/payments/stripe/stripe.connector';
import type { StripeSection } from '../../upstream/payments/stripe/stripe.section';
import type { HelpdeskSource, PaymentsSource } from './registry';

/** Where the demo provider's card pages are, under the gateway's own address. */
export const demoSetupPath = '/demo-provider/setup';

/** Connectors by the name of the source that they take the place of; for tests that simulate a fault. */
export type GivenConnectors = Readonly<Record<string, HelpdeskConnector | PaymentsConnector>>;

export interface SourceSettings {
  readonly sources: {
    readonly helpdesk: readonly (RtSection | DemoHelpdeskSection)[];
    readonly payments: readonly (StripeSection | DemoPaymentsSection)[];
  };
  readonly windowDays: number;
  /** Of the demo merchant; null where it isn't used. */
  readonly demo: { readonly size: number; readonly seed: number } | null;
  readonly dataFolder: string;
}

/** A loaded demo merchant goes on with its own seed, size and day: those of today would be another merchant. */
const demoMerchant = async (demo: SourceSettings['demo'], database: Database, clock: () => Date) => {
  const { size, seed } = demo ?? { size: 1, seed: 1 };
  const [stored] = await database.query<{ position: string | null; backfill_position: string | null }>(
    "SELECT position, backfill_position FROM upstream_source WHERE kind = 'demo' AND (position IS NOT NULL OR backfill_position IS NOT NULL) ORDER BY name LIMIT 1",
  );
  const cursor = readDemoCursor(stored?.position ?? stored?.backfill_position ?? '');
  return cursor ? { seed: cursor.seed, size: cursor.size, anchor: cursor.anchor } : { seed, size, anchor: clock() };
};

/** A connector for each configured source. A kind without a case here doesn't compile. */
export const connectSources = async (
  { sources, windowDays, demo, dataFolder }: SourceSettings,
  { database, clock, publicUrl }: { readonly database: Database; readonly clock: () => Date; readonly publicUrl: () => string },
  given: GivenConnectors,
  onFault: (source: string, error: unknown) => void,
): Promise<{ helpdesks: readonly HelpdeskSource[]; payments: readonly PaymentsSource[] }> => {
  const merchant = await demoMerchant(demo, database, clock);
  const helpdesk = (source: SourceSettings['sources']['helpdesk'][number]): HelpdeskConnector => {
    switch (source.kind) {
      case 'rt': {
        const onSkipped = (_reference: string, fault: unknown) => onFault(source.name, fault);
        return new RtHelpdesk({ ...source, source: source.name, windowDays, clock, onSkipped });
      }
      case 'demo':
        return new DemoHelpdesk({ ...merchant, source: source.name, clock: { now: clock } });
    }
  };
  const payments = (source: SourceSettings['sources']['payments'][number]): PaymentsConnector => {
    switch (source.kind) {
      case 'stripe':
        return new StripePayments({ ...source, source: source.name, clock });
      case 'demo':
        return new DemoPayments({
          ...merchant,
          source: source.name,
          helpdeskSource: source.helpdesk,
          clock: { now: clock },
          stateFile: join(dataFolder, `demo-${source.name}.json`),
          setupUrl: (reference) => `${publicUrl()}${demoSetupPath}/${reference}`,
        });
    }
  };
  return {
    helpdesks: sources.helpdesk.map((source) => ({
      name: source.name,
      connector: (given[source.name] as HelpdeskConnector | undefined) ?? helpdesk(source),
      teams: source.kind === 'rt' ? source.teams : {},
    })),
    payments: sources.payments.map((source) => ({
      name: source.name,
      connector: (given[source.name] as PaymentsConnector | undefined) ?? payments(source),
    })),
  };
};
