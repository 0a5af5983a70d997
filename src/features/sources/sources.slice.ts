import { describeError } from '../../log';
import { leaveBy, type Outgoing } from '../../upstream/outgoing';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { followTurns } from '../alerts/raising';
import { endAssistances, waitForLeases } from '../assistance/assistance.ending';
import type { Core, Storage } from '../core';
import { CustomersIngest } from '../customers/customers.ingest';
import { PaymentsIngest } from '../payments/payments.ingest';
import { TicketsIngest } from '../tickets/tickets.ingest';
import { connectSources, type GivenConnectors, type SourceSettings } from './connectors';
import { SourceRegistry } from './registry';
import { Sources } from './sources.service';
import type { SyncSection } from './sync.section';

/** The configured sources with their connectors. `given` take the place of configured ones. */
export const createSources = async (
  core: Storage & Pick<Core, 'publicUrl'>,
  {
    sync,
    outgoing,
    ...settings
  }: Omit<SourceSettings, 'windowDays' | 'shown'> & { readonly sync: SyncSection; readonly outgoing: Outgoing },
  given: GivenConnectors,
): Promise<Sources> => {
  const { database, keys, redactor, clock, log } = core;
  leaveBy(outgoing);
  const onFault = (source: string, error: unknown) => {
    if (error instanceof SourceUnavailable && error.why === 'unauthorized')
      return log.error(
        { source, fault: error.why },
        'a source does not let this account in, or is another account or mode than it was: nothing that it misses counts as gone',
      );
    log.warn(
      {
        source,
        fault: error instanceof SourceUnavailable ? error.why : 'internal',
        ...(error instanceof SourceUnavailable ? {} : { error: describeError(error) }),
      },
      'a source failed',
    );
  };
  const payments = new PaymentsIngest(database, keys, redactor);
  const shown = (source: string) => payments.shown(source);
  const connected = await connectSources({ ...settings, windowDays: sync.windowDays, shown }, core, given, onFault);
  const customers = new CustomersIngest(database, keys);
  return new Sources({
    database,
    keys,
    clock,
    registry: new SourceRegistry(core, connected, onFault),
    tickets: new TicketsIngest({
      database,
      keys,
      redactor,
      customers,
      assistances: {
        end: async (change, turns) => {
          const { ended, leasesUntil } = await endAssistances(change, turns);
          // Whoever is about to be told of an alert goes by what was so a moment ago: as long as a lease is waited for.
          const isTold = await followTurns(change, turns);
          return { ended, leasesUntil: isTold ? Math.max(leasesUntil, Date.now()) : leasesUntil };
        },
        settled: waitForLeases,
      },
    }),
    customers,
    payments,
    settings: {
      windowDays: sync.windowDays,
      pollEvery: sync.pollSeconds * 1_000,
      maximumAssignmentAge: sync.assignmentBoundSeconds * 1_000,
      openWithin: sync.openSeconds * 1_000,
      paymentsWithin: sync.readThroughSeconds * 1_000,
    },
  });
};
