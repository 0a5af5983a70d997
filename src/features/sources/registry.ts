import { systemActor } from '../../authz/actor';
import type { Database } from '../../db/database';
import { assignments } from '../../db/sql';
import { Failure } from '../../failure';
import type { Lane } from '../../lanes';
import type { HelpdeskConnector } from '../../upstream/helpdesk/helpdesk.port';
import type { PaymentsConnector } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { TicketSource } from '../tickets/tickets.ingest';
import { unprotectedLinkFields } from './link-fields';

export interface HelpdeskSource extends TicketSource {
  readonly connector: HelpdeskConnector;
}

export interface PaymentsSource {
  readonly name: string;
  readonly connector: PaymentsConnector;
}

export interface SourceHealth {
  readonly name: string;
  readonly kind: string;
  readonly side: 'helpdesk' | 'payments';
  readonly polledAt: Date | null;
  readonly backfilledAt: Date | null;
  readonly fault: string | null;
}

/** Where the reading of a source stands. */
export interface SourcePosition {
  readonly position: string | null;
  readonly backfill_position: string | null;
  readonly backfilled_at: number | null;
}

const sync = systemActor('sync');

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
    private readonly database: Database,
    helpdesks: readonly HelpdeskSource[],
    payments: readonly PaymentsSource[],
    private readonly onFault: (source: string, error: unknown) => void,
    private readonly clock: () => Date,
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
    const rows = await this.database.query<{
      name: string;
      polled_at: number | null;
      backfilled_at: number | null;
      fault: string | null;
    }>('SELECT name, polled_at, backfilled_at, fault FROM upstream_source');
    const stored = new Map(rows.map((row) => [row.name, row]));
    const instant = (value: number | null | undefined) => (value === null || value === undefined ? null : new Date(value));
    return [
      ...[...this.helpdesks.values()].map(({ name, connector }) => ({ name, kind: connector.kind, side: 'helpdesk' as const })),
      ...[...this.providers.values()].map(({ name, connector }) => ({ name, kind: connector.kind, side: 'payments' as const })),
    ].map((source) => ({
      ...source,
      polledAt: instant(stored.get(source.name)?.polled_at),
      backfilledAt: instant(stored.get(source.name)?.backfilled_at),
      fault: stored.get(source.name)?.fault ?? null,
    }));
  }

  async position(name: string): Promise<SourcePosition | undefined> {
    const [row] = await this.database.query<SourcePosition & Record<string, unknown>>(
      'SELECT position, backfill_position, backfilled_at FROM upstream_source WHERE name = ?',
      [name],
    );
    return row;
  }

  /** Where the reading stands is bookkeeping, not an event: only the first sight of a source is recorded. */
  async saveState(name: string, values: Readonly<Record<string, string | number | null>>): Promise<void> {
    const columns = Object.keys(values);
    await this.database.appendGroup(async (group) => {
      const affected = await group.execute(`UPDATE upstream_source SET ${assignments(values)} WHERE name = ?`, [
        ...columns.map((column) => values[column]),
        name,
      ]);
      if (affected > 0) return;
      await group.execute(
        `INSERT INTO upstream_source (name, kind, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')})`,
        [name, this.connectorOf(name)?.kind ?? 'unknown', ...columns.map((column) => values[column])],
      );
      group.append({
        action: 'source.first-seen',
        actor: { id: sync.id, kind: 'system', roles: [] },
        subject: { type: 'Source', id: name },
      });
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
    await this.saveState(source, { fault: why, fault_at: this.clock().getTime() }).catch((fault: unknown) =>
      this.onFault(source, fault),
    );
  }
}
