import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { MessageRecord, TicketRecord } from '../../src/upstream/helpdesk/helpdesk.port';
import { countOf, eventsOf, policyWith, ticketIdOf, told } from '../support/answers';
import type { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { rulesWithModes } from '../support/rules-file';
import { sampleTexts, sampleTicket, startSample } from '../support/sample';
import { card, helpdeskCustomer, payment, type ScriptedHelpdesk, type ScriptedPayments } from '../support/scripted-sources';

const recordMutation = 'mutation($input: RecordClaimInput!) { recordClaim(input: $input) { id traits recordedAt } }';
const opens = 'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { state } } }';
const list = `{ alerts(first: 50, filter: { state: [OPEN] }) { nodes { id rule ticket { id }
  reasons { code text transaction { reference } } guidance { code } } } }`;
const trailQuery = `query($ticketId: ID) { decisionTrail(ticketId: $ticketId) {
  eventId action rule restsOn ledTo subject { type id } counts isAltered } }`;
const resolve = 'mutation($id: ID!) { resolveAlert(input: { id: $id, resolution: FALSE }) { state } }';
const minute = 60_000;
const day = 24 * 60 * minute;
/** Each once: wherever one turns up it is known from where. */
const canaries = { order: 'ZQA-1001', amount: 7_654_321, text: '76,543.21', last4: '9191' } as const;

/** By themselves: digits may stand within ids. */
const canariesIn = (text: string): readonly unknown[] =>
  Object.values(canaries).filter((canary) => new RegExp(`(?<![\\w-])${String(canary)}(?![\\w-])`).test(text));

type Row = Record<string, string | number | null>;

/** A customer who paid for two orders, and what they say of them. */
class Stated {
  test!: TestApp;
  helpdesk!: ScriptedHelpdesk;
  payments!: ScriptedPayments;
  private keysUsed = 0;
  private written = 0;
  private readonly said = new Map<string, MessageRecord[]>();

  static async start(options: { readonly policy?: string; readonly mode?: string } = {}): Promise<Stated> {
    const folder = mkdtempSync(join(tmpdir(), 'counterfoil-claims-'));
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'claim-against-record': options.mode ?? 'ON' }));
    const stated = new Stated();
    const { mode: _, ...rest } = options;
    Object.assign(stated, await startSample({ config: { rulesFile }, ...rest }));
    rmSync(folder, { recursive: true, force: true });
    stated.pays('pay-quill', {
      helpdeskReference: 'demo:quill',
      email: sampleTexts.paymentEmail,
      displayName: sampleTexts.paymentName,
      phone: sampleTexts.paymentPhone,
    });
    await stated.confirm();
    await stated.test.app.signals.service.turn();
    return stated;
  }

  stop(): Promise<void> {
    return this.test.stop();
  }

  at(days: number): Date {
    return new Date(this.test.clock.now().getTime() - days * day);
  }

  dayOf(days: number): string {
    return this.at(days).toISOString().slice(0, 10);
  }

  pays(reference: string, of: Parameters<ScriptedPayments['put']>[1]): void {
    const paid = (name: string, over: Parameters<typeof payment>[1]) => payment(`${reference}-${name}`, over);
    this.payments.put(
      reference,
      of,
      [card(sampleTexts.token), card('pm_second', { isDefault: false, last4: '0005', brand: 'amex' })],
      [
        paid('one', {
          paymentMethodReference: sampleTexts.token,
          orderReference: 'ZQA-1001',
          amount: 4_990,
          createdAt: this.at(3),
        }),
        paid('two', { paymentMethodReference: 'pm_second', orderReference: 'ZQA-1002', amount: 700, createdAt: this.at(30) }),
      ],
    );
  }

  /** The sources are read to their end. */
  async confirm(): Promise<void> {
    this.test.clock.forward(minute);
    await this.test.app.sources.syncAll();
  }

  async open(who = 'ana', reference: string = sampleTicket): Promise<void> {
    const { data, errors } = told(await this.test.as(who, opens, { reference }));
    if (data?.ticketByReference?.assistance?.state !== 'LIVE') throw new Error(JSON.stringify(errors));
  }

  async input(given: Readonly<Record<string, unknown>>, reference: string = sampleTicket) {
    this.keysUsed += 1;
    const idempotencyKey = `claim-key-${this.keysUsed}`;
    return { ticketId: await ticketIdOf(this.test, reference), idempotencyKey, ...given };
  }

  async record(given: Readonly<Record<string, unknown>>, who: string | { readonly token: string } = 'ana', reference?: string) {
    return told(await this.test.as(who, recordMutation, { input: await this.input(given, reference) }));
  }

  /** The customer, or somebody, writes in a ticket, which is read at once. */
  async write(
    body: string,
    over: Partial<MessageRecord> = {},
    ticket: Partial<TicketRecord> = {},
    reference: string = sampleTicket,
  ) {
    this.written += 1;
    this.test.clock.forward(minute);
    const said = this.said.get(reference) ?? [];
    said.push({
      reference: `w${this.written}`,
      author: { kind: 'CUSTOMER', displayName: sampleTexts.name },
      isByCustomer: true,
      channel: 'EMAIL',
      body,
      createdAt: this.test.clock.now(),
      ...over,
    });
    this.said.set(reference, said);
    this.helpdesk.put(reference, ticket, said);
    await this.confirm();
  }

  /** What a gateway does every few seconds. Returns how many messages made a claim. */
  async turn(): Promise<number> {
    const { risk } = Reflect.get(this.test.app, 'parts') as { risk: { claimReading: { turn(): Promise<number> } } };
    const stored = await risk.claimReading.turn();
    await this.test.app.signals.service.turn();
    return stored;
  }

  async signals(): Promise<Row[]> {
    return this.test.app.database.query<Row>("SELECT * FROM risk_signal WHERE type = 'ticket.claim' ORDER BY occurred_at, id");
  }

  async outcomes(): Promise<readonly unknown[]> {
    return (await this.signals()).map(({ outcome }) => outcome);
  }

  async alerts(who = 'ana') {
    await this.test.app.signals.service.turn();
    const { data, errors } = told(await this.test.as(who, list));
    if (!data) throw new Error(JSON.stringify(errors));
    return data.alerts.nodes as readonly {
      id: string;
      rule: string;
      ticket: { id: string };
      reasons: readonly { code: string; transaction: { reference: string } | null }[];
    }[];
  }

  /** Everything that is stored of it, in clear as it stands there. */
  async kept(): Promise<string> {
    const tables = ['risk_signal', 'ticket_claim', 'risk_alert', 'risk_signal_day'];
    const rows = await Promise.all(tables.map((name) => this.test.app.database.query(`SELECT * FROM ${name}`)));
    const leaves = await this.test.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event');
    return [JSON.stringify(rows), ...leaves.map(({ leaf }) => leaf.toString('utf8')), ...this.test.logLines].join('\n');
  }
}

describe('a claim that a member of staff records', () => {
  let stated: Stated;
  beforeEach(async () => {
    stated = await Stated.start();
    await stated.open();
  });
  afterEach(() => stated.stop());

  it('that contradicts a payment raises an alert for whoever has the ticket, and the log says what led to it', async () => {
    const { test } = stated;
    const events = await eventsOf(test, async () => {
      expect(
        await stated.record({ orderReference: 'ZQA-1001', amount: { minorUnits: canaries.amount, currency: 'EUR' } }),
      ).toEqual({
        data: {
          recordClaim: { id: expect.stringMatching(/^clm_/), traits: ['AMOUNT', 'ORDER'], recordedAt: expect.any(String) },
        },
        errors: [],
      });
    });
    const ticketId = await ticketIdOf(test, sampleTicket);
    const [recorded] = events.filter(({ action }) => action === 'claim.record');
    expect(recorded).toMatchObject({
      ticket: ticketId,
      assistance: expect.stringMatching(/^ast_/),
      subject: { type: 'Claim', id: expect.stringMatching(/^clm_/) },
      detail: { traits: ['amount', 'order'], ordinal: 1 },
    });
    const claimId = (recorded as { readonly subject: { readonly id: string } }).subject.id;
    expect(await stated.signals()).toMatchObject([
      { source: 'counterfoil', event_id: `${claimId}:claim`, ticket: ticketId, outcome: 'contradicted', minor_units: null },
    ]);
    expect(await stated.alerts()).toEqual([
      {
        id: expect.any(String),
        rule: 'CLAIM_AGAINST_RECORD',
        ticket: { id: ticketId },
        reasons: [
          {
            code: 'CLAIM_CONTRADICTED',
            text: 'what the customer states contradicts a payment of theirs',
            transaction: { reference: 'pay-quill-one' },
          },
        ],
        guidance: expect.arrayContaining([{ code: 'DO_NOT_CONFIRM' }]),
      },
    ]);
    expect(await rowsWithoutEvent(test.app.database)).toEqual(expect.objectContaining({ findings: [] }));
    await test.app.signingLog?.sequencer.turn();
    const { data } = told(await test.as('ada', trailQuery, { ticketId }));
    const steps = data.decisionTrail as readonly { action: string; eventId: string; restsOn: string[]; ledTo: string[] }[];
    const step = (action: string) => steps.find((each) => each.action === action);
    expect(step('rule.verdict')?.restsOn).toEqual(expect.arrayContaining([claimId, `counterfoil/${claimId}:claim`]));
    expect(step('claim.record')?.ledTo).toEqual(
      expect.arrayContaining([step('rule.verdict')?.eventId, step('alert.raise')?.eventId]),
    );
    const kept = await stated.kept();
    expect(canariesIn(kept)).toEqual([]);
  });

  it('that fits a payment raises none, and one that fits none does with a second', async () => {
    await stated.record({ orderReference: 'ZQA-1001', amount: { minorUnits: 4_990, currency: 'EUR' }, cardLast4: '4242' });
    await stated.record({ date: stated.dayOf(3), amount: { minorUnits: 123_456, currency: 'EUR' } });
    expect(await stated.alerts()).toEqual([]);
    await stated.record({ amount: { minorUnits: 654_321, currency: 'EUR' } });
    expect(await stated.outcomes()).toEqual(['matched', 'unmatched', 'unmatched']);
    expect((await stated.alerts()).map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['CLAIM_UNMATCHED']]);
  });

  it('is recorded once, however often it is asked for, and another one needs another key', async () => {
    const { test } = stated;
    const input = await stated.input({ cardLast4: canaries.last4 });
    const first = told(await test.as('ana', recordMutation, { input }));
    const again = await eventsOf(test, async () => {
      expect(told(await test.as('ana', recordMutation, { input }))).toEqual(first);
      expect(told(await test.as('ana', recordMutation, { input: { ...input, cardLast4: '9192' } })).errors).toEqual([
        ['recordClaim', 'CONFLICT', 'input.idempotencyKey'],
      ]);
    });
    expect(again.filter(({ action }) => String(action).startsWith('claim'))).toEqual([]);
    expect(await countOf(test, 'ticket_claim')).toBe(1);
  });

  it('is one of ten on its ticket, and says so', async () => {
    const { test } = stated;
    for (let index = 0; index < 10; index += 1) expect((await stated.record({ cardLast4: `800${index}` })).errors).toEqual([]);
    const events = await eventsOf(test, async () => {
      const input = await stated.input({ cardLast4: canaries.last4 });
      const { errors = [] } = await test.as('ana', recordMutation, { input });
      expect(errors.map(({ message, extensions }) => [extensions.code, message])).toEqual([
        ['CONFLICT', 'A ticket takes 10 claims.'],
      ]);
    });
    expect(events.filter(({ action }) => action !== 'log.time')).toEqual([]);
    expect(await countOf(test, 'ticket_claim')).toBe(10);
    expect(await stated.signals()).toHaveLength(10);
  });

  it('is one of ten on its ticket where many are recorded at once', async () => {
    const { test } = stated;
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => stated.record({ cardLast4: `81${10 + index}` })));
    expect(answers.flatMap(({ errors }) => errors)).toEqual([
      ['recordClaim', 'CONFLICT'],
      ['recordClaim', 'CONFLICT'],
    ]);
    expect([await countOf(test, 'ticket_claim'), (await stated.signals()).length]).toEqual([10, 10]);
  });

  it.each<readonly [string, Readonly<Record<string, unknown>>, string]>([
    ['nothing', {}, 'input'],
    ['a card that is more than its last four', { cardLast4: '19191' }, 'input.cardLast4'],
    ['an amount of nothing', { amount: { minorUnits: 0, currency: 'EUR' } }, 'input.amount.minorUnits'],
    ['a day that is none', { date: '2026-02-30' }, 'input.date'],
    ['a text for a day', { date: `${canaries.order}` }, 'input.date'],
    ['an order of no letter', { orderReference: ' ' }, 'input.orderReference'],
    ['a card number for an order', { orderReference: '4242 4242 4242 4242' }, 'input.orderReference'],
    ['a key that is none', { cardLast4: '9191', idempotencyKey: 'short' }, 'input.idempotencyKey'],
  ])('is refused with %s, says where and stores nothing', async (_, given, argument) => {
    const answer = await stated.test.as('ana', recordMutation, { input: await stated.input(given) });
    expect(told(answer).errors).toEqual([['recordClaim', 'INVALID', argument]]);
    expect(await countOf(stated.test, 'ticket_claim')).toBe(0);
    const text = JSON.stringify(answer) + (await stated.kept());
    expect(canariesIn(text)).toEqual([]);
  });

  it('is for nobody on a ticket that isn’t there for them, or under no assistance, and is denied with one event', async () => {
    const { test } = stated;
    expect((await stated.record({ cardLast4: '4242' }, 'ben')).errors).toEqual([['recordClaim', 'NOT_FOUND']]);
    const input = await stated.input({ cardLast4: '4242', ticketId: 'tkt_absent' });
    expect(told(await test.as('ana', recordMutation, { input })).errors).toEqual([['recordClaim', 'NOT_FOUND']]);
    const denied = async (who: string | { readonly token: string }, reason: string) => {
      const events = await eventsOf(test, async () => {
        expect((await stated.record({ cardLast4: '4242' }, who)).errors).toEqual([['recordClaim', 'DENIED', reason]]);
      });
      const denials = events.filter(({ action }) => action !== 'actor.first-seen');
      expect(denials.map(({ action, detail }) => [action, (detail as { rule: string }).rule])).toEqual([
        ['denial', 'claim.record'],
      ]);
    };
    await denied({ token: await test.token('ana', { mfa: false }) }, 'MFA_REQUIRED');
    await denied('sam', 'NO_ASSISTANCE');
    test.clock.forward(2 * minute);
    await tamper(test.app.database, `UPDATE assistance SET ended_at = ${test.clock.now().getTime()}`);
    await denied('ana', 'NO_ASSISTANCE');
    expect([await countOf(test, 'ticket_claim'), await stated.signals()]).toEqual([0, []]);
  });

  it('is denied of what isn’t shown in clear of a customer who is only matched', async () => {
    const { test } = stated;
    stated.pays('pay-heron', { helpdeskReference: null, email: 'heron@people.example.com' });
    stated.helpdesk.put('ZQREF-2', { customer: helpdeskCustomer('heron') });
    await stated.confirm();
    await stated.open('ana', 'ZQREF-2');
    const events = await eventsOf(test, async () => {
      for (const given of [{ cardLast4: '4242' }, { cardLast4: '4242', orderReference: 'ZQA-1001' }])
        expect((await stated.record(given, 'ana', 'ZQREF-2')).errors).toEqual([['recordClaim', 'DENIED', 'LINK']]);
    });
    expect(events.map(({ action, detail }) => [action, (detail as { reason: string }).reason])).toEqual([['denial', 'LINK']]);
    expect([await stated.signals(), await countOf(test, 'ticket_claim')]).toEqual([[], 0]);
    expect((await stated.record({ orderReference: 'ZQA-1001' }, 'ana', 'ZQREF-2')).errors).toEqual([]);
  });

  it('tells nothing where the payments weren’t confirmed lately', async () => {
    stated.test.clock.forward(20 * minute);
    await stated.test.app.sources.refreshTicket('demo', sampleTicket);
    expect((await stated.record({ orderReference: 'ZQA-1001', cardLast4: canaries.last4 })).errors).toEqual([]);
    expect([await stated.signals(), await countOf(stated.test, 'ticket_claim')]).toEqual([[], 1]);
  });

  it('leaves it to somebody else to say what the alert was', async () => {
    const { test } = stated;
    await stated.record({ orderReference: 'ZQA-1001', cardLast4: canaries.last4 });
    const [alert] = await stated.alerts();
    expect(told(await test.as('ana', resolve, { id: alert?.id })).errors).toEqual([['resolveAlert', 'DENIED', 'OWN_REQUEST']]);
  });
});

describe('what contradicts another payment', () => {
  let stated: Stated;
  beforeEach(async () => {
    stated = await Stated.start();
    await stated.open();
  });
  afterEach(() => stated.stop());

  const against = (order: string) => `I was charged ${canaries.text} EUR for order ${order}.`;
  const named = async () =>
    (await stated.alerts()).map(({ reasons }) => reasons.map(({ transaction }) => transaction?.reference).sort());

  it('is told beside what a claim of the staff contradicted before, which keeps nothing back', async () => {
    await stated.record({ orderReference: 'ZQA-1001', cardLast4: canaries.last4 });
    expect(await named()).toEqual([['pay-quill-one']]);
    await stated.write(against('ZQA-1002'));
    await stated.turn();
    expect(await named()).toEqual([['pay-quill-one', 'pay-quill-two']]);
    await stated.write(against('ZQA-1002'));
    await stated.turn();
    const { test } = stated;
    const counts = await Promise.all(
      ['rule.verdict', 'alert.raise', 'alert.update'].map(async (each) => (await test.events(each)).length),
    );
    expect(counts).toEqual([2, 1, 1]);
    expect(await rowsWithoutEvent(test.app.database)).toEqual(expect.objectContaining({ findings: [] }));
  });

  it('is an alert of its own where the former was said to be false', async () => {
    await stated.write(against('ZQA-1001'));
    await stated.turn();
    const [alert] = await stated.alerts();
    expect(told(await stated.test.as('ana', resolve, { id: alert?.id })).errors).toEqual([]);
    await stated.write(against('ZQA-1002'));
    await stated.turn();
    expect(await named()).toEqual([['pay-quill-two']]);
  });

  it('is told again of the same payment where it is stated again after the former was said to be false, once', async () => {
    await stated.write(against('ZQA-1001'));
    await stated.turn();
    const [alert] = await stated.alerts();
    expect(told(await stated.test.as('ana', resolve, { id: alert?.id })).errors).toEqual([]);
    await stated.write(against('ZQA-1001'));
    await stated.turn();
    expect(await named()).toEqual([['pay-quill-one']]);
    await stated.write(against('ZQA-1001'));
    await stated.turn();
    const { test } = stated;
    const counts = await Promise.all(
      ['rule.verdict', 'alert.raise', 'alert.update'].map(async (each) => (await test.events(each)).length),
    );
    expect(counts).toEqual([2, 2, 0]);
  });
});

describe('a policy that shows something masked', () => {
  let stated: Stated;
  const last4 = '    last4:\n      AGENT: { VERIFIED: reveal, MATCHED: "mask:hidden", NONE: omit }';
  const masked = '    last4:\n      AGENT: { VERIFIED: "mask:hidden", MATCHED: "mask:hidden", NONE: omit }';
  beforeAll(async () => {
    stated = await Stated.start({ policy: policyWith([last4, masked]) });
    await stated.open();
  });
  afterAll(() => stated.stop());

  it('lets nobody find it out by claims', async () => {
    for (let guess = 4_240; guess < 4_245; guess += 1)
      expect(await stated.record({ orderReference: 'ZQA-1001', cardLast4: String(guess) })).toEqual({
        data: null,
        errors: [['recordClaim', 'DENIED', 'ROLE']],
      });
    expect([await countOf(stated.test, 'ticket_claim'), await stated.signals(), await stated.alerts()]).toEqual([0, [], []]);
  });

  it('keeps back that a message of the customer was found to contradict a payment, which would answer a guess', async () => {
    await stated.write('I paid for order ZQA-1001 with my card ending in 9191.');
    expect(await stated.turn()).toBe(1);
    expect([await stated.alerts(), await countOf(stated.test, 'risk_alert')]).toEqual([[], 1]);
  });
});

describe('a claim in a message', () => {
  let stated: Stated;
  beforeEach(async () => {
    stated = await Stated.start();
  });
  afterEach(() => stated.stop());

  const against = `Hello,\nI was charged ${canaries.text} EUR for order ZQA-1001.\nBye`;

  it('that contradicts a payment raises an alert for whoever has the ticket, once', async () => {
    const { test } = stated;
    await stated.write(against);
    expect(await stated.turn()).toBe(1);
    expect(await stated.turn()).toBe(0);
    const ticketId = await ticketIdOf(test, sampleTicket);
    expect(await test.events('claim.read')).toMatchObject([
      {
        actor: { kind: 'system' },
        ticket: ticketId,
        detail: { traits: ['amount', 'order'], ordinal: 1, message: expect.stringMatching(/^msg_/) },
      },
    ]);
    await stated.open();
    expect((await stated.alerts()).map(({ rule, ticket, reasons }) => [rule, ticket.id, reasons[0]?.code])).toEqual([
      ['CLAIM_AGAINST_RECORD', ticketId, 'CLAIM_CONTRADICTED'],
    ]);
    expect(await rowsWithoutEvent(test.app.database)).toEqual(expect.objectContaining({ findings: [] }));
    const kept = await stated.kept();
    expect([...canariesIn(kept), ...(kept.includes('was charged') ? ['charged'] : [])]).toEqual([]);
    // Whoever recorded nothing may say what it was.
    const [alert] = await stated.alerts();
    expect(told(await test.as('ana', resolve, { id: alert?.id })).errors).toEqual([]);
  });

  it('is told of with what came of it', async () => {
    const germanDay = (days: number) => `${stated.at(days).getUTCDate()}.${stated.at(days).getUTCMonth() + 1}.2026`;
    await stated.write(`Am ${germanDay(50)} wurden 7,00 EUR für die Bestellung ZQA-1002 abgebucht, Karte endet auf 0005.`);
    await stated.write(`Am ${germanDay(3)} wurden 512,34 EUR abgebucht.`);
    await stated.write('I paid 7.00 EUR with the card ending in 0005.');
    await stated.turn();
    expect(await stated.outcomes()).toEqual(['contradicted', 'unmatched', 'matched']);
  });

  it.each<readonly [string, string, Partial<MessageRecord>, Partial<TicketRecord>]>([
    ['somebody else who takes part', against, { isByCustomer: false }, {}],
    ['an address of which nobody says that it is theirs', against, { isByCustomer: undefined as never }, {}],
    ['a member of staff', against, { author: { kind: 'STAFF', reference: 'ana' } }, {}],
    ['the helpdesk itself', against, { author: { kind: 'SYSTEM' } }, {}],
    ['the customer in a ticket whose customer staff set', against, {}, { customerSetBy: ['ben'] }],
    ['the customer in a ticket that staff created', against, {}, { createdByStaff: 'ana' }],
    ['whom they answer', `What is this?\n\nOn Monday, Shop <shop@example.com> wrote:\n${against}`, {}, {}],
    ['whom they quote', against.replace(/^/gm, '> '), {}, {}],
    ['the customer long ago', against, { createdAt: new Date('2026-08-25T10:00:00.000Z') }, {}],
    ['the customer, of several', `${against}\nI also paid 12.00 EUR.`, {}, {}],
    ['the customer, of nothing', 'Where is my blender? Order ZQA-1001.', {}, {}],
  ])('is none where it is by %s', async (_, body, over, ticket) => {
    await stated.write(body, over, ticket);
    expect([await stated.turn(), await stated.signals()]).toEqual([0, []]);
    expect(await countOf(stated.test, 'helpdesk_message', 'claim_due_at IS NOT NULL')).toBe(0);
  });

  it('is none of a customer whom staff gave another address, or whom the payment side doesn’t name', async () => {
    const { test } = stated;
    const customer = helpdeskCustomer('quill', { displayName: sampleTexts.name, email: 'agents.own@people.example.com' });
    await stated.write(against, {}, { customer });
    expect([await stated.turn(), await stated.signals()]).toEqual([0, []]);
    stated.pays('pay-heron', { helpdeskReference: null, email: 'heron@people.example.com' });
    await stated.write(against, {}, { customer: helpdeskCustomer('heron') }, 'ZQREF-2');
    expect([await stated.turn(), await stated.signals()]).toEqual([0, []]);
    expect(await countOf(test, 'helpdesk_message', 'claim_due_at IS NOT NULL')).toBe(0);
  });

  it('waits until their payments are known up to the message, for a day at most', async () => {
    const { test } = stated;
    await stated.write(against, { createdAt: new Date(test.clock.now().getTime() + 10 * minute) });
    expect(await stated.turn()).toBe(0);
    expect(await countOf(test, 'helpdesk_message', 'claim_due_at IS NOT NULL')).toBe(1);
    test.clock.forward(11 * minute);
    await stated.confirm();
    expect([await stated.turn(), await stated.outcomes()]).toEqual([1, ['contradicted']]);
    await stated.write(against, { createdAt: new Date(test.clock.now().getTime() + 10 * minute) });
    test.clock.forward(26 * 60 * minute);
    expect(await stated.turn()).toBe(0);
    expect(await countOf(test, 'helpdesk_message', 'claim_due_at IS NOT NULL')).toBe(0);
  });

  it('is one of ten on its ticket', async () => {
    for (let index = 0; index < 12; index += 1) await stated.write(`I was charged ${index + 1_000}.99 EUR for order ZQA-1001.`);
    expect([await stated.turn(), (await stated.signals()).length]).toEqual([10, 10]);
    expect(await countOf(stated.test, 'helpdesk_message', 'claim_due_at IS NOT NULL')).toBe(0);
  });

  it('is none any more once its message was edited, its ticket went to somebody else, or staff had a hand in whose it is', async () => {
    const { test, helpdesk } = stated;
    const isDue = () => countOf(test, 'helpdesk_message', 'claim_due_at IS NOT NULL');
    const said = (over: Partial<MessageRecord> = {}): MessageRecord => ({
      reference: 'w1',
      author: { kind: 'CUSTOMER', displayName: sampleTexts.name },
      isByCustomer: true,
      channel: 'EMAIL',
      body: against,
      createdAt: stated.at(0),
      ...over,
    });
    await stated.write(against);
    expect(await isDue()).toBe(1);
    helpdesk.put(sampleTicket, {}, [said({ body: against.replace('1001', '1002') })]);
    await stated.confirm();
    expect([await isDue(), await stated.turn()]).toEqual([0, 0]);
    helpdesk.put(sampleTicket, {}, [said(), said({ reference: 'w2' })]);
    await stated.confirm();
    expect(await isDue()).toBe(1);
    helpdesk.put(sampleTicket, { customer: helpdeskCustomer('heron') }, [said({ isByCustomer: false })]);
    await stated.confirm();
    expect([await isDue(), await stated.turn()]).toEqual([0, 0]);
    const customer = helpdeskCustomer('quill', { email: sampleTexts.email });
    helpdesk.put(sampleTicket, { customer }, [said({ reference: 'w3' })]);
    await stated.confirm();
    expect(await isDue()).toBe(1);
    await tamper(test.app.database, `UPDATE helpdesk_ticket SET customer_set_by_ids = '["stf_1"]'`);
    expect([await stated.turn(), await isDue(), await stated.signals()]).toEqual([0, 0, []]);
  });

  it('says nothing of a hostile text in what is kept or told', async () => {
    const hostile = `${'9 '.repeat(1_500)} paid <script>ZQcanary</script> ${canaries.text} EUR {{order}} ZQA-1001 \u202e`;
    await stated.write(hostile);
    await stated.turn();
    expect(await stated.kept()).not.toContain('ZQcanary');
  });
});

it('is read out of nobody’s messages where no rule reads it', async () => {
  const stated = await Stated.start({ mode: 'OFF' });
  const { recurring } = (Reflect.get(stated.test.app, 'parts') as { risk: { recurring: readonly unknown[] } }).risk;
  const other = await Stated.start({ mode: 'SHADOW' });
  const { recurring: withIt } = (Reflect.get(other.test.app, 'parts') as { risk: { recurring: readonly unknown[] } }).risk;
  expect(withIt.length - recurring.length).toBe(1);
  await stated.stop();
  await other.stop();
});
