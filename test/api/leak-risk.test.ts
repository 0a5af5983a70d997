import type { CanaryCustomer } from '../support/canaries';
import { DoorCanaries } from '../support/door-canaries';
import { tellLeak } from '../support/leak-check';
import { RiskCanaries } from '../support/risk-canaries';

describe('alerts, brakes, holds, decisions and messages about a merchant whose every value is a canary', () => {
  let risk: RiskCanaries;
  beforeAll(async () => {
    risk = await RiskCanaries.start();
  });
  afterAll(() => risk.stop());

  it('tell nobody, not by a count, of alerts on tickets that aren’t theirs', async () => {
    const { tickets } = risk.canaries.merchant;
    const query = '{ alerts(first: 20) { totalCount pageInfo { endCursor hasNextPage } edges { cursor node { id } } } }';
    const asked = async () =>
      Promise.all(
        ['ben', 'pia', 'pru', 'pip', 'ada', 'oz'].map(async (user) => (await risk.canaries.send(user, true, query)).body),
      );
    const before = await asked();
    await risk.tell([tickets.own.customer as CanaryCustomer, tickets.matched.customer as CanaryCustomer]);
    expect(risk.alertIds.length).toBeGreaterThan(1);
    expect(await asked()).toEqual(before);
  });

  it('show nothing that the policy withholds, to whoever asks, listens, is told or reads what is written', async () => {
    const { merchant } = risk.canaries;
    await risk.listen(['ana', 'ben', 'sam', 'pia', 'ada', 'oz']);
    await risk.report('ana', merchant.tickets.own);
    await risk.hold('ana', merchant.tickets.own);
    await risk.brake('ben');
    await risk.tell(Object.values(merchant.customers));
    await risk.heard('ana', 3);
    const leaks = await risk.ask();
    expect(leaks.map(tellLeak)).toEqual([]);
  });

  it('show nothing more to those who opened every ticket that they can', async () => {
    const opened = await risk.canaries.openEverything({ users: ['ana', 'ben', 'sam'] });
    const leaks = await risk.ask({ users: ['ana', 'ben', 'sam'] });
    expect([...opened, ...leaks].map(tellLeak)).toEqual([]);
  });

  it('have shown enough of what they may for their silence on the rest to mean something', () => {
    expect(risk.messages).toBeGreaterThan(10);
    for (const part of [
      'a place in an alert',
      'that there is an alert',
      'what was reported',
      'proposalReason of a brake',
      'why something waits',
    ])
      expect([part, risk.shown(part).length > 0]).toEqual([part, true]);
  });

  it.each([
    [
      'an amount that is none',
      { type: 'payment.attempt.declined', facts: { amount: { minorUnits: 'kq7z9901', currency: 'EUR' } } },
    ],
    ['a place that is none', { type: 'payment.attempt.declined', facts: { country: 'kq7z9902' } }],
    ['a domain that is an address', { type: 'payment.attempt.declined', subjects: { emailDomain: 'ana@kq7z9903.example' } }],
    ['a type of staff', { type: 'staff.kq7z9904' }],
    ['an instant to come', { type: 'ticket.contact', occurredAt: '2031-01-01T00:00:00Z', subjects: { customer: 'kq7z9905' } }],
  ])('a sender is told what is wrong with %s, not what it was', async (_, given) => {
    const occurredAt = risk.canaries.app.clock.now().toISOString();
    const { status, body } = await risk.post([{ id: 'kq7z9900', occurredAt, subjects: {}, facts: {}, ...given }]);
    expect(status).toBe(400);
    expect(body).not.toMatch(/kq7z99/);
    expect(risk.canaries.app.logLines.join('')).not.toMatch(/kq7z99/);
    const unproven = await risk.post([{ id: 'kq7z9900', occurredAt, ...given }], Buffer.alloc(32, 'somebody else'));
    expect([unproven.status, /kq7z99/.test(unproven.body)]).toEqual([401, false]);
  });
});

describe('what customers are asked, what is stated of payments, step-ups and browser sessions', () => {
  let doors: DoorCanaries;
  beforeAll(async () => {
    doors = await DoorCanaries.start();
  });
  afterAll(() => doors.stop());

  it('a question about a payment shows it on its customer’s page alone', async () => {
    const secrets = await doors.recognition();
    expect(await doors.leaks(secrets)).toEqual([]);
    for (const what of ['order of a question', 'amount of a question', 'card of a question'])
      expect([what, await doors.stands(secrets, what, 'page')]).toEqual([what, true]);
    expect(doors.messageTypes).toContain('counterfoil.recognition.answered');
    const [asked] = await doors.test.app.database.query('SELECT state FROM recognition');
    expect(asked).toEqual({ state: 'DISOWNED' });
  });

  it('a claim that is recorded, or read in a message, stands nowhere but sealed', async () => {
    const secrets = [...(await doors.recordedClaim()), ...(await doors.claimInMessage())];
    expect(await doors.leaks(secrets)).toEqual([]);
    const claims = await doors.test.app.database.query<{ origin: string }>('SELECT origin FROM ticket_claim ORDER BY origin');
    expect(claims.map(({ origin }) => origin)).toEqual(['MESSAGE', 'STAFF', 'STAFF']);
    expect(doors.messageTypes).toContain('counterfoil.alert.raised');
    expect(doors.heard).toBeGreaterThan(0);
    for (const code of ['INVALID', 'CONFLICT', 'NOT_FOUND']) expect(doors.codes).toContain(code);
  });

  it('an invitation by a rule names nobody of the staff, and no card by mail', async () => {
    const secrets = await doors.invitation();
    expect(await doors.leaks(secrets)).toEqual([]);
    expect(await doors.stands(secrets, 'card of whoever is invited', 'invitation page')).toBe(true);
  });

  it('what a step-up is proven by stands nowhere but as a digest', async () => {
    expect(await doors.leaks(await doors.stepUp())).toEqual([]);
    expect(doors.messageTypes).toContain('counterfoil.demand.ended');
  });

  it('cookies, codes and verifiers of frames stand nowhere', async () => {
    const secrets = await doors.frameSession();
    expect(secrets.map(({ what }) => what)).toContain('cookie of a frame');
    expect(await doors.leaks(secrets)).toEqual([]);
  });

  it('cookies and tokens of browser sessions stand nowhere', async () => {
    expect(await doors.leaks(await doors.browserSession())).toEqual([]);
    const ends = (await doors.test.events('browser-session.end')).map(({ detail }) => detail);
    expect(ends).toEqual([{ why: 'provider' }]);
    expect((await doors.test.events('sign-in.refuse')).length).toBe(3);
  });
});
