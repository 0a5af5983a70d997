import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentPeople } from '../../src/development/issuer/development-people';
import { signatureHeaders } from '../../src/features/webhooks/signing';
import type { TestAppOptions } from './app';
import type { Canary, CanaryCustomer, CanaryTicket } from './canaries';
import { HookReceiver, saysMoreThanIds } from './hook-receiver';
import { CanaryApp, type Leak } from './leak-check';
import { listening, overEvents, overSocket, type Subscriber, settled } from './subscribers';

const key = Buffer.alloc(32, 'a key of whoever sends signals');
const minute = 60_000;
const nobody = { user: '-', mfa: false, operation: '-' };

const everything = `query Alerts($ticketId: ID, $after: String) { alerts(first: 50, after: $after, filter: { ticketId: $ticketId }) {
  totalCount pageInfo { endCursor hasNextPage } edges { cursor node {
    id rule severity state note resolution raisedAt endedAt expiresAt guidance { code text }
    reasons { code text count windowSeconds countries transaction { id reference declineCode amount { minorUnits } } }
    customer { id displayName email phone } ticket { id reference subject } } } } }`;
const happens = `subscription Alerts($ticketId: ID, $after: String) { alerts(ticketId: $ticketId, after: $after) {
  cursor kind alertId ticketId alert { id state rule severity note reasons { code text count countries } customer { id displayName email } ticket { id reference subject } } } }`;
const trail = `query($ticketId: ID) { decisionTrail(ticketId: $ticketId) {
  eventId at action outcome rule counts effects from restsOn ledTo otherCustomers ticketId subject { type id } actor { id } } }`;
const decides = 'mutation($input: PaymentDecisionInput!) { paymentDecision(input: $input) { id verdict stepUp demandId route } }';
const places = 'mutation($input: PlaceHoldInput!) { placeHold(input: $input) { id state } }';
const others = [
  `{ holds(first: 50) { totalCount nodes { id cause state reason expiresAt moneyAtRisk { minorUnits currency } owner { id displayName }
    effects { kind state enforcedBy deadline } history { from to at reason } ticket { id reference subject }
    subject { kind customers customer { id displayName email phone } transaction { id reference amount { minorUnits } } } } } }`,
  '{ brakes(first: 50) { totalCount nodes { id actorId level rule state proposalReason releaseReason proposedBy releasedBy } } }',
  '{ riskRules { name mode effects thresholds { name value } explanation } }',
  '{ webhookDeliveries(first: 50) { totalCount nodes { id endpoint type subjectId state attempts { status fault } } } }',
  `{ auditEvents(first: 100) { totalCount nodes { id action ticketId customerId subject { type id } actor { id }
    changes { field from to } disclosedFields { field } } } }`,
];

const inClear = (text: string, code: string): boolean =>
  text.includes(`"${code}"`) || text.includes(`,${code}`) || text.includes(`${code},`);

/** The canary merchant with signals about each of its customers, all rules in force, an endpoint that is told, and people who listen. */
export class RiskCanaries {
  private readonly folder = mkdtempSync(join(tmpdir(), 'counterfoil-risk-canaries-'));
  private readonly placesBy = new Map<CanaryCustomer, readonly string[]>();
  private receiver!: HookReceiver;
  private listeners: { readonly user: string; readonly subscriber: Subscriber }[] = [];
  private known = new Set<string>();
  private told = 0;
  canaries!: CanaryApp;

  static async start(options: TestAppOptions = {}): Promise<RiskCanaries> {
    const risk = new RiskCanaries();
    await risk.open(options);
    return risk;
  }

  async stop(): Promise<void> {
    await Promise.all(this.listeners.map(({ subscriber }) => subscriber.stop()));
    await this.canaries.stop();
    await this.receiver.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async open(options: TestAppOptions): Promise<void> {
    this.receiver = await HookReceiver.start();
    const rulesFile = join(this.folder, 'rules.yaml');
    writeFileSync(rulesFile, readFileSync('schema/rules.yaml', 'utf8').replace(/^( {4}mode:) \w+/gm, '$1 ON'));
    this.canaries = await CanaryApp.start({
      ...options,
      config: {
        rulesFile,
        signals: { sources: [{ name: 'shop', secrets: [key], helpdesk: 'demo', lateHours: 6 }] as never },
        webhooks: [this.receiver.endpoint(key)],
        ...options.config,
      },
    });
    await this.follow();
  }

  private get test() {
    return this.canaries.app;
  }

  /** What is committed gets its places, is judged, and is told. */
  private async follow(): Promise<void> {
    const { app } = this.test;
    await app.signingLog?.sequencer.turn();
    await app.signals.service.turn();
    await app.signingLog?.sequencer.turn();
    await app.webhooks.telling?.follower.turn();
    await app.webhooks.telling?.outbox.drain();
  }

  /** As a sender of signals does; the status and what it is answered. */
  async post(data: readonly object[], signedWith: Buffer = key): Promise<{ readonly status: number; readonly body: string }> {
    const events = data.map((each, index) => ({ specversion: '1.0', id: `event-${index}`, type: 'signal', data: each }));
    const payload = JSON.stringify(events);
    this.told += 1;
    const signed = signatureHeaders({ id: `msg_${this.told}`, at: this.test.clock.now(), body: payload }, [signedWith]);
    const response = await this.test.server.inject({
      method: 'POST',
      url: '/signals/shop',
      headers: { 'content-type': 'application/cloudevents-batch+json', ...signed },
      payload,
    });
    return { status: response.statusCode, body: response.body };
  }

  /** Payments from two places that nobody else pays from, by each of these customers, under values that nobody may see. */
  async tell(customers: readonly CanaryCustomer[]): Promise<void> {
    const { book } = this.canaries.merchant;
    for (const customer of customers) {
      const never = (what: string) =>
        book.word({ what: `${customer.name}: ${what} of a signal`, ground: 'never', ticket: null, customer, ways: [] });
      const places = this.placesOf(customer);
      const signal = (type: string, ago: number, subjects: object = {}, facts: object = {}) => ({
        id: never('id'),
        type,
        occurredAt: new Date(this.test.clock.now().getTime() - ago * minute).toISOString(),
        subjects: { customer: customer.reference, ...subjects },
        facts,
      });
      const attempt = (index: number) =>
        signal(
          `payment.attempt.${index === 0 ? 'declined' : 'succeeded'}`,
          5 - index,
          {
            card: never('card'),
            device: never('device'),
            order: never('order'),
            emailDomain: `${never('domain')}.example`,
            ip: never('address'),
          },
          {
            country: places[index % 2],
            amount: {
              minorUnits: book.number(8_400_017 + 1_013 * this.told + index, {
                ...{ what: `${customer.name}: amount of a signal`, ground: 'never', ticket: null, customer, ways: [] },
              }),
              currency: 'EUR',
            },
            declineCode: never('decline code'),
            advice: never('advice'),
          },
        );
      const { status, body } = await this.post([signal('ticket.contact', 20), ...[0, 1, 2, 3].map(attempt)]);
      if (status !== 202) throw new Error(`signals were answered ${status}: ${body}`);
      const alerted = await this.learn(customer, async () => this.follow());
      for (const code of places)
        for (const ticket of alerted)
          book.short(code, {
            what: `${customer.name}: a place in an alert`,
            ground: 'alert',
            ticket,
            customer,
            ways: [['Alert.reasons', 'AlertReason.countries', 'Location.country']],
          });
    }
  }

  /** Two codes that no payment of the merchant’s has. */
  private placesOf(customer: CanaryCustomer): readonly string[] {
    const next = this.placesBy.size * 2;
    const places = this.placesBy.get(customer) ?? [next, next + 1].map((each) => `J${String.fromCharCode(65 + each)}`);
    this.placesBy.set(customer, places);
    return places;
  }

  private get places(): readonly string[] {
    return [...this.placesBy.values()].flat();
  }

  /** The tickets on which alerts are told that came of this; null for one without. Their ids are canaries too. */
  private async learn(customer: CanaryCustomer, work: () => Promise<void>): Promise<readonly (CanaryTicket | null)[]> {
    await work();
    const rows = await this.test.app.database.query<{ id: string; reference: string | null }>(
      'SELECT a.id, t.reference FROM risk_alert a LEFT JOIN helpdesk_ticket t ON t.id = a.ticket_id ORDER BY a.id',
    );
    const fresh = rows.filter(({ id }) => !this.known.has(id));
    const tickets = Object.values(this.canaries.merchant.tickets);
    return fresh.map(({ id, reference }) => {
      this.known.add(id);
      const ticket = tickets.find((each) => each.reference === reference) ?? null;
      const what = `${customer.name}: that there is an alert`;
      this.canaries.merchant.book.text(id, { what, ground: 'told', ticket, customer, ways: [] });
      return ticket;
    });
  }

  get alertIds(): readonly string[] {
    return [...this.known];
  }

  /** Somebody opens a ticket and reports a concern, in words of their own. */
  async report(user: string, ticket: CanaryTicket): Promise<void> {
    const { data } = await this.test.as(
      user,
      'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { id assistance { state } } }',
      { reference: ticket.reference },
    );
    const word = this.canaries.merchant.book.word({
      what: `${ticket.name}: what was reported`,
      ground: 'alert',
      ticket,
      customer: ticket.customer,
      ways: [['Alert.note']],
    });
    await this.learn(ticket.customer as CanaryCustomer, async () => {
      const { errors } = await this.test.as(
        user,
        'mutation($input: ReportConcernInput!) { reportConcern(input: $input) { id } }',
        {
          input: { ticketId: data.ticketByReference.id, note: `They said ${word} on the telephone` },
        },
      );
      if (errors) throw new Error(JSON.stringify(errors));
      await this.follow();
    });
  }

  /** Somebody who assists on a ticket has something wait, for reasons of their own. */
  async hold(user: string, ticket: CanaryTicket): Promise<void> {
    const { app, clock } = this.test;
    const [row] = await app.database.query<{ id: string }>('SELECT id FROM helpdesk_ticket WHERE reference = ?', [
      ticket.reference,
    ]);
    const word = this.canaries.merchant.book.word({
      ...{
        what: `${ticket.name}: why something waits`,
        ground: 'scope',
        ticket,
        customer: ticket.customer,
        ways: [['Hold.reason']],
      },
    });
    const { errors } = await this.test.as(user, places, {
      input: {
        ...{
          ticketId: row?.id,
          effects: ['REVIEW'],
          reason: `They said ${word} themselves`,
          idempotencyKey: `leak-hold-${word}`,
        },
        until: new Date(clock.now().getTime() + 60 * minute).toISOString(),
      },
    });
    if (errors) throw new Error(JSON.stringify(errors));
    await this.follow();
  }

  /** Somebody is stopped, and two others release them, each for reasons of their own. */
  async brake(user: string): Promise<void> {
    const { app } = this.test;
    const { data } = await this.test.as(user, '{ viewer { id } }');
    const placed = await app.database.system('worker', 'brake.place', (change) =>
      app.services.brakes.place(change, {
        ...{ stops: { actorId: data.viewer.id, staffIds: [] }, teams: [], level: 'ASSISTANCES' },
        ...{ rule: 'agent-breadth', ruleVersion: 1, signals: [] },
      }),
    );
    for (const [who, field] of [
      ['ada', 'proposalReason'],
      ['oz', 'releaseReason'],
    ] as const) {
      const word = this.canaries.merchant.book.word({
        ...{ what: `${field} of a brake`, ground: 'scope', ticket: null, customer: null, ways: [[`Brake.${field}`]] },
      });
      const { errors } = await this.test.as(
        who,
        'mutation($id: ID!, $reason: String!) { releaseBrake(id: $id, reason: $reason) { state } }',
        {
          ...{ id: placed?.id, reason: `They told me of ${word} themselves` },
        },
      );
      if (errors) throw new Error(JSON.stringify(errors));
    }
    await this.follow();
  }

  /** People who may hear of alerts listen, over both transports. */
  async listen(users: readonly string[]): Promise<void> {
    const url = await listening(this.test);
    for (const user of users)
      for (const over of [overSocket, overEvents])
        this.listeners.push({ user, subscriber: over(url, await this.test.token(user), { query: happens }) });
    await settled();
  }

  /** Everybody asks for everything there is about alerts, brakes and messages, with ids and cursors that they found somewhere. */
  async ask({ users = developmentPeople.map(({ user }) => user), first = false } = {}): Promise<readonly Leak[]> {
    const leaks: Leak[] = [];
    const { tickets = [] } = (await this.canaries.loot()).ids;
    const cursors = new Set<string>();
    for (const user of users)
      for (const mfa of [true, false]) {
        const send = async (query: string, variables: object = {}) => {
          const answer = await this.canaries.send(user, mfa, query, variables as Record<string, unknown>);
          leaks.push(...answer.leaks);
          return answer.body;
        };
        // Twice: interpreted, then compiled.
        for (let time = 0; time < 2; time += 1) {
          for (const [, cursor] of (await send(everything)).matchAll(/ursor":"([\w-]{20,})"/g)) cursors.add(String(cursor));
          for (const query of others) await send(query);
        }
        for (const ticketId of tickets) {
          await send(everything, { ticketId });
          if (mfa) await send(trail, { ticketId });
        }
        for (const customer of Object.values(this.canaries.merchant.customers).slice(0, 3)) {
          this.told += 1;
          const asked = { source: 'demo-pay', stage: 'CHECKOUT', amount: { minorUnits: 1_999, currency: 'EUR' } };
          const about = { customer: customer.reference, email: `${customer.reference}@mail.example`, device: customer.reference };
          await send(decides, { input: { ...asked, ...about, idempotencyKey: `leak-decision-${this.told}` } });
          await send(decides, { input: { ...asked, ...about, source: 'absent', idempotencyKey: `leak-decision-${this.told}` } });
        }
        for (const after of [...cursors].slice(-4)) await send(everything, { after });
        for (const id of this.alertIds.slice(0, 6))
          await send(
            'mutation($id: ID!) { resolveAlert(input: { id: $id, resolution: UNSURE, snoozeUntil: "2031-01-01T00:00:00Z" }) { id note } }',
            { id },
          );
        for (const ticketId of tickets.slice(0, 4))
          await send('mutation($ticketId: ID!) { reportConcern(input: { ticketId: $ticketId, note: "short" }) { id note } }', {
            ticketId,
          });
        await send('mutation { releaseBrake(id: "brk_absent", reason: "They are a good colleague") { proposalReason } }');
        await send('mutation { replayWebhooks(input: { endpoint: "absent", from: "2026-01-01T00:00:00Z" }) }');
        if (first && leaks.length > 0) return leaks;
      }
    const { book } = this.canaries.merchant;
    for (const cursor of cursors) {
      const bytes = Buffer.from(cursor, 'base64url').toString('latin1');
      for (const { what } of book.inText(bytes)) leaks.push({ ...nobody, where: 'a cursor', what });
    }
    return [...leaks, ...(await this.outside())];
  }

  /** What was sent to those who listen, told to other systems, or written where nobody's values belong. */
  private async outside(): Promise<readonly Leak[]> {
    const { book } = this.canaries.merchant;
    const leaks: Leak[] = [];
    const note = (where: string, what: string, operation = '-') => leaks.push({ ...nobody, where, what, operation });
    for (const { user, subscriber } of this.listeners)
      for (const result of subscriber.heard.results) {
        leaks.push(...(await this.canaries.judge(user, result, 'an event')));
        const { kind, alert, ...rest } = result.data?.alerts ?? {};
        if (kind === 'NOTICE' && (alert !== null || Object.keys(rest).sort().join() !== 'alertId,cursor,ticketId'))
          note('a notice', 'more than ids', JSON.stringify(result));
      }
    const withoutIds = (text: string) => book.inText(text).filter(({ ground }) => ground !== 'told');
    for (const { headers, body } of this.receiver.received) {
      const text = JSON.stringify(headers) + body;
      for (const { what } of withoutIds(text)) note('a webhook', what, text);
      for (const code of this.places) if (inClear(body, code)) note('a webhook', `the place ${code}`, body);
      if (saysMoreThanIds(body)) note('a webhook', 'more than ids', body);
    }
    const { database } = this.test.app;
    const tables = ['webhook_delivery', 'webhook_attempt', 'webhook_endpoint', 'risk_alert_event', 'staff_brake'];
    for (const table of [...tables, 'payment_hold', 'payment_decision', 'step_up_demand', 'risk_outreach']) {
      const text = JSON.stringify(await database.query(`SELECT * FROM ${table}`));
      for (const { what } of withoutIds(text)) note(table, what);
    }
    for (const { leaf } of await database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event')) {
      const text = leaf.toString('utf8');
      for (const code of this.places) if (inClear(text, code)) note('audit', `the place ${code}`, text);
    }
    leaks.push(...(await this.canaries.inTheBackground()));
    return leaks;
  }

  /** Waits until those who have it have heard of it. */
  async heard(user: string, count: number): Promise<void> {
    for (const { subscriber } of this.listeners.filter((each) => each.user === user)) await subscriber.heard.until(count);
  }

  get messages(): number {
    return this.receiver.received.length;
  }

  /** Canaries of these kinds that somebody who may see them was shown. */
  shown(part: string): readonly Canary[] {
    return [...this.canaries.coverage.shown].filter(({ what }) => what.includes(part));
  }
}
