import { LRUCache } from 'lru-cache';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Signal } from '../../risk/signal';
import { days, hours, minutes } from '../../risk/windows';
import { ulid } from '../../ulid';
import type { PaymentsConnector } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import { endOf, lastInstant } from '../payments/card-end';
import { paymentCustomers, paymentMethods } from '../payments/payment.entity';
import { method, payer, transaction } from '../payments/payments.rows';
import { recordSignals } from '../signals/recorder';
import { riskSignals } from '../signals/signal.entity';
import type { Sources } from '../sources/sources.service';
import { authorizedRows, cardRows, toldSignals } from './deadlines.rows';

/** Payments, and cards, of which a provider is asked in one turn: it has other work. */
const atOnce = 50;
/** The pause between two turns, in milliseconds. */
const every = 10 * minutes;
/** How long before its end an authorization is told of, milliseconds: what the rule about it waits for. */
const endsWithin = 24 * hours;
/** The same of a card. */
const expiresWithin = 30 * days;
/** No authorization lives longer, in milliseconds, with some days for a source that is read late. */
const longestAuthorization = 40 * days;
/** Once all were looked at, the pause before all are again. */
const rest = { authorizations: hours, cards: 24 * hours };

export interface DeadlineParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly sources: Pick<Sources, 'paymentsSource'>;
  /** What nobody reads is looked at by nobody. */
  readonly tells: { readonly authorizations: boolean; readonly cards: boolean };
}

/** How far something is looked through, by our ids. */
interface Walk {
  after: string;
  /** Nothing is looked at before. */
  restsUntil: number;
}

const start = (): Walk => ({ after: '', restsUntil: Number.NEGATIVE_INFINITY });

/** Months, as cards name them, of which the last instant is within that time. */
const monthsEndingWithin = (now: Date, within: number): readonly { readonly year: number; readonly month: number }[] => {
  const found: { year: number; month: number }[] = [];
  for (let at = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)); ; at.setUTCMonth(at.getUTCMonth() + 1)) {
    const [year, month] = [at.getUTCFullYear(), at.getUTCMonth() + 1];
    if (lastInstant(year, month).getTime() - now.getTime() > within) return found;
    found.push({ year, month });
  }
};

/**
 * Tells of what ends by itself at a provider unless somebody does something: authorizations that nobody captured, and cards that
 * payments depend on. The provider is asked before anything is told. Any number of processes may do so: each end is told once.
 */
export class Deadlines {
  private readonly walks = { authorizations: start(), cards: start() };
  /** Ends of authorizations as the provider told them, by our ids; null where it told none. */
  private readonly ends = new LRUCache<string, { readonly at: number | null }>({ max: 20_000 });
  private turnsFrom = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: DeadlineParts) {}

  /** One turn, unless the last was a moment ago. */
  async run(): Promise<void> {
    const now = this.parts.clock().getTime();
    if (now < this.turnsFrom) return;
    this.turnsFrom = now + every;
    const { tells } = this.parts;
    if (tells.authorizations) await this.authorizations();
    if (tells.cards) await this.cards();
  }

  private async authorizations(): Promise<void> {
    const { database, keys, clock } = this.parts;
    const now = clock();
    const walk = this.walks.authorizations;
    if (now.getTime() < walk.restsUntil) return;
    // Our ids begin with the time, of this machine, at which they were made.
    if (walk.after === '') walk.after = `txn_${ulid(Date.now() - longestAuthorization)}`;
    const rows = await database.read(
      authorizedRows,
      sql`WHERE ${transaction.id} > ${walk.after} AND ${transaction.status} = 'AUTHORIZED' AND ${payer.gone} = ${false}
        ORDER BY ${transaction.id} LIMIT ${atOnce}`,
    );
    const signals = await this.eachOf(rows, async (row, connector) => {
      const known = this.ends.get(row.id);
      if (known && (known.at === null || known.at - now.getTime() > endsWithin)) return null;
      const customer = keys.open(paymentCustomers, payerOf(row), 'reference');
      const standing = customer === null ? null : await connector.holds?.readPayment(customer, row.reference);
      const end = standing?.status === 'AUTHORIZED' ? standing.captureBefore : null;
      this.ends.set(row.id, { at: end?.getTime() ?? null });
      if (!end || end <= now || end.getTime() - now.getTime() > endsWithin) return null;
      const card = row.paymentMethodId === null ? {} : { card: row.paymentMethodId };
      return {
        source: row.source,
        id: `${row.id}:authorization:${end.getTime()}`,
        type: 'payment.authorization',
        occurredAt: now,
        subjects: { customer: row.payerId, payment: row.id, ...card },
        facts: { deadline: end },
      };
    });
    await this.tell(signals);
    this.goOn(walk, rows, rest.authorizations);
  }

  private async cards(): Promise<void> {
    const { database, keys, clock } = this.parts;
    const now = clock();
    const walk = this.walks.cards;
    if (now.getTime() < walk.restsUntil) return;
    const [first, ...others] = monthsEndingWithin(now, expiresWithin).map(
      ({ year, month }) => sql`${method.expiryYear} = ${year} AND ${method.expiryMonth} = ${month}`,
    );
    if (!first) return;
    const isEnding = others.reduce((some, other) => sql`${some} OR ${other}`, first);
    const rows = await database.read(
      cardRows,
      sql`WHERE ${method.id} > ${walk.after} AND (${isEnding}) AND ${method.status} <> 'REMOVED' AND ${payer.gone} = ${false}
        ORDER BY ${method.id} LIMIT ${atOnce}`,
    );
    const told = await this.toldOf(rows.map((row) => ({ source: row.source, id: expiryId(row) })));
    const untold = rows.filter((row) => !told.has(`${row.source} ${expiryId(row)}`));
    const signals = await this.eachOf(untold, async (row, connector) => {
      const customer = keys.open(paymentCustomers, payerOf(row), 'reference');
      const reference = keys.open(paymentMethods, row, 'reference');
      if (customer === null || reference === null) return null;
      const state = await connector.credentials?.readMethod(customer, reference);
      if (!state) return null;
      const deadline = endOf(state.method);
      if (deadline === null || state.method.status === 'REMOVED') return null;
      // The issuer may have sent a new one, and the provider have learnt of it.
      if (deadline <= now || deadline.getTime() - now.getTime() > expiresWithin) return null;
      const isDefault = state.defaultMethod === reference;
      const isUsed = isDefault || state.subscriptions.some((each) => each.method === reference);
      if (!isUsed) return null;
      return {
        source: row.source,
        id: expiryId(row),
        type: 'card.expiring',
        occurredAt: now,
        subjects: { customer: row.payerId, card: row.sameAsId ?? row.id },
        facts: { deadline },
      };
    });
    await this.tell(signals);
    this.goOn(walk, rows, rest.cards);
  }

  /** What is found of each, asked of its provider as work for which nobody waits. A provider that doesn't answer is asked of nothing more in this turn. */
  private async eachOf<Row extends { readonly source: string }>(
    rows: readonly Row[],
    find: (row: Row, connector: PaymentsConnector) => Promise<Signal | null>,
  ): Promise<readonly Signal[]> {
    const found: Signal[] = [];
    const connectors = new Map<string, PaymentsConnector | null>();
    for (const row of rows) {
      const { source } = row;
      const known = connectors.get(source);
      const connector = known === undefined ? this.connectorOf(source) : known;
      connectors.set(source, connector);
      if (connector === null) continue;
      try {
        const signal = await find(row, connector);
        if (signal !== null) found.push(signal);
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error;
        connectors.set(source, null);
      }
    }
    return found;
  }

  /** Null for a source that isn't configured any more. */
  private connectorOf(source: string): PaymentsConnector | null {
    try {
      const { connector } = this.parts.sources.paymentsSource(source);
      return connector.inBackground?.() ?? connector;
    } catch (error) {
      if (error instanceof Failure) return null;
      throw error;
    }
  }

  private async toldOf(names: readonly { readonly source: string; readonly id: string }[]): Promise<ReadonlySet<string>> {
    const told = new Set<string>();
    for (const source of new Set(names.map((each) => each.source))) {
      const ids = names.flatMap((each) => (each.source === source ? each.id : []));
      const rows = await this.parts.database.read(
        toldSignals,
        sql`WHERE ${riskSignals.source} = ${source} AND ${riskSignals.eventId} IN (${ids})`,
      );
      for (const row of rows) told.add(`${row.source} ${row.eventId}`);
    }
    return told;
  }

  private async tell(signals: readonly Signal[]): Promise<void> {
    for (const source of new Set(signals.map((each) => each.source))) {
      const its = signals.filter((each) => each.source === source);
      await this.parts.database.system(
        'signals',
        'signal.receive',
        async (change) => {
          const fresh = await recordSignals(change, its);
          if (fresh > 0)
            change.record('signal.receive', { subject: { type: 'SignalSource', id: source }, detail: { signals: fresh } });
        },
        { idempotent: true },
      );
    }
  }

  private goOn(walk: Walk, rows: readonly { readonly id: string }[], pause: number): void {
    const last = rows.at(-1);
    if (rows.length === atOnce && last) {
      walk.after = last.id;
      return;
    }
    walk.after = '';
    walk.restsUntil = this.parts.clock().getTime() + pause;
  }
}

/** Of each end of a card there is one. */
const expiryId = ({
  id,
  expiryYear,
  expiryMonth,
}: {
  id: string;
  expiryYear: number | null;
  expiryMonth: number | null;
}): string => `${id}:expires:${expiryYear}-${expiryMonth}`;

/** The payment customer of a row, as their reference is opened. */
const payerOf = <Row extends { payerId: string; payerReference: Buffer; keyId: string }>(row: Row) => ({
  ...row,
  id: row.payerId,
  referenceSealed: row.payerReference,
});
