import { sql } from '../../db/sql';
import { type Selected, select, type Values } from '../../db/table';
import { Failure } from '../../failure';
import type { Lane } from '../../lanes';
import type { HelpdeskConnector } from '../../upstream/helpdesk/helpdesk.port';
import type { OutreachSection } from '../../upstream/helpdesk/outreach.section';
import type { PaymentsConnector } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import type { TicketSource } from '../tickets/tickets.ingest';
import { unprotectedLinkFields } from './link-fields';
import { type SourceState, sourceStates } from './source.entity';

export interface HelpdeskSource extends TicketSource {
  readonly connector: HelpdeskConnector;
  /** Where tickets are opened that rules ask for; null where none are. */
  readonly outreach: OutreachSection | null;
}

export interface PaymentsSource {
  readonly name: string;
  readonly connector: PaymentsConnector;
}

export interface ConnectedSources {
  readonly helpdesks: readonly HelpdeskSource[];
  readonly payments: readonly PaymentsSource[];
}

export interface SourceHealth {
  readonly name: string;
  readonly kind: string;
  readonly side: 'helpdesk' | 'payments';
  readonly polledAt: Date | null;
  readonly backfilledAt: Date | null;
  readonly fault: string | null;
}

/** A source that wasn't read to its end for this long, in milliseconds, is behind. */
const behindAfter = 120_000;

/** In one word how a source is doing. */
export const standingOf = ({ polledAt, fault }: SourceHealth, now: Date): 'ok' | 'behind' | 'fault' => {
  if (fault !== null) return 'fault';
  return polledAt === null || now.getTime() - polledAt.getTime() > behindAfter ? 'behind' : 'ok';
};

const healthRows = select(sourceStates.pick('name', 'polledAt', 'backfilledAt', 'fault'), sql`FROM ${sourceStates}`);
const positionRows = select(
  sourceStates.pick('position', 'backfillPosition', 'backfilledAt', 'fault'),
  sql`FROM ${sourceStates}`,
);

/** How far a source has been read, and what it failed with last. */
type SourceProgress = Partial<Omit<Values<SourceState>, 'name' | 'kind' | 'settings'>>;

/** A connector as its work's lane sees it: one under the same limits that gives way, where nobody waits for the work. */
const inLane = <C extends { inBackground?(): C }>(connector: C, lane: Lane): C =>
  lane === 'background' ? (connector.inBackground?.() ?? connector) : connector;

/** The configured sources by name, how to reach each, and how far each has been read. */
export class SourceRegistry {
  private readonly helpdesks: ReadonlyMap<string, HelpdeskSource>;
  private readonly providers: ReadonlyMap<string, PaymentsSource>;
  private readonly background: {
    readonly helpdesks: ReadonlyMap<string, HelpdeskSource>;
    readonly providers: ReadonlyMap<string, PaymentsSource>;
  };

  constructor(
    private readonly core: Pick<Core, 'database' | 'clock'>,
    { helpdesks, payments }: ConnectedSources,
    private readonly onFault: (source: string, error: unknown) => void,
  ) {
    const byName = <S extends { readonly name: string; readonly connector: { inBackground?(): S['connector'] } }>(
      sources: readonly S[],
      lane: Lane,
    ) => new Map(sources.map((source) => [source.name, { ...source, connector: inLane(source.connector, lane) }]));
    this.helpdesks = byName(helpdesks, 'interactive');
    this.providers = byName(payments, 'interactive');
    this.background = { helpdesks: byName(helpdesks, 'background'), providers: byName(payments, 'background') };
  }

  helpdeskNames(): readonly string[] {
    return [...this.helpdesks.keys()];
  }

  paymentsNames(): readonly string[] {
    return [...this.providers.keys()];
  }

  isHelpdesk(name: string): boolean {
    return this.helpdesks.has(name);
  }

  /** Throws `INVALID` for a source that isn't configured. */
  helpdesk(name: string, lane: Lane = 'interactive'): HelpdeskSource {
    const source = (lane === 'background' ? this.background.helpdesks : this.helpdesks).get(name);
    if (!source)
      throw Failure.invalid('source', `expected one of ${this.helpdeskNames().join(', ') || 'no source is configured'}`);
    return source;
  }

  /** Throws `INVALID` for a source that isn't configured. */
  payments(name: string, lane: Lane = 'interactive'): PaymentsSource {
    const source = (lane === 'background' ? this.background.providers : this.providers).get(name);
    if (!source) throw Failure.invalid('source', `expected one of ${this.paymentsNames().join(', ')}`);
    return source;
  }

  allPayments(lane: Lane): readonly PaymentsSource[] {
    return [...(lane === 'background' ? this.background.providers : this.providers).values()];
  }

  connectorOf(name: string): HelpdeskConnector | PaymentsConnector | undefined {
    return (this.helpdesks.get(name) ?? this.providers.get(name))?.connector;
  }

  /** Helpdesk sources whose configured link field agents can write, or may be able to: its values link nobody. */
  unprotectedLinkFields(): ReturnType<typeof unprotectedLinkFields> {
    return unprotectedLinkFields([...this.helpdesks.values()]);
  }

  async health(): Promise<readonly SourceHealth[]> {
    const rows = await this.core.database.read(healthRows, sql``);
    const stored = new Map(rows.map((row) => [row.name, row]));
    return [
      ...[...this.helpdesks.values()].map(({ name, connector }) => ({ name, kind: connector.kind, side: 'helpdesk' as const })),
      ...[...this.providers.values()].map(({ name, connector }) => ({ name, kind: connector.kind, side: 'payments' as const })),
    ].map((source) => {
      const { polledAt = null, backfilledAt = null, fault = null } = stored.get(source.name) ?? {};
      return { ...source, polledAt, backfilledAt, fault };
    });
  }

  /** How far a source has been read; undefined before its first reading. */
  async position(name: string): Promise<Selected<typeof positionRows> | undefined> {
    const [row] = await this.core.database.read(positionRows, sql`WHERE ${sourceStates.name} = ${name}`);
    return row;
  }

  /** How far a source has been read is bookkeeping; only the first sight of a source is recorded. */
  async saveProgress(name: string, progress: SourceProgress): Promise<void> {
    const isSource = sql`${sourceStates.name} = ${name}`;
    const { database } = this.core;
    if ((await database.bookkeeping(sourceStates, (books) => books.update(progress, isSource))) > 0) return;
    await database.system('sync', 'source.first-seen', async (change) => {
      // Another process may have seen it first.
      if ((await change.bookkeep(sourceStates, progress, isSource)) > 0) return;
      const unread = { position: null, backfillPosition: null, backfilledAt: null, polledAt: null, fault: null, faultAt: null };
      const kind = this.connectorOf(name)?.kind ?? 'unknown';
      await change.insert(sourceStates, { name, kind, settings: null, ...unread, ...progress });
      change.record('source.first-seen', { subject: { type: 'Source', id: name } });
    });
  }

  /** Tells of a fault, at the source that had it. `name` is the one that was worked on. */
  noteFault(name: string, error: unknown): void {
    this.onFault(error instanceof SourceUnavailable ? error.source : name, error);
  }

  /**
   * Tells of a fault that ended a turn, and keeps it beside the source that had it until that one is read to its end again.
   * `name` is what was worked on; what is no source keeps no fault of our own.
   */
  async keepFault(name: string, error: unknown): Promise<void> {
    this.noteFault(name, error);
    const [source, why] = error instanceof SourceUnavailable ? [error.source, error.why] : [name, 'internal'];
    if (!this.connectorOf(source)) return;
    await this.saveProgress(source, { fault: why, faultAt: this.core.clock() }).catch((fault: unknown) =>
      this.onFault(source, fault),
    );
  }
}
