import { sql } from '../../db/sql';
import { select } from '../../db/table';
import type { DemoHelpdeskSection, DemoPaymentsSection } from '../../upstream/demo.section';
import type { HelpdeskConnector } from '../../upstream/helpdesk/helpdesk.port';
import type { RtSection } from '../../upstream/helpdesk/rt/rt.section';
import type { KnownObjects, PaymentsConnector } from '../../upstream/payments/payments.port';
import type { StripeSection } from '../../upstream/payments/stripe/stripe.section';
import type { Core } from '../core';
import type { ConnectedSources } from './registry';
import { sourceStates } from './source.entity';

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
  /** Some of what a payment source showed before. */
  readonly shown: (source: string) => Promise<KnownObjects>;
}

// A connector is loaded where a source of its kind is configured: with their clients they are a good part of a start.
const rt = () => require('../../upstream/helpdesk/rt/rt.connector') as typeof import('../../upstream/helpdesk/rt/rt.connector');
const stripe = () =>
  require('../../upstream/payments/stripe/stripe.connector') as typeof import('../../upstream/payments/stripe/stripe.connector');
const demoSources = () =>
  require('../../development/sources/demo-sources') as typeof import('../../development/sources/demo-sources');

const positions = select(sourceStates.pick('position', 'backfillPosition'), sql`FROM ${sourceStates}`);

/** Null where no source is of kind `demo`, as in production: what serves them isn't loaded then. */
const demoConnectors = async (settings: SourceSettings, core: Pick<Core, 'database' | 'clock' | 'publicUrl'>) => {
  const { helpdesk, payments } = settings.sources;
  if ([...helpdesk, ...payments].every(({ kind }) => kind !== 'demo')) return null;
  const { kind, position, backfillPosition, name } = sourceStates;
  const isRead = sql`(${position} IS NOT NULL OR ${backfillPosition} IS NOT NULL)`;
  const [stored] = await core.database.read(positions, sql`WHERE ${kind} = 'demo' AND ${isRead} ORDER BY ${name} LIMIT 1`);
  return demoSources().demoConnectors({ ...settings, position: stored?.position ?? stored?.backfillPosition ?? null }, core);
};

/** A connector for each configured source. A kind without a case here doesn't compile. */
export const connectSources = async (
  settings: SourceSettings,
  core: Pick<Core, 'database' | 'clock' | 'publicUrl'>,
  given: GivenConnectors,
  onFault: (source: string, error: unknown) => void,
): Promise<ConnectedSources> => {
  const { sources, windowDays } = settings;
  const { clock } = core;
  const demo = await demoConnectors(settings, core);
  const helpdesk = (source: SourceSettings['sources']['helpdesk'][number]): HelpdeskConnector => {
    switch (source.kind) {
      case 'rt': {
        const onSkipped = (_reference: string, fault: unknown) => onFault(source.name, fault);
        const { RtHelpdesk } = rt();
        return new RtHelpdesk({ ...source, source: source.name, windowDays, clock, onSkipped });
      }
      case 'demo':
        return demo!.helpdesk(source);
    }
  };
  const payments = (source: SourceSettings['sources']['payments'][number]): PaymentsConnector => {
    switch (source.kind) {
      case 'stripe': {
        const { StripePayments } = stripe();
        return new StripePayments({ ...source, source: source.name, clock, known: () => settings.shown(source.name) });
      }
      case 'demo':
        return demo!.payments(source);
    }
  };
  return {
    helpdesks: sources.helpdesk.map((source) => ({
      name: source.name,
      connector: (given[source.name] as HelpdeskConnector | undefined) ?? helpdesk(source),
      teams: source.kind === 'rt' ? source.teams : {},
      outreach: source.outreach ?? null,
    })),
    payments: sources.payments.map((source) => ({
      name: source.name,
      connector: (given[source.name] as PaymentsConnector | undefined) ?? payments(source),
    })),
  };
};
