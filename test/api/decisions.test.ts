import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { countOf, eventsOf, policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { type Payer, Pipeline } from '../support/decisions';
import { OtherIssuer } from '../support/other-issuer';

const minute = 60_000;
const hour = 60 * minute;

let test: TestApp;
let issuer: OtherIssuer;
let pipeline: Pipeline;
let payers: readonly Payer[];
const start = async (...policy: (readonly [string, string])[]) => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({ policy: policyWith(...policy), config: { issuers: [issuer.configuration] } });
  pipeline = new Pipeline(test);
  payers = await pipeline.payers(20);
};
const payer = (index: number) => payers[index] as Payer;

describe('a decision', () => {
  beforeAll(() => start());
  afterAll(async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.stop();
  });

  it('about somebody of whom nothing is known is CLEAR, and no event', async () => {
    const events = await eventsOf(test, async () => {
      const { verdict, stepUp, demandId, route, validUntil } = await pipeline.decide({ customer: payer(0).reference });
      expect({ verdict, stepUp, demandId, route }).toEqual({ verdict: 'CLEAR', stepUp: null, demandId: null, route: null });
      expect(new Date(validUntil).getTime()).toBe(test.clock.now().getTime() + minute);
    });
    expect(events.filter(({ action }) => action !== 'actor.first-seen')).toEqual([]);
  });

  it('names the demand that a rule opened, which is its service’s from then on, and is an event that names what it rests on', async () => {
    const { reference, customerId, id } = payer(1);
    const demand = await pipeline.open(customerId);
    const events = await eventsOf(test, async () => {
      expect(await pipeline.decide({ customer: reference })).toMatchObject({
        verdict: 'STEP_UP',
        stepUp: 'CHALLENGE',
        demandId: demand,
        route: null,
      });
    });
    expect(events.map(({ action, detail }) => [action, detail])).toEqual(
      expect.arrayContaining([
        ['demand.present', expect.objectContaining({ payer: id, source: 'demo-pay', stage: 'CHECKOUT' })],
        ['decision.make', expect.objectContaining({ verdict: 'STEP_UP', stage: 'CHECKOUT', demand, restsOn: [demand] })],
      ]),
    );
    expect(events).toHaveLength(2);
    const [row] = await test.app.database.query<{ state: string }>('SELECT state FROM step_up_demand WHERE id = ?', [demand]);
    expect(row?.state).toBe('PRESENTED');
  });

  it.each<[string, Record<string, unknown>, 'CHECKOUT' | 'RENEWAL' | 'CAPTURE' | 'FULFIL']>([
    ['off session', { isOffSession: true }, 'CHECKOUT'],
    ['with a wallet', { isWallet: true }, 'CHECKOUT'],
    ['when it renews', {}, 'RENEWAL'],
    ['when it is captured', {}, 'CAPTURE'],
    ['when it is delivered', {}, 'FULFIL'],
  ])('about a demand is REVIEW with a route %s: nobody is there to be challenged', async (_, given, stage) => {
    const { reference, customerId } = payer(2);
    const demand = await pipeline.open(customerId);
    expect(await pipeline.decide({ customer: reference, ...given }, stage)).toMatchObject({
      verdict: 'REVIEW',
      stepUp: null,
      demandId: null,
      route: 'review',
    });
    // Nobody was told of it.
    expect(await countOf(test, 'step_up_demand', "id = ? AND state = 'OPEN'", demand)).toBe(1);
  });

  it('finds who is meant by address and by payment method too, and can’t have a stranger meet their demand', async () => {
    const { reference, customerId } = payer(3);
    await pipeline.open(customerId);
    const record = await test.payments.fetchCustomer(reference, new Date(0));
    const { email } = record?.customer ?? {};
    const card = record?.methods[0]?.reference;
    expect(await pipeline.decide({ email: ` ${email?.toUpperCase()} ` })).toMatchObject({ verdict: 'STEP_UP' });
    expect(await pipeline.decide({ card })).toMatchObject({ verdict: 'STEP_UP' });
    // Somebody else pays with that card.
    expect(await pipeline.decide({ card, customer: payer(4).reference })).toMatchObject({ verdict: 'REVIEW', demandId: null });
  });

  it('finds a payment by the provider’s reference', async () => {
    const { reference, customerId } = payer(5);
    await pipeline.open(customerId);
    const record = await test.payments.fetchCustomer(reference, new Date(0));
    const payment = record?.transactions[0]?.reference;
    expect(await pipeline.decide({ payment }, 'CAPTURE')).toMatchObject({ verdict: 'REVIEW' });
  });

  it('under the same key is the same, whatever happened since; with another body a CONFLICT', async () => {
    const { reference, customerId } = payer(6);
    const input = pipeline.input({ customer: reference });
    const first = await pipeline.answer(input);
    expect(first.decision.verdict).toBe('CLEAR');
    await pipeline.open(customerId);
    expect(await pipeline.answer(input)).toEqual(first);
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('STEP_UP');
    expect(await pipeline.answer({ ...input, amount: { minorUnits: 1, currency: 'EUR' } })).toEqual({
      decision: null,
      errors: [['paymentDecision', 'CONFLICT', 'input.idempotencyKey']],
    });
    const other = await issuer.token('shop', { roles: ['SERVICE'], teams: [] }, test.clock.now());
    // Each service has its own keys.
    expect((await pipeline.as({ token: other }).answer(input)).decision.verdict).toBe('STEP_UP');
  });

  it('is one for all who ask at once under one key, with one demand', async () => {
    const { reference, customerId } = payer(7);
    await pipeline.open(customerId);
    const input = pipeline.input({ customer: reference });
    const before = await countOf(test, 'payment_decision');
    const answers = await Promise.all(Array.from({ length: 8 }, () => pipeline.answer(input)));
    expect(new Set(answers.map(({ decision }) => JSON.stringify(decision))).size).toBe(1);
    expect((await countOf(test, 'payment_decision')) - before).toBe(1);
    const others = await Promise.all(Array.from({ length: 8 }, () => pipeline.decide({ customer: reference })));
    expect(new Set(others.map(({ demandId }) => demandId)).size).toBe(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nothing that it is about', {}, 'input'],
    ['an order alone, by which nobody is found', { order: 'A-1001' }, 'input'],
    ['a device and a network address alone', { device: 'dev_1', ip: '192.0.2.1' }, 'input'],
    ['a key that is too short', { customer: 'cus_1', idempotencyKey: 'short' }, 'input.idempotencyKey'],
    ['an address that is none', { email: 'nobody' }, 'input.email'],
    ['a network address that is none', { ip: '300.1.1.1' }, 'input.ip'],
    ['less than no money', { customer: 'cus_1', amount: { minorUnits: -1, currency: 'EUR' } }, 'input.amount.minorUnits'],
    ['no currency', { customer: 'cus_1', amount: { minorUnits: 1, currency: 'euro' } }, 'input.amount.currency'],
    ['a customer without a name', { customer: '' }, 'input.customer'],
    ['a card’s number', { card: '4242 4242 4242 4242' }, 'input.card'],
  ])('about %s is INVALID', async (_, given, argument) => {
    const before = await countOf(test, 'payment_decision');
    expect((await pipeline.answer(pipeline.input(given))).errors).toEqual([['paymentDecision', 'INVALID', argument]]);
    expect(await countOf(test, 'payment_decision')).toBe(before);
  });

  it('about a source that isn’t there is INVALID', async () => {
    const { errors } = await pipeline.answer({ ...pipeline.input({ customer: 'cus_1' }), source: 'elsewhere' });
    expect(errors.map(([, code]) => code)).toEqual(['INVALID']);
  });

  it.each(['ana', 'sam', 'pia', 'ada', 'pru', 'oz'])('is none for %s: only for a service', async (who) => {
    const input = pipeline.input({ customer: payer(1).reference });
    const events = await eventsOf(test, async () => {
      const { errors } = await pipeline.as(who).answer(input);
      expect(errors.map(([, ...rest]) => rest)).toEqual([['DENIED', 'ROLE']]);
    });
    expect(events.filter(({ action }) => action !== 'actor.first-seen').map(({ action }) => action)).toEqual(['denial']);
  });

  it('keeps nothing in clear of whom it was asked about, nor writes it to the log', async () => {
    const canaries = {
      email: 'canary.person@example.net',
      device: 'canary-device-7f',
      ip: '203.0.113.77',
      customer: 'cus_canary_77',
    };
    test.logLines.length = 0;
    await pipeline.open('pcu_nobody').catch(() => {});
    await pipeline.decide(canaries);
    const tables = ['payment_decision', 'decision_budget', 'step_up_demand', 'audit_event'];
    const stored = await Promise.all(tables.map((name) => test.app.database.query(`SELECT * FROM ${name}`)));
    const all = JSON.stringify([stored, test.logLines, (await test.events()).slice(-20)]);
    for (const canary of Object.values(canaries)) expect(all).not.toContain(canary);
  });

  it('says of what is CLEAR how often, about once a minute, and removes its rows within a day', async () => {
    await pipeline.decide({ customer: payer(9).reference });
    const rows = await countOf(test, 'payment_decision');
    expect(rows).toBeGreaterThan(0);
    test.clock.forward(25 * hour);
    await test.app.services.decisions.removeOld();
    expect([await countOf(test, 'payment_decision'), await countOf(test, 'decision_budget')]).toEqual([0, 0]);
    expect((await test.events('decision.remove')).at(-1)?.detail).toMatchObject({ answers: expect.any(Number) });
    await test.app.services.decisions.close();
    expect((await test.events('decision.count')).map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ CHECKOUT: expect.any(Number) }),
    ]);
  });
});

describe('whoever has a service’s token', () => {
  beforeEach(() => start(['perSubjectPerHour: 30', 'perSubjectPerHour: 3'], ['subjectsPerMinute: 600', 'subjectsPerMinute: 5']));
  afterEach(() => test.stop());
  const asked = async (given: Record<string, unknown>) => {
    const { decision, errors } = await pipeline.answer(pipeline.input(given));
    return decision?.verdict ?? errors.map(([, ...rest]) => rest.join(' ')).join();
  };

  it('asks about one subject so often an hour and no more, under whichever other name beside it; the denial is an event', async () => {
    const { reference } = payer(0);
    for (const _ of [1, 2, 3]) expect(await asked({ customer: reference })).toBe('CLEAR');
    const events = await eventsOf(test, async () => expect(await asked({ customer: reference })).toBe('DENIED QUOTA'));
    expect(events.map(({ action, detail }) => [action, detail])).toEqual([
      ['denial', expect.objectContaining({ rule: 'decision.make', reason: 'QUOTA' })],
    ]);
    expect(await asked({ customer: reference, card: 'pm_another' })).toBe('DENIED QUOTA');
    // What was refused counts for nobody.
    expect(await asked({ card: 'pm_another' })).toBe('CLEAR');
    test.clock.forward(hour);
    expect(await asked({ customer: reference })).toBe('CLEAR');
  });

  it('asks about so many new subjects a minute, and isn’t told whether there is one of that name', async () => {
    await pipeline.open(payer(1).customerId);
    const found: string[] = [];
    for (const index of [0, 1, 2]) found.push(await asked({ customer: payer(index).reference }));
    for (const name of ['cus_nobody_1', 'cus_nobody_2', 'cus_nobody_3']) found.push(await asked({ customer: name }));
    expect(found).toEqual(['CLEAR', 'STEP_UP', 'CLEAR', 'CLEAR', 'CLEAR', 'DENIED QUOTA']);
    // Those that it asked about before it may ask about again.
    expect(await asked({ customer: payer(2).reference })).toBe('CLEAR');
    test.clock.forward(minute);
    expect(await asked({ customer: 'cus_nobody_3' })).toBe('CLEAR');
  });

  it('is not helped by asking for all at once', async () => {
    const { reference } = payer(3);
    const answers = await Promise.all(Array.from({ length: 12 }, () => asked({ customer: reference })));
    expect(answers.filter((each) => each === 'CLEAR')).toHaveLength(3);
    expect(answers.filter((each) => each === 'DENIED QUOTA')).toHaveLength(9);
  });

  it('asks the database the same whether somebody is there or not', async () => {
    const statements = async (customer: string) => {
      test.statements.length = 0;
      await asked({ customer });
      return [...test.statements].map((text) => text.replace(/\(\?(?:,\s?\?)*\)/g, '(?)'));
    };
    await statements('cus_warm_up');
    const [absent, present] = [await statements('cus_nobody_9'), await statements(payer(4).reference)];
    expect(present).toEqual(absent);
    expect(present.length).toBeGreaterThan(2);
  });

  it('counts apart from other services', async () => {
    const token = await issuer.token('shop', { roles: ['SERVICE'], teams: [] }, test.clock.now());
    const { reference } = payer(5);
    for (const _ of [1, 2, 3]) await asked({ customer: reference });
    expect(await asked({ customer: reference })).toBe('DENIED QUOTA');
    expect((await pipeline.as({ token }).decide({ customer: reference })).verdict).toBe('CLEAR');
  });

  it('is told nothing more once a brake is on it', async () => {
    const { data } = await test.as('pip', '{ viewer { id } }');
    await test.app.database.system('worker', 'brake.place', (change) =>
      test.app.services.brakes.place(change, {
        stops: { actorId: data.viewer.id, staffIds: [] },
        teams: [],
        level: 'READS',
        rule: 'agent-breadth',
        ruleVersion: 1,
        signals: [],
      }),
    );
    expect(await asked({ customer: payer(6).reference })).toBe('DENIED BRAKE');
    expect(await countOf(test, 'payment_decision')).toBe(0);
  });
});

describe('a stored decision', () => {
  beforeAll(() => start());
  afterAll(() => test.stop());

  it('that was made CLEAR by hand is found', async () => {
    await pipeline.open(payer(0).customerId);
    const { id } = await pipeline.decide({ customer: payer(0).reference }, 'RENEWAL');
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await tamper(test.app.database, `UPDATE payment_decision SET verdict = 'CLEAR', route = NULL WHERE id = '${id}'`);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([
      `1 decisions about payments that their events say otherwise of: ${id} (verdict, route)`,
    ]);
  });
});
