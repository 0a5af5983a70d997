import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { App } from '../../src/app';
import { verifierKeyOf } from '../../src/audit/note';
import { verifyExport } from '../../src/audit/verify';
import type { Role } from '../../src/authz/actor';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { signatureHeaders } from '../../src/features/webhooks/signing';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { cardOf, type StripeShapedServer } from './stripe-shaped-server';
import { overSocket, type Subscriber } from './subscribers';

const [second, minute, day] = [1_000, 60_000, 86_400_000];

/** A customer with an open ticket, a card, a subscription and a payment that waits for its capture. */
export interface DeskCustomer {
  /** Of the ticket at the helpdesk. */
  readonly reference: string;
  /** Whose ticket it is, from 0. */
  readonly agent: number;
  /** At the payment side, as all of these. */
  readonly payer: string;
  readonly email: string;
  readonly card: string;
  readonly payment: string;
  readonly subscription: string;
}

/** A running gateway whose customers are linked, with all of its rules in force. */
export interface Desk {
  readonly app: App;
  /** `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly helpdesk: string;
  readonly payments: string;
  readonly stripe: StripeShapedServer;
  /** Its Radar list that blocks customers. */
  readonly blocked: string;
  readonly customers: readonly DeskCustomer[];
  /** Agents are `desk-1` and so on, supervisors `lead-1` and `lead-2`. */
  readonly agents: number;
  token(person: string, roles: readonly Role[]): Promise<string>;
  readonly sender: { readonly name: string; readonly key: Buffer };
}

export interface Busy {
  readonly seconds: number;
  readonly signals: number;
  readonly decisionsPerSecond: number;
  /** Customers whom one hold covers. */
  readonly group: number;
}

/** What was asked, how long each answer took, and what was refused. */
class Answered {
  private readonly took = new Map<string, number[]>();
  /** How often somebody was told to come again. */
  later = 0;

  add(what: string, milliseconds: number): void {
    this.took.set(what, [...(this.took.get(what) ?? []), milliseconds]);
  }

  /** Of each kind: how many, the middle one, of a hundred the slowest but one, and the slowest, in milliseconds. */
  get lines(): readonly string[] {
    return [...this.took].map(([what, all]) => {
      const sorted = [...all].sort((a, b) => a - b);
      const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0);
      return `${what}: ${sorted.length}, median ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms`;
    });
  }

  slowest(what: string): number {
    return Math.max(...(this.took.get(what) ?? []));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is as shaped as its query
type Data = any;

interface Held {
  /** When it was known that somebody is held, and when it was first asked to let go of it: by this process's clock. */
  from: number;
  until: number;
}

/** The groups that a desk's customers fall into, each of another fate. */
interface Parts {
  /** Held by their agent until the end. */
  readonly held: readonly DeskCustomer[];
  /** Held and let go. */
  readonly released: readonly DeskCustomer[];
  /** Asked whether a payment is theirs. */
  readonly asked: readonly DeskCustomer[];
  /** Held together by a supervisor. */
  readonly group: readonly DeskCustomer[];
  /** Of whom signals tell that their account was taken over: a hold is proposed. */
  readonly taken: readonly DeskCustomer[];
  /** Of whom signals tell that somebody pays from elsewhere: their agent is told. */
  readonly elsewhere: readonly DeskCustomer[];
  readonly others: readonly DeskCustomer[];
}

const opens = `query ($source: String!, $reference: String!) { ticketByReference(source: $source, reference: $reference) {
  id reference subject assistance { id state } customer { id displayName link transactions(first: 5) { nodes { id status amount { minorUnits } } } } } }`;
const places = 'mutation ($input: PlaceHoldInput!) { placeHold(input: $input) { id state effects { kind state } } }';
const releases = 'mutation ($id: ID!) { releaseHold(id: $id, reason: "They called: it was them all along") { id state } }';
const asks =
  'mutation ($ticketId: ID!, $transactionId: ID!) { askCustomer(ticketId: $ticketId, transactionId: $transactionId) { id state } }';
const begins = `mutation ($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: "Payments of several customers look alike" }) { id state } }`;
const proposals = '{ holds(first: 50, filter: { awaitingMyDecision: true }) { nodes { id cause state } } }';
const approves = 'mutation ($id: ID!) { approveHold(id: $id) { id state } }';
const decides = 'mutation ($input: PaymentDecisionInput!) { paymentDecision(input: $input) { id verdict demandId } }';
const listens = `subscription { alerts { cursor kind alertId ticketId alert { id rule severity reasons { code text count } customer { id displayName } } } }`;

/** What a busy minute at a desk is like, and what must hold of it. */
export class BusyDesk {
  readonly answered = new Answered();
  private readonly parts: Parts;
  private readonly holds = new Map<string, Held>();
  private readonly wrong: string[] = [];
  private readonly listeners: { readonly agent: number; readonly subscriber: Subscriber }[] = [];
  private readonly verdicts = new Map<string, number>();
  private readonly alerts = new Map<string, number>();
  private approved = 0;

  constructor(
    private readonly desk: Desk,
    private readonly busy: Busy,
  ) {
    const { customers, agents } = desk;
    let from = 0;
    const next = (count: number) => {
      from += count;
      return customers.slice(from - count, from);
    };
    this.parts = {
      held: next(agents),
      released: next(agents),
      asked: next(agents),
      taken: next(agents),
      elsewhere: next(agents),
      group: next(busy.group),
      others: customers.slice(from),
    };
    if (this.parts.others.length === 0) throw new Error('too few customers for so many agents');
  }

  /** Everybody at once, for as long as it was asked for. Returns what was found to be wrong, which is nothing. */
  async run(): Promise<readonly string[]> {
    const { desk, busy, parts } = this;
    await this.know();
    await this.listen();
    const leads = [await desk.token('lead-1', ['SUPERVISOR']), await desk.token('lead-2', ['SUPERVISOR'])] as const;
    const agents = await Promise.all(
      Array.from({ length: desk.agents }, (_, index) => desk.token(`desk-${index + 1}`, ['AGENT'])),
    );
    const until = performance.now() + busy.seconds * second;
    await Promise.all([
      ...agents.map((token, index) => this.agent(token, index)),
      this.together(leads[0]),
      this.decideAll(leads[1], until),
      this.pay(until),
      this.tell(until),
    ]);
    await this.rest(leads[1]);
    await this.look();
    await Promise.all(this.listeners.map(({ subscriber }) => subscriber.stop()));
    if (parts.taken.length > 0 && this.approved === 0) this.wrong.push('no hold was proposed');
    return this.wrong;
  }

  get figures(): readonly string[] {
    const counted = (of: ReadonlyMap<string, number>) => [...of].map(([what, count]) => `${what} ${count}`).join(', ');
    const events = this.listeners.reduce((sum, { subscriber }) => sum + subscriber.heard.events.length, 0);
    return [
      ...this.answered.lines,
      `told to come again: ${this.answered.later}`,
      `verdicts: ${counted(this.verdicts)}; proposals approved: ${this.approved}; alerts: ${counted(this.alerts)}, told ${events} times`,
    ];
  }

  /** An operation as its caller sees it, who comes again where that is asked for; null where it is refused otherwise, which is noted. */
  private async ask(
    what: string,
    token: string,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<Data> {
    for (const until = performance.now() + 2 * minute; ; ) {
      const began = performance.now();
      const response = await fetch(`${this.desk.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(minute),
      });
      const { data, errors } = (await response.json()) as { data?: Data; errors?: { extensions: { retryAfter?: number } }[] };
      if (!errors) {
        this.answered.add(what, performance.now() - began);
        return data;
      }
      const [after] = errors.flatMap(({ extensions }) => extensions.retryAfter ?? []);
      if (after === undefined || performance.now() > until) {
        this.wrong.push(`${what}: ${response.status} ${JSON.stringify(errors.map(({ extensions }) => extensions))}`);
        return null;
      }
      this.answered.later += 1;
      await pause(after * second);
    }
  }

  private async opened(what: string, token: string, { reference }: DeskCustomer): Promise<Data> {
    const data = await this.ask(what, token, opens, { source: this.desk.helpdesk, reference });
    return data?.ticketByReference ?? null;
  }

  /** Where customers are at home, as a first import tells. */
  private async know(): Promise<void> {
    const known = this.desk.customers.map(({ payer }, index) =>
      this.signal('ticket.contact', payer, 20 * day, { device: `own-${index}` }),
    );
    for (let from = 0; from < known.length; from += 500) await this.send('first import', known.slice(from, from + 500));
  }

  private listening = 0;
  private async listen(): Promise<void> {
    const address = this.desk.url.replace(/^http/, 'ws');
    for (let agent = 0; agent < this.desk.agents; agent += 1) {
      const token = await this.desk.token(`desk-${agent + 1}`, ['AGENT']);
      this.listeners.push({ agent, subscriber: overSocket(address, token, { query: listens }) });
    }
    await pause(2 * second);
    this.listening = Date.now();
  }

  private of(agent: number, customers: readonly DeskCustomer[]): readonly DeskCustomer[] {
    return customers.filter((each) => each.agent === agent);
  }

  private in(milliseconds: number): string {
    return new Date(Date.now() + milliseconds).toISOString();
  }

  private async agent(token: string, index: number): Promise<void> {
    await pause((index * second) / this.desk.agents);
    const hold = async (customer: DeskCustomer, effects: readonly string[]) => {
      const ticket = await this.opened('open', token, customer);
      if (!ticket) return null;
      if (ticket.assistance?.state !== 'LIVE' || !ticket.customer?.displayName)
        this.wrong.push(`ticket ${customer.reference} was opened as ${JSON.stringify(ticket)}`);
      const input = {
        ticketId: ticket.id,
        effects,
        until: this.in(60 * minute),
        reason: 'The caller says that none of it was them',
        idempotencyKey: randomUUID(),
      };
      const [placed, twin] = await Promise.all([
        this.ask('place', token, places, { input }),
        this.ask('place again', token, places, { input }),
      ]);
      if (placed && twin && placed.placeHold.id !== twin.placeHold.id) this.wrong.push('one request placed two holds');
      if (!placed) return null;
      const held: Held = { from: performance.now(), until: Number.POSITIVE_INFINITY };
      this.holds.set(customer.payer, held);
      return { id: placed.placeHold.id as string, held };
    };
    const own = (customers: readonly DeskCustomer[]) => this.of(index, customers);
    await Promise.all([
      ...own(this.parts.held).map((customer) => hold(customer, ['BLOCK_NEW', 'PAUSE_RENEWAL'])),
      ...own(this.parts.released).map(async (customer) => {
        const placed = await hold(customer, ['BLOCK_NEW', 'PAUSE_RENEWAL']);
        if (!placed) return;
        await pause(Math.random() * 5 * second);
        placed.held.until = performance.now();
        await this.ask('release', token, releases, { id: placed.id });
      }),
      ...own(this.parts.asked).map(async (customer) => {
        const ticket = await this.opened('open', token, customer);
        const pending = ticket?.customer?.transactions?.nodes.find((each: Data) => each.status === 'AUTHORIZED');
        if (!pending) this.wrong.push(`no pending payment of ${customer.reference}: ${JSON.stringify(ticket)}`);
        else await this.ask('ask the customer', token, asks, { ticketId: ticket.id, transactionId: pending.id });
      }),
    ]);
  }

  /** A supervisor takes part in many tickets, and holds what their customers pay together. */
  private async together(token: string): Promise<void> {
    const { app, helpdesk } = this.desk;
    const found: { ticketId: string; customerId: string }[] = [];
    for (const { reference } of this.parts.group) {
      const [row] = await app.database.query<{ id: string; customer: string }>(
        'SELECT id, customer_id AS customer FROM helpdesk_ticket WHERE source = ? AND reference = ?',
        [helpdesk, reference],
      );
      if (row && (await this.ask('begin an assistance', token, begins, { ticketId: row.id })))
        found.push({ ticketId: row.id, customerId: row.customer });
    }
    const input = {
      ticketId: found[0]?.ticketId,
      customerIds: found.map(({ customerId }) => customerId),
      effects: ['BLOCK_NEW'],
      until: this.in(120 * minute),
      reason: 'All of them came within an hour and look alike',
      idempotencyKey: randomUUID(),
    };
    if (!(await this.ask('place on a group', token, places, { input }))) return;
    const held: Held = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    for (const { payer } of this.parts.group) this.holds.set(payer, held);
  }

  /** Another one consents to what rules propose. */
  private async decideAll(token: string, until: number): Promise<void> {
    while (performance.now() < until) {
      await this.decideOnce(token);
      await pause(second);
    }
  }

  private async decideOnce(token: string): Promise<number> {
    const data = await this.ask('list proposals', token, proposals);
    const ids: readonly { id: string }[] = data?.holds.nodes ?? [];
    await Promise.all(
      ids.map(async ({ id }) => {
        if (await this.ask('approve', token, approves, { id })) this.approved += 1;
      }),
    );
    return ids.length;
  }

  /** The pipeline asks about everybody in turn, and about people whom nobody knows. */
  private async pay(until: number): Promise<void> {
    const token = await this.desk.token('pipeline', ['SERVICE']);
    const calm = new Set(this.parts.others.map(({ payer }) => payer));
    const under = new Set<Promise<void>>();
    const began = performance.now();
    for (let number = 0; performance.now() < until; number += 1) {
      await pause(Math.max(0, began + (number * second) / this.busy.decisionsPerSecond - performance.now()));
      const customer =
        number % 10 === 9 ? null : (this.desk.customers[(number * 7) % this.desk.customers.length] as DeskCustomer);
      const asking: Promise<void> = this.decide(token, customer, calm).finally(() => under.delete(asking));
      under.add(asking);
    }
    await Promise.all(under);
  }

  private async decide(token: string, customer: DeskCustomer | null, calm: ReadonlySet<string>): Promise<void> {
    const payer = customer?.payer ?? `cus_unknown_${randomUUID().slice(0, 8)}`;
    const asked = performance.now();
    const held = this.holds.get(payer);
    const isHeld = held !== undefined && held.from < asked;
    const input = {
      source: this.desk.payments,
      stage: 'CHECKOUT',
      customer: payer,
      amount: { minorUnits: 1_999, currency: 'EUR' },
      idempotencyKey: randomUUID(),
    };
    const data = await this.ask('decide', token, decides, { input });
    const verdict: string | undefined = data?.paymentDecision.verdict;
    if (verdict === undefined) return;
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    if (isHeld && held.until > performance.now() && verdict !== 'HOLD') this.wrong.push(`${payer} is held, and was ${verdict}`);
    if ((customer === null || calm.has(payer)) && verdict !== 'CLEAR') this.wrong.push(`${payer} isn’t held, and was ${verdict}`);
  }

  private told = 0;
  private signal(type: string, customer: string, ago: number, subjects: object, facts: object = {}): object {
    this.told += 1;
    const occurredAt = new Date(Date.now() - ago).toISOString();
    return { id: `busy-${this.told}`, type, occurredAt, subjects: { customer, ...subjects }, facts: { country: 'IE', ...facts } };
  }

  private async send(what: string, signals: readonly object[]): Promise<void> {
    const { sender, url } = this.desk;
    const id = `msg_${randomUUID()}`;
    const data = signals.map((each) => JSON.stringify(each)).join('\n');
    const body = JSON.stringify({
      specversion: '1.0',
      id,
      source: '/shop',
      type: 'signals',
      datacontenttype: 'application/x-ndjson',
      data,
    });
    const began = performance.now();
    const response = await fetch(`${url}/signals/${sender.name}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/cloudevents+json',
        ...signatureHeaders({ id, at: new Date(), body }, [sender.key]),
      },
      body,
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    this.answered.add(what, performance.now() - began);
    if (response.status !== 202) this.wrong.push(`${what}: ${response.status} ${text}`);
  }

  /** Signals come in all the while: mostly of strangers who pay once, and of some whom the desk knows. */
  private async tell(until: number): Promise<void> {
    const { signals, seconds } = this.busy;
    const began = performance.now();
    const batch = 100;
    const strangers = { tried: 0 };
    const stranger = () => {
      strangers.tried += 1;
      const who = `stranger-${strangers.tried}`;
      return this.signal(
        'payment.attempt.succeeded',
        who,
        1_000,
        { card: `card-${who}`, device: `device-${who}` },
        {
          amount: { minorUnits: 2_500, currency: 'EUR' },
        },
      );
    };
    const taken = this.parts.taken.flatMap(({ payer }, index) => [
      this.signal('account.recovery', payer, 3 * minute, { device: `other-${index}` }, { country: 'KE' }),
      this.signal(
        'credential.changed',
        payer,
        2 * minute,
        { device: `other-${index}` },
        { country: 'KE', change: 'shipping-address' },
      ),
    ]);
    const elsewhere = this.parts.elsewhere.flatMap(({ payer }, index) => [
      this.signal('ticket.contact', payer, 30 * minute, { device: `own-e-${index}` }),
      ...['NG', 'BR', 'US', 'VN'].map((country, at) =>
        this.signal(
          at === 3 ? 'payment.attempt.declined' : 'payment.attempt.succeeded',
          payer,
          (5 - at) * minute,
          { card: `abroad-${index}`, device: `abroad-${index}-${at}` },
          { country, amount: { minorUnits: 9_900, currency: 'EUR' } },
        ),
      ),
    ]);
    const known = [...taken, ...elsewhere];
    const sending = new Set<Promise<void>>();
    let sent = 0;
    while (sent < signals) {
      await pause(Math.max(0, began + (sent / signals) * seconds * second - performance.now()));
      const part = known.splice(0, 20);
      const lines = [...part, ...Array.from({ length: batch - part.length }, stranger)];
      sent += lines.length;
      const one: Promise<void> = this.send('signals', lines).finally(() => sending.delete(one));
      sending.add(one);
      if (performance.now() > until + minute) throw new Error(`only ${sent} signals could be sent`);
    }
    await Promise.all(sending);
  }

  /** Everything that follows of it has followed. */
  private async rest(lead: string): Promise<void> {
    const { database } = this.desk.app;
    const began = performance.now();
    for (let calm = 0; calm < 3; ) {
      const decided = await this.decideOnce(lead);
      const [row] = await database.query<Readonly<Record<string, number>>>(
        `SELECT (SELECT COALESCE(SUM(signals), 0) FROM risk_feed_batch) AS unplaced, (SELECT COUNT(*) FROM audit_pending) AS leaves,
          (SELECT MAX(position) FROM risk_feed) - (SELECT position FROM risk_consumer WHERE name = 'rules') AS unread,
          (SELECT MAX(leaf_index) + 1 FROM audit_leaf) - (SELECT position FROM risk_consumer WHERE name = 'log') AS unseen,
          (SELECT COUNT(*) FROM payment_hold WHERE state IN ('PLACING', 'RELEASING')) AS moving,
          (SELECT COUNT(*) FROM recognition_job WHERE state = 'PENDING') AS unsent`,
      );
      const isDone = decided === 0 && row !== undefined && Object.values(row).every((count) => Number(count) <= 0);
      calm = isDone ? calm + 1 : 0;
      if (performance.now() - began > 10 * minute) throw new Error(`it doesn’t come to rest: ${JSON.stringify(row)}`);
      await pause(500);
    }
    this.answered.add('rest after the last', performance.now() - began);
  }

  /** What must hold now that it is quiet. */
  private async look(): Promise<void> {
    const { desk, wrong } = this;
    const { database } = desk.app;
    const token = await desk.token('pipeline', ['SERVICE']);
    const standing = new Set(
      (
        await database.query<{ reference: string; ids: string }>(
          "SELECT payer_ids AS ids FROM payment_hold h WHERE state = 'ACTIVE' AND EXISTS (SELECT 1 FROM payment_hold_effect e WHERE e.hold_id = h.id AND e.kind = 'BLOCK_NEW')",
        )
      ).flatMap(({ ids }) => JSON.parse(ids) as string[]),
    );
    // At the provider each of them stands once, and whoever was let go doesn't.
    const listed = desk.stripe
      .valueListItems(desk.stripe.valueListCalled(desk.blocked)?.id ?? '')
      .map(({ value }) => String(value));
    if (new Set(listed).size !== listed.length) wrong.push('somebody is listed twice at the provider');
    const kept = [...this.parts.held, ...this.parts.group];
    for (const { payer } of kept) if (!listed.includes(payer)) wrong.push(`${payer} is held, and not listed at the provider`);
    for (const { payer } of [...this.parts.released, ...this.parts.others])
      if (listed.includes(payer)) wrong.push(`${payer} isn’t held, and is listed at the provider`);
    if (standing.size !== listed.length) wrong.push(`${standing.size} are held and ${listed.length} are listed`);
    for (const { payer, subscription } of this.parts.held)
      if (!desk.stripe.get(subscription).pause_collection) wrong.push(`the subscription of ${payer} isn’t paused`);
    for (const { payer, subscription } of [...this.parts.released, ...this.parts.others])
      if (desk.stripe.get(subscription).pause_collection) wrong.push(`the subscription of ${payer} is paused`);
    const keys = desk.stripe.executions.flatMap(({ key }) => key ?? []);
    if (new Set(keys).size !== keys.length) wrong.push('something was done twice under one key at the provider');
    // Each of the desk's customers once more, at once.
    const finals = await this.inTurns(desk.customers, 32, async ({ payer }) => {
      const input = {
        source: desk.payments,
        stage: 'CHECKOUT',
        customer: payer,
        amount: { minorUnits: 1_999, currency: 'EUR' },
        idempotencyKey: randomUUID(),
      };
      const data = await this.ask('decide at rest', token, decides, { input });
      return [payer, data?.paymentDecision.verdict as string] as const;
    });
    const onList = new Set(listed);
    for (const [payer, verdict] of finals)
      if ((verdict === 'HOLD') !== onList.has(payer))
        wrong.push(`${payer}: ${verdict} at rest, ${onList.has(payer) ? '' : 'not '}listed`);
    await this.lookAtAlerts();
    const { findings } = await rowsWithoutEvent(database);
    wrong.push(...findings);
    await this.verify();
  }

  /** Each alert reached whoever has the ticket, and nobody else. */
  private async lookAtAlerts(): Promise<void> {
    const { database } = this.desk.app;
    const owners = new Map<string, number>();
    for (const { reference, agent } of this.desk.customers) owners.set(reference, agent);
    const all = await database.query<{ id: string; rule: string; at: number; reference: string }>(
      'SELECT a.id, a.rule, a.raised_at AS at, t.reference FROM risk_alert a JOIN helpdesk_ticket t ON t.id = a.ticket_id',
    );
    const alerts = all.filter(({ at }) => Number(at) >= this.listening);
    for (const { rule } of alerts) this.alerts.set(rule, (this.alerts.get(rule) ?? 0) + 1);
    if (alerts.length < this.parts.elsewhere.length) this.wrong.push(`only ${alerts.length} alerts were raised`);
    const holder = new Map(all.map(({ id, reference }) => [id, owners.get(reference)]));
    for (const { agent, subscriber } of this.listeners) {
      const { heard } = subscriber;
      if (heard.end !== undefined) this.wrong.push(`a subscription ended: ${JSON.stringify(heard.end)}`);
      const strange = heard.events.filter(([, alert]) => holder.get(alert) !== agent);
      if (strange.length > 0) this.wrong.push(`desk-${agent + 1} was told of ${JSON.stringify(strange)}`);
      const mine = alerts.map(({ id }) => id).filter((alert) => holder.get(alert) === agent);
      const told = new Set(heard.events.map(([, alert]) => alert));
      const missed = mine.filter((alert) => !told.has(alert));
      if (missed.length > 0) this.wrong.push(`desk-${agent + 1} wasn’t told of ${JSON.stringify(missed)}`);
    }
  }

  /** As whoever audits does with what they download. */
  private async verify(): Promise<void> {
    const { app, url } = this.desk;
    const token = await this.desk.token('auditor', ['AUDITOR']);
    const response = await fetch(`${url}/audit/export`, { headers: { authorization: `Bearer ${token}` } });
    const bytes = Buffer.from(await response.arrayBuffer());
    const { origin, signingKey } = app.config.audit;
    const keys = signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey)).map(verifierKeyOf);
    let at = 0;
    const began = performance.now();
    const report = verifyExport(
      (into: Uint8Array): number => {
        const copied = bytes.copy(into, 0, at);
        at += copied;
        return copied;
      },
      { keys, strict: true },
    );
    this.answered.add('verify the log', performance.now() - began);
    if (response.status !== 200 || report.problem)
      this.wrong.push(`the log: ${response.status} ${JSON.stringify(report).slice(0, 600)}`);
  }

  private async inTurns<T, R>(all: readonly T[], width: number, work: (each: T) => Promise<R>): Promise<readonly R[]> {
    const waiting = [...all];
    const results: R[] = [];
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await work(next));
      }),
    );
    return results;
  }
}

/** One more customer at the provider, who pays for something by the month and has paid for something that isn't sent yet. */
export const fillStripe = (
  stripe: StripeShapedServer,
  email: string,
  helpdeskCustomer: string,
): Pick<DeskCustomer, 'payer' | 'card' | 'payment' | 'subscription'> => {
  const payer = stripe.createCustomer({ email, metadata: { helpdesk_customer: helpdeskCustomer } }).id;
  const card = stripe.attachPaymentMethod(payer).id;
  const now = Math.floor(Date.now() / second);
  const subscription = stripe.createSubscription(payer, { current_period_end: now + 7_200 }).id;
  const charge = stripe.createCharge({
    customer: payer,
    captured: false,
    payment_method: card,
    payment_method_details: {
      type: 'card',
      card: { ...cardOf(), checks: null, network: 'visa', capture_before: now + 6 * 86_400 },
    },
  });
  const payment = stripe.createPaymentIntent({
    customer: payer,
    status: 'requires_capture',
    capture_method: 'manual',
    amount_capturable: 2_000,
    payment_method: card,
    latest_charge: charge.id,
  }).id;
  return { payer, card, payment, subscription };
};
