import type { Core } from '../core';
import type { CustomersIngest } from '../customers/customers.ingest';
import type { PaymentsIngest } from '../payments/payments.ingest';
import type { TicketsIngest } from '../tickets/tickets.ingest';
import type { SourceRegistry } from './registry';

export interface SyncSettings {
  /** How far back tickets and transactions are kept, days. */
  readonly windowDays: number;
  /** Pause between two polls of a source, milliseconds. */
  readonly pollEvery: number;
  /** A ticket that somebody assists on is confirmed at least this often, milliseconds, where the helpdesk answers. */
  readonly maximumAssignmentAge: number;
  /** How long a person who opens a ticket waits for the helpdesk, milliseconds. */
  readonly openWithin: number;
  /** How long a response waits for the payment side, milliseconds, before it shows what is stored, marked stale. */
  readonly paymentsWithin: number;
}

/** What whoever reads sources is made of. */
export interface SourceParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly registry: SourceRegistry;
  /** What was read goes to these slices. */
  readonly tickets: TicketsIngest;
  readonly customers: CustomersIngest;
  readonly payments: PaymentsIngest;
  readonly settings: SyncSettings;
}
