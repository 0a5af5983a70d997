import { type Lane, Waits } from '../../lanes';
import type { WebhookRequest } from '../../upstream/helpdesk/helpdesk.port';
import { Linking, type LinkingCount } from '../customers/linking';
import { Polling, type SyncProgress } from './polling';
import { Reading } from './reading';
import type { HelpdeskSource, PaymentsSource, SourceHealth, SourceRegistry } from './registry';
import type { SourceParts } from './source-parts';
import type { SourceReports } from './source-reports.service';
import { Sweep, type SweepProgress } from './sweep';
import { type WebhookOutcome, Webhooks } from './webhooks';

/** What is told of them is of the graph: whoever syncs by itself loads none. */
const reporting = () => require('./source-reports.service') as typeof import('./source-reports.service');

/** The configured sources: filled by backfill and poll, woken by webhooks, read through where a record is missing or too old. */
export class Sources {
  /** People who wait for a source just now. One request may count more than once, where it waits for several of them. */
  readonly waits = new Waits();
  private readonly registry: SourceRegistry;
  private readonly linking: Linking;
  private readonly reading: Reading;
  private readonly polling: Polling;
  private readonly webhooks: Webhooks;
  private readonly sweep: Sweep;

  constructor(private readonly parts: SourceParts) {
    this.registry = parts.registry;
    this.linking = new Linking(parts);
    this.reading = new Reading(parts, this.linking);
    this.polling = new Polling(parts, this.reading, this.linking);
    this.webhooks = new Webhooks(parts, this.reading, this.polling);
    this.sweep = new Sweep(parts, this.reading);
  }

  /** How they are doing, for whoever asks in the graph. */
  get reports(): SourceReports {
    return new (reporting().SourceReports)(this.parts.database, this, this.parts.clock);
  }

  /** Throws `INVALID` for a source that isn't configured. */
  helpdesk(name: string): HelpdeskSource {
    return this.registry.helpdesk(name);
  }

  /** In the order of the configuration. */
  helpdesks(lane?: Lane): readonly HelpdeskSource[] {
    return this.registry.helpdeskNames().map((name) => this.registry.helpdesk(name, lane));
  }

  /** Throws `INVALID` for a source that isn't configured. */
  paymentsSource(name: string): PaymentsSource {
    return this.registry.payments(name);
  }

  /** It is configured, and methods of it can be changed here. */
  takesUpdates(name: string): boolean {
    return this.registry.paymentsNames().includes(name) && this.registry.payments(name).connector.credentials !== undefined;
  }

  /** See `Reading.refreshTicket`, for a person who waits. Throws `SourceUnavailable`. */
  refreshTicket(source: string, reference: string): Promise<boolean> {
    return this.waits.during(this.reading.refreshTicket(source, reference));
  }

  /** See `Reading.refreshPayments`. */
  refreshPayments(customerId: string): Promise<boolean> {
    return this.waits.during(this.reading.refreshPayments(customerId));
  }

  /** Asks every payment source anew who this customer is and what they pay with, however long that takes. Throws `SourceUnavailable`. */
  confirmLink(customerId: string): Promise<void> {
    return this.linking.linkOne(customerId);
  }

  /** An internal note on a ticket. False where the helpdesk takes none. Throws `SourceUnavailable`; the note may be there even so. */
  async addNote(source: string, reference: string, text: string): Promise<boolean> {
    return (await this.registry.helpdesk(source).connector.addNote?.(reference, text)) ?? false;
  }

  /** Follows every source until `stop`. */
  start(): void {
    this.polling.start();
    this.sweep.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.polling.stop(), this.sweep.stop()]);
  }

  /** Everything once: backfill where it isn't finished, then what changed since. For the command line, the first start and tests. */
  async syncAll(onProgress?: (progress: SyncProgress) => void): Promise<void> {
    await this.polling.syncAll(onProgress);
    await this.sweep.all();
  }

  /** How far the text of stored tickets was held against their helpdesks. */
  textsCompared(): Promise<readonly SweepProgress[]> {
    return this.sweep.progress();
  }

  /** See `Webhooks.receive`. */
  webhook(source: string, request: WebhookRequest): Promise<WebhookOutcome> {
    return this.webhooks.receive(source, request);
  }

  unprotectedLinkFields() {
    return this.registry.unprotectedLinkFields();
  }

  health(): Promise<readonly SourceHealth[]> {
    return this.registry.health();
  }

  /** Customers of each helpdesk source whose link isn't decided yet. */
  unlinkedCustomers(): Promise<readonly LinkingCount[]> {
    return this.linking.counts();
  }
}
