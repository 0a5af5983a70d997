import fc from 'fast-check';
import { developmentPeople } from '../../src/development/issuer/development-people';
import { TestApp, type TestAppOptions } from './app';
import { type Canary, CanaryMerchant } from './canaries';
import { ExposureOracle, type LiveRow, teamsOf, type View } from './exposure-oracle';
import { Choices, type Loot, OperationWriter } from './generated-operations';

/** Something withheld that got out, with all that is needed to see how. */
export interface Leak {
  readonly user: string;
  readonly mfa: boolean;
  readonly where: string;
  readonly what: string;
  readonly operation: string;
}

export interface CheckOptions {
  readonly runs: number;
  readonly seed: number;
  /** Only these query roots, such as those that begin no assistance. */
  readonly roots?: readonly string[];
  /** Only these people. */
  readonly users?: readonly string[];
  /** Stops at the first leak. */
  readonly first?: boolean;
}

/** How much of the merchant was seen at all: a check that shows nothing proves nothing. */
export interface Coverage {
  /** Canaries that were shown to somebody who may see them. */
  readonly shown: ReadonlySet<Canary>;
  readonly codes: ReadonlyMap<string, number>;
  readonly operations: number;
}

const minutes = 60_000;

/** The gateway over a merchant of canaries, and a check that runs generated operations and looks for what must not be there. */
export class CanaryApp {
  private readonly oracle: ExposureOracle;
  private readonly tokens = new Map<string, string>();
  private readonly actorIds = new Map<string, string>();
  private readonly userOf = new Map<string, string>();
  private readonly cursors: string[] = [];
  private readonly shown = new Set<Canary>();
  private readonly codes = new Map<string, number>();
  private operations = 0;
  private linesSeen = 0;

  private constructor(
    readonly app: TestApp,
    readonly merchant: CanaryMerchant,
  ) {
    this.oracle = new ExposureOracle();
  }

  static async start(options: TestAppOptions = {}): Promise<CanaryApp> {
    const merchant = new CanaryMerchant();
    const app = await TestApp.start({
      ...options,
      config: { rateLimit: 1_000_000, ...options.config },
      connectors: merchant.connectors,
      sync: false,
    });
    merchant.now = app.clock.now;
    const canaries = new CanaryApp(app, merchant);
    await app.app.sources.syncAll();
    await canaries.learn();
    return canaries;
  }

  stop(): Promise<void> {
    return this.app.stop();
  }

  get coverage(): Coverage {
    return { shown: this.shown, codes: this.codes, operations: this.operations };
  }

  /** Who is who behind our own ids, and the surrogates that the gateway made of the provider's tokens. */
  private async learn(): Promise<void> {
    for (const { user } of developmentPeople) {
      const { data } = await this.app.as(user, '{ viewer { id } }');
      this.actorIds.set(user, data.viewer.id);
      this.userOf.set(data.viewer.id, user);
    }
    const customers = Object.values(this.merchant.customers);
    const rows = await this.app.app.database.query<{ surrogate: string; reference: string }>(
      'SELECT m.surrogate, c.reference FROM payment_method m JOIN helpdesk_customer c ON c.payment_customer_id = m.payment_customer_id',
    );
    for (const { surrogate, reference } of rows) {
      const customer = customers.find((each) => each.reference === reference) ?? null;
      this.merchant.book.text(surrogate, {
        what: `${customer?.name}: surrogate`,
        ground: 'customer',
        ticket: null,
        customer,
        ways: [['Customer.paymentMethods', 'PaymentMethod.token']],
      });
    }
  }

  /** Our ids of everything, as somebody could have collected them over the years. */
  async loot(): Promise<Loot> {
    // In an order that doesn't hang on ids made by chance, so that a seed says which operations run.
    const ids = async (from: string) =>
      (await this.app.app.database.query<{ id: string }>(`SELECT x.id FROM ${from}`)).map(({ id }) => id);
    const [tickets, customers, transactions, methods, messages, assistances] = await Promise.all(
      [
        'helpdesk_ticket x ORDER BY x.reference',
        'helpdesk_customer x ORDER BY x.reference',
        'payment_transaction x ORDER BY x.reference',
        'payment_method x ORDER BY x.last4',
        'helpdesk_message x ORDER BY x.reference',
        'assistance x JOIN helpdesk_ticket t ON t.id = x.ticket_id ORDER BY t.reference, x.origin, x.requested_at',
      ].map(ids),
    );
    const words = this.merchant.book.all.flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
    return {
      ids: {
        tickets: tickets ?? [],
        customers: customers ?? [],
        transactions: transactions ?? [],
        methods: methods ?? [],
        messages: messages ?? [],
        assistances: assistances ?? [],
      },
      cursors: this.cursors.slice(-60),
      references: Object.values(this.merchant.tickets).map(({ reference }) => reference),
      words,
    };
  }

  /** The assistances that are live now, by person. */
  private async live(): Promise<ReadonlyMap<string, readonly LiveRow[]>> {
    const rows = await this.app.app.database.query<{
      actor_id: string;
      reference: string;
      origin: string;
      approved_by_id: string | null;
    }>(
      `SELECT a.actor_id, t.reference, a.origin, a.approved_by_id FROM assistance a JOIN helpdesk_ticket t ON t.id = a.ticket_id
        WHERE a.ended_at IS NULL AND a.begins_at IS NOT NULL AND a.expires_at > ?`,
      [this.app.clock.now().getTime()],
    );
    const tickets = Object.values(this.merchant.tickets);
    const live = new Map<string, LiveRow[]>();
    for (const row of rows) {
      const user = this.userOf.get(row.actor_id) ?? '';
      const ticket = tickets.find(({ reference }) => reference === row.reference);
      if (!ticket?.customer) throw new Error('an assistance on a ticket without a customer');
      const approver = row.approved_by_id === null ? null : (this.userOf.get(row.approved_by_id) ?? '');
      const found = live.get(user) ?? [];
      found.push({ ticket, customer: ticket.customer, automatic: row.origin === 'AUTOMATIC', approver });
      live.set(user, found);
    }
    return live;
  }

  /** Sends one operation and says what leaked by it. */
  async send(
    user: string,
    mfa: boolean,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
    operationName?: string,
  ): Promise<{ readonly leaks: readonly Leak[]; readonly body: string; readonly status: number }> {
    const key = `${user} ${mfa}`;
    const token = this.tokens.get(key) ?? (await this.app.token(user, { mfa }));
    this.tokens.set(key, token);
    const before = (await this.live()).get(user) ?? [];
    const response = await this.app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ query, variables, operationName }),
    });
    this.operations += 1;
    const after = (await this.live()).get(user) ?? [];
    // What an operation ends it may have shown before, and what it begins it may show at once.
    const live = [...before, ...after.filter(({ ticket }) => !before.some((each) => each.ticket === ticket))];
    const view: View = { user, mfa, live };
    const operation = `${query}\n${JSON.stringify(variables)}`;
    const leaks: Leak[] = [];
    const note = (where: string, what: string) => leaks.push({ user, mfa, where, what, operation });
    for (const row of after) {
      const objection = this.oracle.objection(view, row);
      if (objection) note('assistance', objection);
    }
    const { book } = this.merchant;
    const answer = JSON.parse(response.body) as { data?: unknown; errors?: readonly { extensions?: { code?: string } }[] };
    const inAnswer = new Set([...book.inText(response.body), ...book.inValue(answer)]);
    for (const canary of inAnswer) {
      if (this.oracle.mayShow(view, canary)) this.shown.add(canary);
      else note('answer', canary.what);
    }
    for (const canary of new Set([...book.inValue(answer.errors), ...book.inText(JSON.stringify(response.headers))]))
      note('errors and headers', canary.what);
    for (const canary of this.inNewLines()) note('log', canary.what);
    for (const { extensions } of answer.errors ?? [])
      this.codes.set(String(extensions?.code), (this.codes.get(String(extensions?.code)) ?? 0) + 1);
    for (const [, cursor] of response.body.matchAll(/"([A-Za-z0-9_-]{60,300})"/g)) if (cursor) this.cursors.push(cursor);
    return { leaks, body: response.body, status: response.statusCode };
  }

  /** What of something that somebody was sent by another way than an answer they may not have. */
  async judge(user: string, sent: unknown, where: string): Promise<readonly Leak[]> {
    const view: View = { user, mfa: true, live: (await this.live()).get(user) ?? [] };
    const { book } = this.merchant;
    const found = new Set([...book.inValue(sent), ...book.inText(JSON.stringify(sent))]);
    return [...found].flatMap((canary) => {
      if (this.oracle.mayShow(view, canary)) {
        this.shown.add(canary);
        return [];
      }
      return { user, mfa: true, where, what: canary.what, operation: JSON.stringify(sent) };
    });
  }

  private inNewLines(): readonly Canary[] {
    const lines = this.app.logLines.slice(this.linesSeen).join('');
    this.linesSeen = this.app.logLines.length;
    return this.merchant.book.inText(lines);
  }

  /** What stands where nobody's values belong, whoever asks: metrics, readiness, the audit log's leaves. */
  async inTheBackground(): Promise<readonly Leak[]> {
    const nobody = { user: '-', mfa: false, operation: '-' };
    const leaks: Leak[] = [];
    for (const url of ['/metrics', '/readyz', '/healthz']) {
      const { body } = await this.app.server.inject({ method: 'GET', url });
      for (const { what } of this.merchant.book.inText(body)) leaks.push({ ...nobody, where: url, what });
    }
    const rows = await this.app.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event');
    for (const { leaf } of rows) {
      const text = leaf.toString('utf8');
      // The log goes by our own ids.
      for (const { what, ground } of this.merchant.book.inText(text))
        if (ground !== 'told') leaks.push({ ...nobody, where: 'audit', what, operation: text });
    }
    for (const { what } of this.inNewLines()) leaks.push({ ...nobody, where: 'log', what });
    return leaks;
  }

  /**
   * Runs generated operations, each twice (interpreted, then compiled), as people drawn with each, with and without a second
   * factor, over whatever assistances they come to hold, and returns what leaked.
   */
  async check({ runs, seed, roots, users, first = false }: CheckOptions): Promise<readonly Leak[]> {
    // Agents and supervisors reach something; the others shall reach nothing.
    const people = users ?? ['ana', 'ana', 'ana', 'ben', 'ben', 'sam', 'sam', 'pia', 'ada', 'pru', 'pip', 'oz'];
    const cases = fc.tuple(
      fc.constantFrom(...people),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(2_147_483_646), { minLength: 80, maxLength: 600, size: 'max' }),
    );
    const leaks: Leak[] = [];
    let loot = await this.loot();
    for (const [index, [user, die, tape]] of fc.sample(cases, { numRuns: runs, seed }).entries()) {
      if (index % 10 === 0) loot = await this.loot();
      const mfa = die > 1;
      const writer = new OperationWriter(this.app.app.schema, new Choices(tape), loot, roots, () => this.newReason(user));
      const { query, variables } = writer.write();
      for (let time = 0; time < 2; time += 1) {
        leaks.push(...(await this.send(user, mfa, query, variables)).leaks);
        if (first && leaks.length > 0) return leaks;
      }
    }
    leaks.push(...(await this.inTheBackground()));
    return leaks;
  }

  /** Opens every ticket as everybody, asking for everything, and returns what leaked. */
  async openEverything({ users, first = false }: Pick<CheckOptions, 'users' | 'first'> = {}): Promise<readonly Leak[]> {
    const leaks: Leak[] = [];
    for (const user of users ?? developmentPeople.map((each) => each.user)) {
      for (const mfa of [false, true]) {
        for (const { reference } of Object.values(this.merchant.tickets)) {
          leaks.push(...(await this.send(user, mfa, everything, { reference })).leaks);
          if (first && leaks.length > 0) return leaks;
        }
      }
    }
    return [...leaks, ...(await this.inTheBackground())];
  }

  /** A reason that its asker, and a supervisor of the team, may read again. */
  private newReason(user: string): string {
    const tickets = Object.values(this.merchant.tickets).filter(({ team }) => teamsOf(user).includes(team));
    const word = this.merchant.book.word({
      what: `reason of ${user}`,
      ground: tickets.length > 0 ? 'scope' : 'never',
      ticket: null,
      customer: null,
      ways: [['Assistance.reason'], ['Assistance.rejectionReason']],
    });
    return `They wrote ${word}, please let me look`;
  }

  /** Ends every assistance, as the passing of their time would. */
  async endAll(): Promise<void> {
    this.app.clock.forward(8 * 60 * minutes + minutes);
    await this.app.app.services.assistances.expire();
    await this.app.app.sources.syncAll();
    this.tokens.clear();
  }
}

/** Every field there is to a ticket, down every way. */
export const everything = `
  query Everything($reference: String!) {
    ticketByReference(source: "demo", reference: $reference) {
      id source reference subject status channel team createdAt updatedAt freshness { confirmedAt stale } assignee { id displayName }
      assistance { id reason state automatic }
      messages { totalCount nodes { id channel body truncated attachments { name type size } createdAt redactions { kind count } author { __typename displayName } } }
      customer {
        id displayName email phone region link paymentsFreshness { confirmedAt stale }
        paymentMethods { ...Method }
        transactions {
          totalCount
          nodes {
            id reference amount { minorUnits currency } authorized { minorUnits } captured { minorUnits } refunded { minorUnits } open { minorUnits }
            presentment { minorUnits currency } refunds { amount { minorUnits } state reason createdAt } status declineCode declineAdvice declineExplanation order { reference description }
            device { fingerprint } location { country } risk { band score signals } dispute { status reason openedAt } freshness { confirmedAt stale } createdAt
            paymentMethod { ...Method }
          }
        }
      }
    }
  }
  fragment Method on PaymentMethod {
    id kind brand last4 expiryMonth expiryYear country timesSaved status isDefault token source
    billingAddress { line1 line2 city state postalCode country }
  }`;

/** A leak in one line, for the message of a failed test. */
export const tellLeak = ({ user, mfa, where, what, operation }: Leak): string =>
  `${user}${mfa ? '' : ' without a second factor'} got ${what} in ${where} by\n${operation}`;
