import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import { customerOf, raised, raiseOn } from '../support/alerts';
import { countOf, eventsOf, policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { approveMutation, because, extendMutation, HeldPayments, hour, placeMutation, releaseMutation } from '../support/holds';
import { OtherIssuer } from '../support/other-issuer';

const minute = 60_000;
const own = demoTickets.own.reference;

/** What was done, beside being shown something and seen for the first time. */
const actionsOf = (events: readonly Record<string, unknown>[]): unknown[] =>
  events
    .map(({ action }) => action)
    .filter((action) => !['disclosure', 'plan.register', 'actor.first-seen'].includes(String(action)));

let test: TestApp;
let held: HeldPayments;
let issuer: OtherIssuer;
beforeEach(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  held = new HeldPayments(test);
});
afterEach(async () => {
  expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  await test.stop();
});

describe('a hold of an agent', () => {
  it('is placed on their own ticket, says what it does and who keeps to it, and is on record', async () => {
    await held.open('ana', own);
    const events = await eventsOf(test, async () => {
      const { data, errors } = await held.place('ana', own, { effects: ['HOLD_ORDER', 'REVIEW'] });
      expect(errors).toEqual([]);
      expect(data.placeHold).toMatchObject({
        state: 'PLACING',
        cause: 'AGENT',
        reason: because,
        subject: { kind: 'CUSTOMER', customers: null, customer: { id: await customerOf(test, own) }, transaction: null },
        owner: { displayName: expect.any(String) },
        ticket: { id: await ticketIdOf(test, own) },
        history: [{ from: null, to: 'PLACING', reason: null, by: { displayName: expect.any(String) } }],
      });
    });
    expect(actionsOf(events)).toEqual(['hold.place']);
    const [placed] = events.filter(({ action }) => action === 'hold.place');
    expect(placed).toMatchObject({
      ticket: await ticketIdOf(test, own),
      detail: {
        cause: 'AGENT',
        effects: ['REVIEW', 'HOLD_ORDER'],
        restsOn: [expect.stringMatching(/^tkt_/), expect.stringMatching(/^ast_/)],
      },
    });
    expect(JSON.stringify(placed)).not.toContain(because);
    expect(JSON.stringify(await test.app.database.query('SELECT * FROM payment_hold'))).not.toContain(because);
  });

  it('is the same one for the same key, and a conflict for another request', async () => {
    await held.open('ana', own);
    const input = await held.input(own);
    const first = told(await test.as('ana', placeMutation, { input }));
    expect(told(await test.as('ana', placeMutation, { input })).data.placeHold.id).toBe(first.data.placeHold.id);
    const other = told(await test.as('ana', placeMutation, { input: { ...input, effects: ['BLOCK_NEW'] } }));
    expect(other.errors).toEqual([['placeHold', 'CONFLICT', 'input.idempotencyKey']]);
    expect(await countOf(test, 'payment_hold')).toBe(1);
    // Whatever became of it.
    await test.as('ana', releaseMutation, { id: first.data.placeHold.id });
    await held.drain();
    expect(told(await test.as('ana', placeMutation, { input })).data.placeHold).toMatchObject({
      id: first.data.placeHold.id,
      state: 'RELEASED',
    });
  });

  it('is denied without an assistance, on others’ tickets and without a second factor, with one denial each', async () => {
    const events = await eventsOf(test, async () => {
      expect((await held.place('ana', own)).errors).toEqual([['placeHold', 'DENIED', 'NO_ASSISTANCE']]);
    });
    expect(actionsOf(events)).toEqual(['denial']);
    await held.open('ana', own);
    expect((await held.place('ben', own)).errors).toEqual([['placeHold', 'NOT_FOUND']]);
    const token = await test.token('ana', { mfa: false });
    expect((await held.place({ token }, own)).errors).toEqual([['placeHold', 'DENIED', 'MFA_REQUIRED']]);
    expect((await held.place('ana', demoTickets.selfMade.reference)).errors).toEqual([['placeHold', 'DENIED', 'NO_ASSISTANCE']]);
    expect(await countOf(test, 'payment_hold')).toBe(0);
    for (const who of ['pia', 'ada', 'oz', 'pip', 'pru'])
      expect((await held.place(who, own)).errors).toEqual([['', 'DENIED', 'ROLE']]);
  });

  it('that was asked for on a team’s ticket that is another agent’s is denied', async () => {
    await held.open('ana', own);
    const carl = await issuer.token('carl', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now());
    const { errors } = await held.place({ token: carl }, own);
    expect(errors.map(([, code]) => code)).toEqual(['DENIED']);
  });

  it('stands two hours at most, and names the latest end', async () => {
    await held.open('ana', own);
    const answer = await test.as('ana', placeMutation, { input: await held.input(own, { until: held.in(2 * hour + 1) }) });
    expect(told(answer).errors).toEqual([['placeHold', 'INVALID', 'input.until']]);
    expect(answer.errors?.[0]?.message).toContain(held.in(2 * hour));
    expect((await held.place('ana', own, { until: held.in(2 * hour) })).errors).toEqual([]);
    expect((await held.place('ana', own, { until: held.in(0) })).errors).toEqual([['placeHold', 'INVALID', 'input.until']]);
  });

  it('are five at once for a person, under whichever subject, and a sixth once one is gone', async () => {
    await held.open('ana', own);
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push(await held.placed('ana', own));
    const other = await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now());
    await held.open({ token: other }, own);
    ids.push(await held.placed({ token: other }, own));
    const events = await eventsOf(test, async () => {
      expect((await held.place('ana', own)).errors).toEqual([['placeHold', 'DENIED', 'QUOTA']]);
    });
    expect(actionsOf(events)).toEqual(['denial']);
    expect((await held.place({ token: other }, own)).errors).toEqual([['placeHold', 'DENIED', 'QUOTA']]);
    expect(told(await test.as('ana', releaseMutation, { id: ids[0] })).errors).toEqual([]);
    expect((await held.place('ana', own)).errors).toEqual([]);
  });

  it('are never more than five where many are asked for at once', async () => {
    await held.open('ana', own);
    const answers = await Promise.all(Array.from({ length: 9 }, () => held.place('ana', own)));
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(5);
    expect(await countOf(test, 'payment_hold')).toBe(5);
  });

  it.each([
    ['a short reason', { reason: 'short' }, 'input.reason'],
    ['a card number', { reason: 'They read out 4242 4242 4242 4242' }, 'input.reason'],
    ['no effect', { effects: [] }, 'input.effects'],
    ['a key of three letters', { idempotencyKey: 'abc' }, 'input.idempotencyKey'],
    ['a capture of no payment', { effects: ['DEFER_CAPTURE'] }, 'input.transactionId'],
  ])('is not placed with %s', async (_, given, argument) => {
    await held.open('ana', own);
    expect((await held.place('ana', own, given)).errors).toEqual([['placeHold', 'INVALID', argument]]);
    expect(await countOf(test, 'payment_hold')).toBe(0);
  });

  it('of a group is a supervisor’s', async () => {
    await held.open('ana', own);
    const customerIds = [await customerOf(test, demoTickets.matched.reference)];
    expect((await held.place('ana', own, { customerIds })).errors).toEqual([['placeHold', 'DENIED', 'ROLE']]);
  });

  it('of another customer’s payment is NOT_FOUND, as of one that isn’t there', async () => {
    await held.open('ana', own);
    const theirs = await held.authorized(demoTickets.pastedCard.customer ?? 0);
    for (const transactionId of [theirs.id, 'txn_absent'])
      expect((await held.place('ana', own, { transactionId })).errors).toEqual([['placeHold', 'NOT_FOUND']]);
  });

  it('ends with the assistance that it would go by', async () => {
    await held.open('ana', own);
    await tamper(test.app.database, 'UPDATE assistance SET expires_at = ?', [test.clock.now().getTime()]);
    expect((await held.place('ana', own)).errors).toEqual([['placeHold', 'DENIED', 'NO_ASSISTANCE']]);
    await tamper(test.app.database, 'DELETE FROM assistance');
    await tamper(test.app.database, "DELETE FROM audit_event WHERE action = 'assistance.begin'");
  });
});

describe('a hold on a payment', () => {
  it('says what is at risk, and until when it can wait: twelve hours before the authorization ends', async () => {
    await held.open('ana', own);
    const payment = await held.authorized(demoTickets.own.customer ?? 0);
    const { data } = await held.place('ana', own, { transactionId: payment.id, effects: ['DEFER_CAPTURE'] });
    expect(data.placeHold).toMatchObject({
      subject: { kind: 'TRANSACTION', transaction: { id: payment.id } },
      moneyAtRisk: { minorUnits: 4_200 },
    });
    await held.drain();
    const shown = await held.shown('ana', data.placeHold.id);
    expect(shown.effects).toEqual([
      {
        kind: 'DEFER_CAPTURE',
        state: 'APPLIED',
        enforcedBy: 'PIPELINE',
        reversible: true,
        deadline: expect.any(String),
      },
    ]);
    // Seven days after it was authorized it can't be captured any more.
    test.clock.forward(7 * 24 * hour - 13 * hour);
    await held.open('ana', own);
    const late = await test.as('ana', placeMutation, {
      input: await held.input(own, { transactionId: payment.id, until: held.in(hour + 1) }),
    });
    expect(told(late).errors).toEqual([['placeHold', 'INVALID', 'input.until']]);
    expect(late.errors?.[0]?.message).toContain(held.in(hour));
    expect((await held.place('ana', own, { transactionId: payment.id, until: held.in(hour) })).errors).toEqual([]);
  });
});

describe('who sees a hold', () => {
  it('is who assists its customer, the team’s supervisor by its state, and who oversees, without what it is about', async () => {
    await held.open('ana', own);
    const id = await held.placed('ana', own);
    expect((await held.shown('ana', id)).cause).toBe('AGENT');
    for (const who of ['sam', 'pia', 'ada', 'oz'])
      expect(await held.shown(who, id)).toMatchObject({
        id,
        state: 'PLACING',
        reason: null,
        cause: null,
        effects: null,
        moneyAtRisk: null,
        subject: { kind: 'CUSTOMER', customer: null },
      });
    expect(await held.ids('ben')).toEqual([]);
    const token = await test.token('ana', { mfa: false });
    expect(told(await test.as({ token }, '{ holds { nodes { id } } }')).errors).toEqual([['holds', 'DENIED', 'MFA_REQUIRED']]);
    for (const who of ['pip', 'pru'])
      expect(told(await test.as(who, '{ holds { nodes { id } } }')).errors[0]?.[1]).toBe('DENIED');
  });

  it('is nobody whose assistance is over', async () => {
    await held.open('ana', own);
    const id = await held.placed('ana', own, { until: held.in(2 * hour) });
    await test.as(
      'ana',
      `mutation { endAssistance(id: "${(await test.app.database.query<{ id: string }>('SELECT id FROM assistance'))[0]?.id}") { id } }`,
    );
    expect(await held.ids('ana')).toEqual([]);
    for (const [mutation, variables] of [
      [releaseMutation, { id }],
      [releaseMutation, { id: 'hld_absent' }],
    ] as const)
      expect(told(await test.as('ana', mutation, variables)).errors).toEqual([['releaseHold', 'NOT_FOUND']]);
  });

  it.each(['reachable', 'page'] as const)(
    'is shown it with its effects as both were at one moment, whatever becomes of it while it is read (%s)',
    async (read) => {
      await held.open('ana', own);
      const { holds } = test.app.services;
      const id = read === 'reachable' ? null : await held.placed('ana', own, { effects: ['HOLD_ORDER', 'REVIEW'] });
      const real = holds[read].bind(holds) as (...given: unknown[]) => Promise<unknown>;
      // The worker is done with it just when the row was read.
      const reading = jest.spyOn(holds, read).mockImplementation((async (...given: unknown[]) => {
        const rows = await real(...given);
        await held.drain();
        return rows;
      }) as never);
      try {
        const shown =
          id === null
            ? (await held.place('ana', own, { effects: ['HOLD_ORDER', 'REVIEW'] })).data.placeHold
            : await held.shown('ana', id);
        expect([shown.state, ...shown.effects.map(({ state }: { state: string }) => state)]).toEqual([
          'PLACING',
          'PENDING',
          'PENDING',
        ]);
      } finally {
        reading.mockRestore();
      }
      expect(await held.stored(id ?? (await held.ids('ana'))[0] ?? '')).toBe(
        'ACTIVE, HOLD_ORDER APPLIED PIPELINE, REVIEW APPLIED PROVIDER',
      );
    },
  );

  it('finds it by state, as it is at that moment, and by ticket', async () => {
    await held.open('ana', own);
    const id = await held.placed('ana', own);
    expect(await held.ids('ana', { state: ['PLACING'], ticketId: await ticketIdOf(test, own) })).toEqual([id]);
    expect(await held.ids('ana', { ticketId: 'tkt_absent' })).toEqual([]);
    test.clock.forward(hour);
    expect(await held.ids('ana', { state: ['PLACING'] })).toEqual([]);
    expect(await held.ids('ana', { state: ['RELEASING'] })).toEqual([id]);
    expect((await held.shown('ana', id)).state).toBe('RELEASING');
  });

  it('finds it with an alert on the ticket', async () => {
    await held.open('ana', own);
    const id = await held.byRule(own);
    raised(await raiseOn(test, own));
    const { data } = await test.as('ana', '{ alerts { nodes { holds { id cause state } } } }');
    expect(data.alerts.nodes).toEqual([{ holds: [{ id, cause: 'RULE', state: 'PLACING' }] }]);
  });
});

describe('a hold is released', () => {
  it('by who has the ticket, once, and with one event', async () => {
    await held.open('ana', own);
    const id = await held.placed('ana', own);
    await held.drain();
    expect((await held.shown('ana', id)).state).toBe('ACTIVE');
    const events = await eventsOf(test, async () => {
      expect(told(await test.as('ana', releaseMutation, { id })).errors).toEqual([]);
    });
    expect(actionsOf(events)).toContain('hold.release');
    await held.drain();
    expect(await held.stored(id)).toBe('RELEASED, REVIEW REVERSED PROVIDER');
    const again = await eventsOf(test, async () => {
      expect(told(await test.as('ana', releaseMutation, { id })).data.releaseHold.state).toBe('RELEASED');
    });
    expect(actionsOf(again)).toEqual([]);
    expect((await held.shown('ana', id)).history.map(({ to, reason }: { to: string; reason: string }) => [to, reason])).toEqual([
      ['PLACING', null],
      ['ACTIVE', null],
      ['RELEASING', 'BY_HAND'],
      ['RELEASED', null],
    ]);
  });

  it('by its agent as long as the helpdesk says that the ticket is theirs, and not while nobody can say that', async () => {
    await held.open('ana', own);
    const [first, second] = [await held.placed('ana', own), await held.placed('ana', own)];
    test.clock.forward(10 * minute);
    expect(told(await test.as('ana', releaseMutation, { id: first })).errors).toEqual([]);
    test.clock.forward(10 * minute);
    test.helpdesk.goDown();
    expect(told(await test.as('ana', releaseMutation, { id: second })).errors).toEqual([['releaseHold', 'DENIED', 'STALE']]);
    test.helpdesk.comeBack();
  });

  it('never by the ticket’s agent where a rule or the customer placed it, supervisor or not', async () => {
    await held.open('ana', own);
    for (const cause of ['RULE', 'CUSTOMER'] as const) {
      const id = await held.byRule(own, { key: cause, cause });
      expect(told(await test.as('ana', releaseMutation, { id })).errors).toEqual([['releaseHold', 'DENIED', 'OWN_REQUEST']]);
      const both = await issuer.token('ana', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now());
      expect(told(await test.as({ token: both }, releaseMutation, { id })).errors).toEqual([
        ['releaseHold', 'DENIED', 'OWN_REQUEST'],
      ]);
      expect(told(await test.as('sam', releaseMutation, { id })).errors).toEqual([]);
    }
    const denied = (await test.events('denial')).map(({ detail }) => detail);
    expect(denied).toContainEqual(expect.objectContaining({ rule: 'hold.release', reason: 'OWN_REQUEST' }));
  });

  it('of a rule by a supervisor who has just signed in, of the ticket’s team', async () => {
    const id = await held.byRule(own);
    const stale = await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 16 * minute) });
    expect(told(await test.as({ token: stale }, releaseMutation, { id })).errors).toEqual([
      ['releaseHold', 'DENIED', 'RECENT_LOGIN_REQUIRED'],
    ]);
    const other = await issuer.token('rosa', { roles: ['SUPERVISOR'], teams: ['disputes'] }, test.clock.now());
    expect(told(await test.as({ token: other }, releaseMutation, { id })).errors).toEqual([['releaseHold', 'NOT_FOUND']]);
    expect(told(await test.as('sam', releaseMutation, { id })).data.releaseHold.state).toBe('RELEASED');
  });

  it.each([
    ['a short reason', 'short'],
    ['a card number', 'They read out 4242 4242 4242 4242'],
  ])('not with %s', async (_, reason) => {
    const id = await held.byRule(own);
    expect(told(await test.as('sam', releaseMutation, { id, reason })).errors).toEqual([['releaseHold', 'INVALID', 'reason']]);
  });

  it('not by who merely oversees', async () => {
    const id = await held.byRule(own);
    for (const who of ['pia', 'ada', 'oz'])
      expect(told(await test.as(who, releaseMutation, { id })).errors).toEqual([['', 'DENIED', 'ROLE']]);
  });
});

describe('a proposal', () => {
  it('stops nothing until a supervisor consents, sees what they decide on, and is one of two', async () => {
    const id = await held.byRule(own, { isProposal: true });
    await held.drain();
    expect((await held.shown('sam', id)).cause).toBe('RULE');
    expect(await held.ids('sam', { awaitingMyDecision: true })).toEqual([id]);
    const events = await eventsOf(test, async () => {
      expect(told(await test.as('sam', approveMutation, { id })).data.approveHold.state).toBe('PLACING');
      expect(told(await test.as('sam', approveMutation, { id })).errors).toEqual([]);
    });
    expect(actionsOf(events)).toEqual(['hold.approve']);
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, REVIEW APPLIED PROVIDER');
    expect(await held.ids('sam', { awaitingMyDecision: true })).toEqual([]);
  });

  it('is found by a supervisor from the one that waits longest on', async () => {
    const first = await held.byRule(own, { isProposal: true });
    test.clock.forward(1_000);
    const second = await held.byRule(demoTickets.matched.reference, { isProposal: true });
    const list =
      'query ($oldestFirst: Boolean) { holds(first: 50, oldestFirst: $oldestFirst, filter: { state: [PROPOSED] }) { nodes { id } } }';
    const ids = async (oldestFirst: boolean) =>
      (await test.as('sam', list, { oldestFirst })).data.holds.nodes.map(({ id }: { id: string }) => id);
    expect(await ids(true)).toEqual([first, second]);
    expect(await ids(false)).toEqual([second, first]);
  });

  it('is refused by a supervisor: then nothing ever stood', async () => {
    const id = await held.byRule(own, { isProposal: true });
    expect(told(await test.as('sam', releaseMutation, { id })).data.releaseHold.state).toBe('REJECTED');
    expect(told(await test.as('sam', approveMutation, { id })).errors).toEqual([['approveHold', 'CONFLICT']]);
    expect(await test.events('hold.reject')).toHaveLength(1);
    await held.drain();
    expect(held.executed).toEqual([]);
  });

  it.each<[string, (id: string) => Promise<readonly unknown[]>]>([
    ['the ticket’s agent', async (id) => told(await test.as('ana', approveMutation, { id })).errors],
    [
      'the ticket’s agent as supervisor',
      async (id) => {
        const token = await issuer.token('ana', { roles: ['SUPERVISOR'], teams: ['cards'] }, test.clock.now());
        return told(await test.as({ token }, approveMutation, { id })).errors;
      },
    ],
    [
      'a supervisor whom no helpdesk knows',
      async (id) => {
        const token = await issuer.token('nobody-at-all', { roles: ['SUPERVISOR'], teams: ['cards'] }, test.clock.now());
        return told(await test.as({ token }, approveMutation, { id })).errors;
      },
    ],
    [
      'a supervisor who signed in long ago',
      async (id) => {
        const token = await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 16 * minute) });
        return told(await test.as({ token }, approveMutation, { id })).errors;
      },
    ],
    ['an auditor', async (id) => told(await test.as('ada', approveMutation, { id })).errors],
  ])('isn’t approved by %s', async (_, approve) => {
    await held.open('ana', own);
    const id = await held.byRule(own, { isProposal: true });
    expect(await approve(id)).toHaveLength(1);
    expect(await held.stored(id)).toContain('PROPOSED');
  });

  it('says to who may decide that signing in anew shows it', async () => {
    const id = await held.byRule(own, { isProposal: true });
    const shownTo = async (who: Parameters<TestApp['as']>[0]) => {
      const { data, errors } = told(await test.as(who, '{ holds(first: 5) { nodes { id cause } } }'));
      return [data.holds.nodes, errors.map(([, , why]) => why)];
    };
    const token = await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 16 * minute) });
    expect(await shownTo({ token })).toEqual([[{ id, cause: null }], ['RECENT_LOGIN_REQUIRED']]);
    expect(await shownTo('sam')).toEqual([[{ id, cause: 'RULE' }], []]);
    await test.as('sam', releaseMutation, { id });
    expect(await shownTo({ token })).toEqual([[{ id, cause: null }], ['NO_ASSISTANCE']]);
  });

  it('of one of the staff isn’t approved by them, under whichever subject', async () => {
    const [row] = await test.app.database.query<{ id: string }>(
      "SELECT id FROM helpdesk_staff WHERE source = 'demo' AND login_digest = ?",
      [test.keys.searchDigest('staff', 'sam')],
    );
    const staffId = row?.id ?? '';
    const id = await held.byRule(own, {
      isProposal: true,
      cause: 'SUPERVISOR',
      by: { actorId: 'act_somebody', staffIds: [staffId], staffId },
    });
    expect(told(await test.as('sam', approveMutation, { id })).errors).toEqual([['approveHold', 'DENIED', 'OWN_REQUEST']]);
  });

  it('that nobody decided about expires, and isn’t approved any more', async () => {
    const id = await held.byRule(own, { isProposal: true });
    test.clock.forward(6 * hour);
    expect((await held.shown('sam', id)).state).toBe('EXPIRED');
    expect(told(await test.as('sam', approveMutation, { id })).errors).toEqual([['approveHold', 'CONFLICT']]);
    await held.sweep();
    expect(await held.stored(id)).toBe('EXPIRED, REVIEW PENDING PIPELINE');
  });

  it('that was found on no ticket is decided by any supervisor', async () => {
    const id = await held.byRule(own, { isProposal: true, ticketId: null });
    expect(told(await test.as('ana', approveMutation, { id })).errors.map(([, code]) => code)).toEqual(['DENIED']);
    expect(told(await test.as('sam', approveMutation, { id })).errors).toEqual([]);
  });
});

describe('a hold of a supervisor', () => {
  const others = [demoTickets.matched.reference, demoTickets.pastedCard.reference] as const;

  it('covers a group, each under an assistance of theirs, of whom no more is told than that they are five or more', async () => {
    for (const reference of [own, ...others]) await held.open('sam', reference);
    const customerIds = await Promise.all(others.map((reference) => customerOf(test, reference)));
    const id = await held.placed('sam', own, { customerIds, until: held.in(23 * hour) });
    await held.open('ana', others[0]);
    // Another of the group: that there is a hold, and no more.
    expect(await held.shown('ana', id)).toMatchObject({
      id,
      reason: null,
      cause: null,
      effects: null,
      subject: { kind: 'GROUP', customer: null, customers: null },
    });
    expect(await held.shown('sam', id)).toMatchObject({
      cause: 'SUPERVISOR',
      subject: { kind: 'GROUP', customer: null, customers: null },
    });
    const [event] = await test.events('hold.place');
    expect(event?.customers).toHaveLength(3);
    const outside = [await customerOf(test, demoTickets.suspicious.reference)];
    for (const customerId of [...outside, 'cus_absent'])
      expect((await held.place('sam', own, { customerIds: [customerId] })).errors).toEqual([['placeHold', 'NOT_FOUND']]);
  });

  it('has at most fifty customers', async () => {
    await held.open('sam', own);
    const customerIds = Array.from({ length: 51 }, (_, n) => `cus_${n}`);
    expect((await held.place('sam', own, { customerIds })).errors).toEqual([['placeHold', 'INVALID', 'input.customerIds']]);
  });

  it('stands a day at most, is extended up to that, and no agent’s is by an agent', async () => {
    await held.open('ana', own);
    const id = await held.placed('ana', own);
    await held.drain();
    expect(told(await test.as('ana', extendMutation, { id, until: held.in(2 * hour) })).errors).toEqual([['', 'DENIED', 'ROLE']]);
    const events = await eventsOf(test, async () => {
      expect(told(await test.as('sam', extendMutation, { id, until: held.in(3 * hour) })).data.extendHold).toMatchObject({
        expiresAt: held.in(3 * hour),
      });
      expect(told(await test.as('sam', extendMutation, { id, until: held.in(3 * hour) })).errors).toEqual([]);
    });
    expect(actionsOf(events)).toEqual(['hold.extend']);
    expect(told(await test.as('sam', extendMutation, { id, until: held.in(2 * hour) })).errors).toEqual([
      ['extendHold', 'INVALID', 'until'],
    ]);
    const late = await test.as('sam', extendMutation, { id, until: held.in(24 * hour + 1) });
    expect(told(late).errors).toEqual([['extendHold', 'INVALID', 'until']]);
    expect(late.errors?.[0]?.message).toContain(held.in(24 * hour));
    expect(told(await test.as('sam', extendMutation, { id: 'hld_absent', until: held.in(hour) })).errors).toEqual([
      ['extendHold', 'NOT_FOUND'],
    ]);
    test.clock.forward(3 * hour);
    expect(told(await test.as('sam', extendMutation, { id, until: held.in(hour) })).errors).toEqual([['extendHold', 'CONFLICT']]);
  });

  it('and its release at once: whichever is first, nothing stands that was released', async () => {
    for (let round = 0; round < 6; round += 1) {
      await held.open('sam', own);
      const id = await held.placed('sam', own);
      await Promise.all([
        test.as('sam', extendMutation, { id, until: held.in(5 * hour) }),
        test.as('sam', releaseMutation, { id }),
        held.drain(),
      ]);
      await held.drain();
      await held.sweep();
      await held.drain();
      expect(await held.stored(id)).toMatch(/^RELEASED, REVIEW REVERSED/);
    }
  });
});

describe('many holds on one customer', () => {
  it('of a supervisor end at the policy’s number, whoever else holds', async () => {
    await test.stop();
    test = await TestApp.start({ policy: policyWith(['supervisorMost: 20', 'supervisorMost: 2']) });
    held = new HeldPayments(test);
    await held.open('sam', own);
    await held.open('ana', own);
    await held.placed('sam', own);
    const answers = await Promise.all(Array.from({ length: 4 }, () => held.place('sam', own)));
    expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors)).toContainEqual(['placeHold', 'DENIED', 'QUOTA']);
    const denied = (await test.events('denial')).map(({ detail }) => detail);
    expect(denied).toContainEqual(expect.objectContaining({ rule: 'hold.quota', reason: 'QUOTA' }));
    expect((await held.place('ana', own)).errors).toEqual([]);
  });

  it('keep out neither what a rule wants nor the customer’s own', async () => {
    await held.open('sam', own);
    for (let n = 0; n < 20; n += 1) await held.placed('sam', own, { effects: ['STEP_UP'] });
    const byRule = await held.byRule(own);
    const byCustomer = await held.byRule(own, { key: 'no', cause: 'CUSTOMER', effects: ['BLOCK_NEW'] });
    expect([await held.stored(byRule), await held.stored(byCustomer)]).toEqual([
      'PLACING, REVIEW PENDING PIPELINE',
      'PLACING, BLOCK_NEW PENDING PIPELINE',
    ]);
  });

  it('that a rule wants are twenty at most, and the customer’s are as many as they said no', async () => {
    for (let n = 1; n < 20; n += 1) await held.byRule(own, { key: `rule ${n}` });
    for (let n = 0; n < 21; n += 1) await held.byRule(own, { key: `no ${n}`, cause: 'CUSTOMER' });
    await held.byRule(own, { key: 'the last' });
    await expect(held.byRule(own, { key: 'one more' })).rejects.toThrow('enough');
    expect(await countOf(test, 'payment_hold')).toBe(41);
  });
});

describe('holds of agents that follow each other', () => {
  const inMinutes = (of: number) => ({ until: held.in(of * minute) });
  const refusedUntil = async (who: Parameters<HeldPayments['place']>[0], reference: string, minutes: number) => {
    const answer = await test.as(who, placeMutation, { input: await held.input(reference, inMinutes(minutes)) });
    expect(told(answer)).toEqual({ data: null, errors: [['placeHold', 'INVALID', 'input.until']] });
    return answer.errors?.[0]?.message;
  };
  /** A day's worth, by one after the other. */
  const spent = async (): Promise<Date> => {
    const begun = test.clock.now();
    for (let n = 0; n < 2; n += 1) {
      await held.open('ana', own);
      await held.placed('ana', own, inMinutes(120));
      test.clock.forward(2 * hour);
    }
    await held.sweep();
    await held.drain();
    return begun;
  };
  it('make a customer wait four hours of a day at most: the latest end is named, and who may hold for longer', async () => {
    await held.open('ana', own);
    await held.placed('ana', own, inMinutes(120));
    // What stands at once counts once.
    await held.placed('ana', own, inMinutes(120));
    await held.wait(2 * hour);
    await held.sweep();
    await held.open('ana', own);
    const released = await held.placed('ana', own, inMinutes(120));
    await held.wait(90 * minute);
    expect(told(await test.as('ana', releaseMutation, { id: released })).errors).toEqual([]);
    await held.wait(10 * minute);
    await held.open('ana', own);
    // The half hour that was let go is left.
    expect(await refusedUntil('ana', own, 31)).toContain(`${held.in(30 * minute)} at the latest`);
    expect(await refusedUntil('ana', own, 31)).toContain('supervisor');
    await held.placed('ana', own, inMinutes(30));
    await held.wait(30 * minute);
    expect((await held.ids('ana', { state: ['PLACING', 'ACTIVE'] })).length).toBe(0);
  });

  it('are none again until the first of them is a day past, but a supervisor’s', async () => {
    const begun = await spent();
    await held.open('ana', own);
    const events = await eventsOf(test, async () => {
      expect(await refusedUntil('ana', own, 1)).toContain(new Date(begun.getTime() + 24 * hour).toISOString());
    });
    expect(actionsOf(events)).toEqual([]);
    await held.open('sam', own);
    expect((await held.place('sam', own, inMinutes(600))).errors).toEqual([]);
    test.clock.forward(20 * hour + minute);
    await held.open('ana', own);
    expect((await held.place('ana', own, inMinutes(120))).errors).toEqual([]);
  });

  const link = async (reference: string, payer: string | null) => {
    const set = 'UPDATE helpdesk_customer SET link = ?, payment_customer_id = ? WHERE id = ?';
    await tamper(test.app.database, set, [payer === null ? 'NONE' : 'VERIFIED', payer, await customerOf(test, reference)]);
  };
  const payerOf = async (reference: string): Promise<string | null> => {
    const of = 'SELECT payment_customer_id AS id FROM helpdesk_customer WHERE id = ?';
    const [row] = await test.app.database.query<{ id: string | null }>(of, [await customerOf(test, reference)]);
    return row?.id ?? null;
  };
  const taken = demoTickets.taken.reference;

  it.each<[string, () => Promise<readonly [who: string, reference: string]>]>([
    ['once the customer is linked to nobody', async () => link(own, null).then(() => ['ana', own])],
    ['once the customer is linked to somebody else', async () => link(own, await payerOf(taken)).then(() => ['ana', own])],
    [
      'on a ticket of the same payer’s under another name',
      async () => link(taken, await payerOf(own)).then(() => ['ana', taken]),
    ],
    [
      'on a ticket of who was linked to the same payer only afterwards',
      async () => {
        const payer = await payerOf(own);
        await link(own, null);
        await link(taken, payer);
        return ['ana', taken];
      },
    ],
    [
      'on a ticket that was closed and opened again',
      async () => {
        test.helpdesk.close(own);
        await test.app.sources.syncAll();
        test.helpdesk.reopen(own);
        await test.app.sources.syncAll();
        return ['ana', own];
      },
    ],
    [
      'on another ticket of theirs',
      async () => {
        test.helpdesk.setCustomer(taken, helpdeskReferenceOf(demoTickets.own.customer ?? 0), 'sam');
        await test.app.sources.syncAll();
        return ['ana', taken];
      },
    ],
    [
      'by the agent who has the ticket now',
      async () => {
        test.helpdesk.reassign(own, 'ben', 'sam');
        await test.app.sources.syncAll();
        return ['ben', own];
      },
    ],
  ])('are no more %s', async (_, meanwhile) => {
    await spent();
    const [who, reference] = await meanwhile();
    await held.open(who, reference);
    await refusedUntil(who, reference, 1);
  });

  it('are as before on tickets of others', async () => {
    await spent();
    await held.open('ana', taken);
    expect((await held.place('ana', taken, inMinutes(120))).errors).toEqual([]);
  });
});

describe('the policy', () => {
  it('says for how long agents hold, and how many', async () => {
    await test.stop();
    test = await TestApp.start({
      policy: policyWith(['agentMinutes: 120', 'agentMinutes: 30'], ['agentMost: 5', 'agentMost: 1']),
    });
    held = new HeldPayments(test);
    await held.open('ana', own);
    expect((await held.place('ana', own)).errors).toEqual([['placeHold', 'INVALID', 'input.until']]);
    expect((await held.place('ana', own, { until: held.in(30 * minute) })).errors).toEqual([]);
    expect((await held.place('ana', own, { until: held.in(30 * minute) })).errors).toEqual([['placeHold', 'DENIED', 'QUOTA']]);
  });
});
