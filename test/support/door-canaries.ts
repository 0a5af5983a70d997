import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoStaff } from '../../src/development/merchant/staff';
import { recordSignals } from '../../src/features/signals/recorder';
import type { MessageRecord } from '../../src/upstream/helpdesk/helpdesk.port';
import { TestApp } from './app';
import { type Case, mails, newestToken } from './credentials';
import { type Payer, Pipeline } from './decisions';
import { HookReceiver, saysMoreThanIds } from './hook-receiver';
import { OtherIssuer } from './other-issuer';
import { askCustomer, Questions } from './recognitions';
import { rulesWithModes } from './rules-file';
import { listening, overSocket, type Subscriber, settled } from './subscribers';

const minute = 60_000;
const clientSecret = 'zqwsecret of the gateway';
const recordClaim = 'mutation($input: RecordClaimInput!) { recordClaim(input: $input) { id traits } }';
const recordStepUp = 'mutation($input: RecordStepUpInput!) { recordStepUp(input: $input) { id state } }';
const alerts = `{ alerts(first: 50) { nodes { id rule note reasons { code text count } ticket { id } } } }`;
const happens = 'subscription { alerts { kind alertId ticketId alert { id rule note reasons { code text count } } } }';
const trail = `query($ticketId: ID) { decisionTrail(ticketId: $ticketId) { eventId action outcome counts restsOn ledTo subject { type id } } }`;
const log =
  '{ auditEvents(first: 100) { nodes { action subject { type id } changes { field from to } disclosedFields { field } } } }';

/** A value that occurs nowhere else, and the places where it belongs. */
export interface Secret {
  readonly what: string;
  readonly value: string;
  /** Where it may stand: a column as `table.column`, or one of the other places. */
  readonly standsIn: readonly string[];
  /** Only these places are looked at: of what is too short or too common to be sought everywhere. */
  readonly soughtIn: readonly string[] | null;
}

/** What of a value too short for chance to be ruled out is only found by itself. */
const isIn = (text: string, value: string): boolean =>
  value.length > 8 || value.startsWith('zqw')
    ? text.includes(value)
    : new RegExp(`(?<![\\w.:/+-])${value.replace(/[.•]/g, '\\$&')}(?![\\w/+-])`).test(text);

/**
 * The gateway over the demo merchant, where values that somebody is asked, states, proves or signs in by occur once each, with an endpoint
 * that is told of everything and somebody who listens. Each door returns what went through it.
 */
export class DoorCanaries {
  private readonly folder = mkdtempSync(join(tmpdir(), 'counterfoil-door-canaries-'));
  private readonly secrets: Secret[] = [];
  private readonly pages: string[] = [];
  private readonly answers: string[] = [];
  private invitationMail = '';
  private invitationPage = '';
  private issued = 0;
  private told = 0;
  private receiver!: HookReceiver;
  private provider!: Server;
  private issuer = '';
  private other!: OtherIssuer;
  private listener!: Subscriber;
  private questions!: Questions;
  private payers: readonly Payer[] = [];
  test!: TestApp;

  static async start(): Promise<DoorCanaries> {
    const doors = new DoorCanaries();
    await doors.open();
    return doors;
  }

  private async open(): Promise<void> {
    this.receiver = await HookReceiver.start();
    const issuer = await this.openProvider();
    this.other = await OtherIssuer.open(issuer);
    const rulesFile = join(this.folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'claim-against-record': 'ON', 'card-expiring': 'ON' }));
    this.test = await TestApp.start({
      config: {
        rulesFile,
        issuers: [this.other.configuration],
        updates: { leaseSeconds: 60, cardInvitations: { mostADay: 100_000, linkDays: 7 } },
        signals: { sources: [] } as never,
        webhooks: [this.receiver.endpoint(Buffer.alloc(32, 'a key of whoever is told'))],
        signIn: {
          providers: [{ id: 'staff', issuer, name: 'Staff', clientId: 'gateway', clientSecret, scope: ['openid'] }],
          idleMinutes: 60,
          hours: 8,
        } as never,
        embeds: [{ source: 'demo', origins: ['https://desk.example'] }],
      },
    });
    this.issuer = issuer;
    this.questions = new Questions(this.test);
    this.payers = await new Pipeline(this.test).payers(20);
    this.listener = overSocket(await listening(this.test), await this.test.token('ana'), { query: happens });
    await settled();
    // Endpoints are told of what comes after this.
    await this.follow();
  }

  async stop(): Promise<void> {
    await this.listener.stop();
    await this.test.stop();
    await this.receiver.stop();
    this.provider.closeAllConnections();
    await new Promise((resolve) => this.provider.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An identity provider that says no to whatever it is asked, and repeats it. */
  private async openProvider(): Promise<string> {
    this.provider = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const isMetadata = request.url?.startsWith('/.well-known/') === true;
        const asked = Buffer.concat(parts).toString('utf8');
        const said = isMetadata ? metadata : { error: 'invalid_grant', error_description: `Not ${asked}` };
        response.writeHead(isMetadata ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      });
    });
    await new Promise<void>((resolve) => this.provider.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(this.provider.address() as AddressInfo).port}`;
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
    return issuer;
  }

  /** The newest value of this name. */
  latest(what: string): string {
    return this.secrets.findLast((each) => each.what === what)?.value ?? '';
  }

  private keep(
    what: string,
    { value, standsIn = [], soughtIn = null }: { value?: string } & Partial<Pick<Secret, 'standsIn' | 'soughtIn'>> = {},
  ): string {
    this.issued += 1;
    const secret = { what, value: value ?? `zqw${String(this.issued).padStart(5, '0')}`, standsIn, soughtIn };
    this.secrets.push(secret);
    return secret.value;
  }

  /** What somebody's work put through a door, once what follows from it was done. */
  private async through(work: () => Promise<void>): Promise<readonly Secret[]> {
    const before = this.secrets.length;
    await work();
    await this.follow();
    return this.secrets.slice(before);
  }

  private async follow(): Promise<void> {
    const { app } = this.test;
    await app.asked.recognitionJobs.drain();
    await app.signingLog?.sequencer.turn();
    await app.signals.service.turn();
    await app.signingLog?.sequencer.turn();
    await app.webhooks.telling?.follower.turn();
    await app.webhooks.telling?.outbox.drain();
  }

  private async send(who: string, query: string, variables: Record<string, unknown> = {}) {
    const answer = await this.test.as(who, query, variables);
    this.answers.push(JSON.stringify(answer));
    return answer;
  }

  /** What staff, auditors and operators are answered about a ticket afterwards. */
  private async readAll(ticketId: string): Promise<void> {
    for (const who of ['ana', 'pia', 'ada', 'oz']) {
      await this.send(who, alerts);
      await this.send(who, trail, { ticketId });
    }
    await this.send('ada', log);
  }

  private async page(path: string): Promise<void> {
    this.pages.push((await this.test.server.inject({ url: path })).body);
  }

  private async post(token: string, form: Record<string, string>): Promise<void> {
    const { body } = await this.test.server.inject({
      method: 'POST',
      url: `/confirm/${token}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      payload: new URLSearchParams(form).toString(),
    });
    this.pages.push(body);
  }

  /** A customer is asked about a payment, looks, and says that it isn't theirs; others try to. */
  recognition(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const of = await this.questions.updates.next();
      const order = this.keep('order of a question', { standsIn: ['page'] });
      const minorUnits = 7_318_000 + this.secrets.length;
      const ofPayment = ['amount', 'authorized', 'still_open'].map((column) => `payment_transaction.${column}`);
      const inClear = ['page', ...ofPayment, 'risk_signal.minor_units', 'risk_signal_day.most_minor_units'];
      const units = (minorUnits / 100).toFixed(2);
      const grouped = Number(units).toLocaleString('en', { minimumFractionDigits: 2 });
      for (const value of [String(minorUnits), units, grouped]) this.keep('amount of a question', { value, standsIn: inClear });
      this.keep('card of a question', {
        value: String(of.usual.last4),
        standsIn: ['page'],
        soughtIn: ['mail', 'note', 'webhook'],
      });
      const added = {
        amount: minorUnits,
        status: 'AUTHORIZED',
        orderReference: 'order-77',
        orderDescription: `A ${order}`,
      } as const;
      const { reference } = this.test.payments.addTransaction(of.payer, added);
      await this.test.app.sources.syncAll();
      const [payment] = await this.test.app.database.query<{ id: string }>(
        'SELECT id FROM payment_transaction WHERE reference = ?',
        [reference],
      );
      const transactionId = String(payment?.id);
      const asked = await this.send('ana', askCustomer, { ticketId: of.ticketId, transactionId });
      if (asked.errors) throw new Error(JSON.stringify(asked.errors));
      await this.questions.drain();
      const token = this.keep('link of a question', { value: await newestToken(this.test), standsIn: ['mail', 'page'] });
      const [mail] = await mails(this.test);
      this.keep('address of a customer', { value: String(mail?.to) });
      for (const who of ['ben', 'oz']) await this.send(who, askCustomer, { ticketId: of.ticketId, transactionId });
      await this.send('ana', askCustomer, { ticketId: of.ticketId, transactionId: this.keep('a payment that is none') });
      await this.page(`/confirm/${token}`);
      const shown = /name="shown" value="([^"]+)"/.exec(this.pages.at(-1) ?? '')?.[1] ?? '';
      for (const agreed of [{}, { agreed: 'yes' }]) await this.post(token, { shown, answer: 'refuse', ...agreed });
      await this.page(`/confirm/${token}`);
      await this.page(`/confirm/${this.keep('a link that is none')}`);
      await this.readAll(of.ticketId);
    });
  }

  /** An agent records what a customer states, and some of it can't be. */
  recordedClaim(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const of = await this.questions.updates.next();
      const claim = (over: object = {}) => ({
        ticketId: of.ticketId,
        idempotencyKey: this.keep('key of a claim'),
        orderReference: this.keep('order of a claim'),
        amount: { minorUnits: this.number('amount of a claim'), currency: 'EUR' },
        cardLast4: '9191',
        ...over,
      });
      // Of two that fit nothing there is an alert.
      const [input, second] = [claim(), claim()];
      this.keep('card of a claim', { value: '9191', soughtIn: ['note', 'webhook', 'log', 'ticket_claim.traits'] });
      for (const each of [input, input, second]) {
        const { errors } = await this.send('ana', recordClaim, { input: each });
        if (errors) throw new Error(JSON.stringify(errors));
      }
      await this.send('ana', recordClaim, { input: { ...input, orderReference: this.keep('another order under its key') } });
      await this.send('ana', recordClaim, { input: claim({ orderReference: this.keep('an order too long').padEnd(200, ' x') }) });
      await this.send('ana', recordClaim, { input: claim({ cardLast4: this.keep('a card that is none') }) });
      await this.send('ana', recordClaim, { input: claim({ date: this.keep('a day that is none') }) });
      await this.send('oz', recordClaim, { input: claim() });
      await this.follow();
      await this.readAll(of.ticketId);
    });
  }

  private number(what: string): number {
    const value = 76_543_000 + this.secrets.length;
    this.keep(what, { value: String(value) });
    return value;
  }

  /** A customer states something in a message. */
  claimInMessage(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const of = await this.questions.updates.next();
      const order = this.keep('order of a message');
      const amount = `76,543.${String(10 + (this.secrets.length % 89))}`;
      this.keep('amount of a message', { value: amount });
      const { helpdesk, clock, app } = this.test;
      const snapshot = await helpdesk.fetchTicket(of.reference);
      const message: MessageRecord = {
        reference: `stated-${this.secrets.length}`,
        author: { kind: 'CUSTOMER', displayName: null },
        channel: 'EMAIL',
        body: `I was charged EUR ${amount} yesterday for order ${order} on my card ending 9191.`,
        createdAt: clock.now(),
      };
      const rewritten = Reflect.get(helpdesk, 'rewritten') as Map<string, readonly MessageRecord[]>;
      rewritten.set(of.reference, [...(snapshot?.messages ?? []), message]);
      helpdesk.reassign(of.reference, 'ana');
      await app.sources.syncAll();
      clock.forward(minute);
      await app.sources.confirmLink(of.customerId);
      const { risk } = Reflect.get(app, 'parts') as { risk: { claimReading: { turn(): Promise<number> } } };
      if ((await risk.claimReading.turn()) !== 1) throw new Error('nothing was read in the message');
      await this.follow();
      await this.readAll(of.ticketId);
    });
  }

  /** A rule has a customer asked for a new card. */
  invitation(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const of = await this.questions.updates.next();
      const { payments, app, clock } = this.test;
      const ending = { expiryMonth: 9, expiryYear: 2026, status: 'EXPIRING' as const, isDefault: true };
      payments.changeMethod(of.payer, of.usual.reference, ending);
      await app.sources.confirmLink(of.customerId);
      for (const word of new Set(demoStaff.flatMap(({ displayName }) => displayName.split(' '))))
        this.keep('name of staff', { value: word, soughtIn: ['invitation mail', 'invitation page'] });
      this.keep('ticket of whoever is invited', {
        value: of.reference,
        soughtIn: ['invitation mail', 'invitation page', 'webhook'],
      });
      for (const value of [String(of.usual.last4), '09/2026'])
        this.keep('card of whoever is invited', { value, soughtIn: ['invitation mail', 'webhook', 'log', 'audit_event.leaf'] });
      await this.endsSoon(of);
      await app.asked.invitationJobs.drain();
      await this.questions.updates.drain();
      const [mail] = await mails(this.test);
      if (!mail?.subject?.includes('ends soon')) throw new Error('nobody was invited');
      this.keep('address of whoever is invited', { value: mail.to });
      const token = this.keep('link of an invitation', {
        value: await newestToken(this.test),
        standsIn: ['mail', 'page', 'invitation page'],
      });
      this.invitationMail = `${mail.subject}\n${mail.text.replace(token, '')}`;
      await this.page(`/confirm/${token}`);
      this.invitationPage = this.pages.at(-1) ?? '';
      if (!this.invitationPage.includes('your card ends soon')) throw new Error('the page was not shown');
      const shown = /name="shown" value="([^"]+)"/.exec(this.invitationPage)?.[1] ?? '';
      for (const agreed of [{}, { agreed: 'yes' }]) {
        await this.post(token, { shown, answer: 'confirm', ...agreed });
        this.invitationPage += this.pages.at(-1);
      }
      clock.forward(minute);
    });
  }

  private async endsSoon({ customerId, usual }: Case): Promise<void> {
    const { app, clock } = this.test;
    const [row] = await app.database.query<{ id: string }>(
      'SELECT payment_customer_id AS id FROM helpdesk_customer WHERE id = ?',
      [customerId],
    );
    this.told += 1;
    const subjects = { customer: String(row?.id), card: usual.id };
    const source = 'demo-pay';
    const one = { source, id: `ends-${this.told}`, type: 'card.expiring', occurredAt: clock.now(), subjects } as const;
    await app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, [{ ...one, facts: { deadline: new Date(Date.UTC(2026, 9, 1) - 1) } }]);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: source }, detail: { signals: 1 } });
    });
    await app.signals.service.turn();
  }

  /** A service names authentications: one that failed, one that is none, one that can't be, and the one that counts. */
  stepUp(): Promise<readonly Secret[]> {
    return this.through(async () => {
      this.told += 1;
      const payer = this.payers[this.told] as Payer;
      const pipeline = new Pipeline(this.test);
      await pipeline.open(payer.customerId);
      const { demandId } = await pipeline.decide({ customer: payer.reference });
      this.test.clock.forward(minute);
      const [failed, none, met] = ['a step-up that failed', 'a step-up that is none', 'a step-up'].map(
        (what) => `ch_${this.keep(what)}`,
      ) as [string, string, string];
      const device = this.keep('device of a step-up');
      this.test.payments.addAuthentication(failed, { customer: payer.reference, result: 'FAILED' });
      this.test.payments.addAuthentication(met, { customer: payer.reference, deviceFingerprint: device });
      const record = async (reference: string, who = 'pip') => {
        const { data } = await this.send(who, recordStepUp, { input: { demandId, reference } });
        return data?.recordStepUp?.state ?? null;
      };
      await record(failed);
      await record(none);
      await record(`${this.keep('a reference that can’t be')} and a blank`);
      await record(this.keep('a reference of somebody else’s'), 'ana');
      if ((await record(met)) !== 'SATISFIED') throw new Error('the demand was not met');
      await record(met);
      await this.send('ada', log);
    });
  }

  /** Somebody signs in with a browser, works, and their provider has no more tokens for them; others bring what is none. */
  browserSession(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const { app, clock, server } = this.test;
      const { signIn } = app;
      if (signIn === null) throw new Error('nobody can sign in');
      this.keep('secret of the gateway at the provider', { value: clientSecret });
      const { own } = this;
      const ask = async (cookie: string, over: object = {}) => {
        const { body, headers } = await server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { 'content-type': 'application/json', ...own, ...over, cookie: `__Host-counterfoil=${cookie}` },
          payload: { query: '{ viewer { id roles mfa } }' },
        });
        this.answers.push(body, JSON.stringify(headers));
      };
      const comeBack = async (query: Record<string, string>, cookie: string) => {
        const { body } = await server.inject({
          url: `/sign-in/back/staff?${new URLSearchParams(query)}`,
          headers: { host: own.host, cookie: `__Host-counterfoil-sign-in=${cookie}` },
        });
        this.pages.push(body);
      };
      for (const [part, name] of [
        ['code', 'code'],
        ['error', 'error_description'],
      ] as const) {
        const begun = await server.inject({ url: '/sign-in', headers: { host: own.host } });
        const brought = /sign-in=([^;]+)/.exec(String(begun.headers['set-cookie']))?.[1] ?? '';
        const state = new URL(String(begun.headers.location)).searchParams.get('state') ?? '';
        this.keep('cookie of a beginning', { value: brought });
        this.keep('state of a beginning', { value: state });
        const said = { state, iss: this.issuer, [name]: this.keep(`${part} of a provider`) };
        await comeBack(part === 'error' ? { ...said, error: 'access_denied' } : said, brought);
      }
      await comeBack({ code: this.keep('code that is none') }, this.keep('beginning that is none'));
      const access = await this.other.token('ana', { roles: ['AGENT'], teams: ['cards'] }, clock.now());
      // An ID token is looked into for whom it names: its signature is what is looked for.
      const [, named] = access.split('.');
      const id = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${named}.${this.keep('ID token')}`;
      const tokens = { access, refresh: this.keep('refresh token'), id, expiresIn: 900 };
      this.keep('access token', { value: access.slice(access.lastIndexOf('.') + 1) });
      const { cookie } = await signIn.sessions.begin(this.issuer, tokens, null);
      this.keep('cookie of a session', { value: cookie });
      await ask(cookie);
      await ask(cookie, { origin: 'https://evil.example' });
      await ask(this.keep('cookie that is none'));
      clock.forward(14.75 * minute);
      await ask(cookie);
      await ask(cookie);
      await this.send('ada', log);
    });
  }

  /** A frame of a helpdesk's page gets a session within that of somebody's browser; another one brings a code that is none. */
  frameSession(): Promise<readonly Secret[]> {
    return this.through(async () => {
      const { app, clock, server } = this.test;
      const { signIn, embeds } = app;
      if (signIn === null || embeds === null) throw new Error('nobody can sign in from a frame');
      const access = await this.other.token('ana', { roles: ['AGENT'], teams: ['cards'] }, clock.now());
      const tokens = { access, refresh: null, id: access, expiresIn: 900 };
      const { cookie } = await signIn.sessions.begin(this.issuer, tokens, null);
      this.keep('cookie of a session', { value: cookie });
      const verifier = this.keep('verifier of a frame', { value: randomBytes(32).toString('base64url') });
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const code = await embeds.frames.code(cookie, { source: 'demo', challenge, network: null });
      this.keep('code for a frame', { value: code });
      for (const each of [code, this.keep('code that is none')]) {
        const brought = await server.inject({
          method: 'POST',
          url: '/frame/session',
          headers: { 'content-type': 'application/json', ...this.own },
          payload: { source: 'demo', verifier, code: each },
        });
        this.answers.push(brought.body);
        const frame = /frame-demo=([^;]+)/.exec(String(brought.headers['set-cookie']))?.[1];
        if (frame) this.keep('cookie of a frame', { value: frame });
      }
    });
  }

  /** Headers of the gateway's own pages. */
  private get own() {
    const { publicUrl } = this.test.app;
    return {
      origin: publicUrl,
      host: new URL(publicUrl).host,
      'counterfoil-browser': '1',
      'sec-fetch-site': 'same-origin',
    };
  }

  /** Where something may stand, by name: columns, what was sent to whom, what is written or measured. */
  private async places(): Promise<readonly (readonly [string, string])[]> {
    const { database } = this.test.app;
    const named = await database.query<Record<string, string>>(
      database.engine === 'mariadb' ? 'SHOW TABLES' : "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    const places: [string, string][] = [];
    for (const table of named.flatMap((row) => Object.values(row))) {
      const columns = new Map<string, unknown[]>();
      for (const row of await database.query<Record<string, unknown>>(`SELECT * FROM ${table}`))
        for (const [name, value] of Object.entries(row)) {
          const values = columns.get(name) ?? [];
          if (value !== null) values.push(Buffer.isBuffer(value) ? value.toString('utf8') : value);
          columns.set(name, values);
        }
      for (const [name, values] of columns) places.push([`${table}.${name}`, values.join('\n')]);
    }
    for (const url of ['/metrics', '/readyz', '/healthz']) places.push([url, (await this.test.server.inject({ url })).body]);
    places.push(
      ['log', this.test.logLines.join('')],
      ['mail', (await mails(this.test, 200)).map(({ subject, text }) => `${subject}\n${text}`).join('\n')],
      ['note', this.test.helpdesk.notes.map(({ text }) => text).join('\n')],
      ['webhook', this.receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n')],
      ['event', JSON.stringify(this.listener.heard.results)],
      ['page', this.pages.join('\n')],
      ['answer', this.answers.join('\n')],
      ['invitation mail', this.invitationMail],
      ['invitation page', this.invitationPage],
    );
    return places;
  }

  /** Of these, what stands where it doesn't belong, as `what in place`, each once. */
  async leaks(secrets: readonly Secret[]): Promise<readonly string[]> {
    const places = await this.places();
    const found = secrets.flatMap(({ what, value, standsIn, soughtIn }) =>
      places
        .filter(([place, text]) => !standsIn.includes(place) && (soughtIn?.includes(place) ?? true) && isIn(text, value))
        .map(([place]) => `${what} in ${place}`),
    );
    const told = this.receiver.received.some(({ body }) => saysMoreThanIds(body)) ? ['more than ids in webhook'] : [];
    return [...new Set([...found, ...told])];
  }

  /** Whether a value stands where it belongs, as a sign that there was something to see. */
  async stands(secrets: readonly Secret[], what: string, place: string): Promise<boolean> {
    const text = (await this.places()).find(([name]) => name === place)?.[1] ?? '';
    return secrets.some((each) => each.what === what && isIn(text, each.value));
  }

  /** Types of the messages that were sent to the endpoint. */
  get messageTypes(): ReadonlySet<string> {
    return new Set(this.receiver.received.map(({ body }) => String((JSON.parse(body) as { type: string }).type)));
  }

  /** Codes of the errors that somebody was answered. */
  get codes(): ReadonlySet<string> {
    return new Set(this.answers.flatMap((each) => [...each.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => String(code))));
  }

  /** What the listener was told of. */
  get heard(): number {
    return this.listener.heard.results.length;
  }
}
