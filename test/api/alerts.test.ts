import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { attempts, customerOf, raised, raiseOn } from '../support/alerts';
import { countOf, eventsOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamperWhile } from '../support/audit-log';

const list = `query Alerts($filter: AlertFilter) { alerts(filter: $filter) { totalCount nodes {
  id state rule severity ticket { id } customer { id } note resolution
  reasons { code text count windowSeconds countries transaction { id } } guidance { code text }
} } }`;
const ids = '{ alerts(first: 100) { totalCount nodes { id state raisedAt endedAt } } }';
const opens = 'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { state } } }';
const report = 'mutation($input: ReportConcernInput!) { reportConcern(input: $input) { id state rule note } }';
const resolve = 'mutation($input: ResolveAlertInput!) { resolveAlert(input: $input) { id state resolution } }';
const day = 24 * 3_600_000;

const listed = async (test: TestApp, who: string): Promise<string[]> => {
  const { data } = await test.as(who, ids);
  return data.alerts.nodes.map(({ id }: { id: string }) => id);
};

/** What was done, beside being shown something. */
const actionsOf = (events: readonly Record<string, unknown>[]): unknown[] =>
  events.map(({ action }) => action).filter((action) => action !== 'disclosure' && action !== 'plan.register');

describe('an alert', () => {
  let test: TestApp;
  let id: string;
  const { reference } = demoTickets.own;
  beforeAll(async () => {
    test = await TestApp.start();
    id = raised(await raiseOn(test, reference));
  });
  afterAll(() => test.stop());

  it('is told by its id alone to whoever has the ticket, as long as they do not assist on it', async () => {
    const answer = told(await test.as('ana', list));
    const { id: _, ...content } = answer.data.alerts.nodes[0];
    expect(answer.data.alerts.totalCount).toBe(1);
    expect(content).toEqual({
      state: 'OPEN',
      rule: null,
      severity: null,
      ticket: { id: await ticketIdOf(test, reference) },
      customer: null,
      note: null,
      resolution: null,
      reasons: null,
      guidance: null,
    });
    expect(new Set(answer.errors.map(([, code, reason]) => `${String(code)} ${String(reason)}`))).toEqual(
      new Set(['DENIED NO_ASSISTANCE']),
    );
    expect(await countOf(test, 'assistance')).toBe(0);
  });

  it('is told to nobody else, and to nobody without a second factor', async () => {
    for (const who of ['ben', 'sam']) expect(await listed(test, who)).toEqual([]);
    const token = await test.token('ana', { mfa: false });
    expect(told(await test.as({ token }, ids)).errors).toEqual([['alerts', 'DENIED', 'MFA_REQUIRED']]);
    for (const who of ['pia', 'ada', 'oz', 'pip']) {
      const { data, errors } = told(await test.as(who, ids));
      expect([data?.alerts ?? null, errors[0]?.[1]]).toEqual([null, 'DENIED']);
    }
  });

  it('says what it is about under an assistance on its ticket, and that is on record', async () => {
    await test.as('ana', opens, { reference });
    const events = await eventsOf(test, async () => {
      const answer = told(
        await test.as('ana', list, { filter: { state: ['OPEN'], ticketId: await ticketIdOf(test, reference) } }),
      );
      expect(answer).toEqual({
        data: {
          alerts: {
            totalCount: 1,
            nodes: [
              {
                id,
                state: 'OPEN',
                rule: 'RETRIES_ELSEWHERE',
                severity: 'MEDIUM',
                ticket: { id: await ticketIdOf(test, reference) },
                customer: { id: await customerOf(test, reference) },
                note: null,
                resolution: null,
                reasons: [
                  {
                    code: 'ATTEMPTS',
                    text: '4 attempts to pay',
                    count: 4,
                    windowSeconds: 3_600,
                    countries: [],
                    transaction: null,
                  },
                  {
                    code: 'COUNTRIES',
                    text: '2 countries that were paid from',
                    count: 2,
                    windowSeconds: 3_600,
                    countries: ['BR', 'NG'],
                    transaction: null,
                  },
                ],
                guidance: expect.arrayContaining([{ code: 'DO_NOT_CONFIRM', text: expect.any(String) }]),
              },
            ],
          },
        },
        errors: [],
      });
    });
    expect(events.filter(({ action }) => action === 'disclosure')).toEqual([
      expect.objectContaining({
        ticket: await ticketIdOf(test, reference),
        detail: expect.objectContaining({ objects: expect.objectContaining({ Alert: [id] }) }),
      }),
    ]);
  });

  it('is one as long as it is open: the same again changes nothing, more brings it up to date', async () => {
    expect(await raiseOn(test, reference)).toEqual({ outcome: 'unchanged', id });
    const more = await eventsOf(test, async () => {
      expect(await raiseOn(test, reference, { severity: 'HIGH', signals: ['demo-pay/evt_3'] })).toEqual({
        outcome: 'updated',
        id,
      });
    });
    expect(more.map(({ action }) => action)).toEqual(['alert.update']);
    expect(await countOf(test, 'risk_alert')).toBe(1);
    const { data } = await test.as('ana', list);
    expect(data.alerts.nodes[0]).toMatchObject({ severity: 'HIGH' });
    // Less isn't told as less.
    expect(await raiseOn(test, reference, { severity: 'LOW', signals: ['demo-pay/evt_3'] })).toEqual({
      outcome: 'unchanged',
      id,
    });
  });

  it('is one however many raise it at once', async () => {
    const window = 'raised at once';
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => raiseOn(test, reference, { window })));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['raised', 'unchanged', 'unchanged', 'unchanged']);
    const places = await test.app.database.query<{ position: number }>(
      'SELECT position FROM risk_alert_event WHERE position > 0 ORDER BY position',
    );
    expect(places.map(({ position }) => Number(position))).toEqual(places.map((_, at) => at + 1));
  });

  it('is one for each customer, where several are found in one thing', async () => {
    const about = { rule: 'domain-burst', subject: 'emailDomain example.com', window: 'several' } as const;
    const first = raised(await raiseOn(test, reference, about));
    const second = await raiseOn(test, demoTickets.pastedCard.reference, { ...about, reasons: [{ code: 'DECLINES', count: 9 }] });
    expect(second.outcome).toBe('raised');
    const [stored] = await test.app.database.query<{ reasons: string; customer_id: string }>(
      'SELECT reasons, customer_id FROM risk_alert WHERE id = ?',
      [first],
    );
    expect(stored?.customer_id).toBe(await customerOf(test, reference));
    expect(String(stored?.reasons)).not.toContain('DECLINES');
  });

  it('keeps what was found of one payment when another is found', async () => {
    const about = { rule: 'provider-deadline', window: 'both' } as const;
    const id = raised(await raiseOn(test, reference, { ...about, reasons: [{ code: 'DISPUTE' }] }));
    await raiseOn(test, reference, { ...about, reasons: [{ code: 'REVIEW' }] });
    const [stored] = await test.app.database.query<{ reasons: string }>('SELECT reasons FROM risk_alert WHERE id = ?', [id]);
    expect(String(stored?.reasons)).toMatch(/REVIEW.*DISPUTE/);
  });

  it('is one of ten of its rule about a customer at most', async () => {
    const { reference: of } = demoTickets.selfMade;
    const outcomes: string[] = [];
    for (let window = 0; window < 12; window += 1)
      outcomes.push((await raiseOn(test, of, { rule: 'card-expiring', window: String(window) })).outcome);
    expect(outcomes).toEqual([...Array.from({ length: 10 }, () => 'raised'), 'enough', 'enough']);
    expect(await raiseOn(test, of, { rule: 'card-expiring', window: '3', severity: 'HIGH' })).toMatchObject({
      outcome: 'updated',
    });
    expect(await raiseOn(test, of, { rule: 'card-testing' })).toMatchObject({ outcome: 'raised' });
  });

  it('is told on the open ticket of its customer where the one that it names is closed', async () => {
    const { reference: of } = demoTickets.pastedCard;
    const theirs = await customerOf(test, of);
    const closed = await ticketIdOf(test, demoTickets.closed.reference);
    const write = `UPDATE helpdesk_ticket SET customer_id = '${theirs}' WHERE id = '${closed}'`;
    await tamperWhile(test.app.database, { table: 'helpdesk_ticket', write }, async () => {
      const about = raised(await raiseOn(test, of, { rule: 'decline-loop', ticketId: closed }));
      const [stored] = await test.app.database.query<{ ticket_id: string }>('SELECT ticket_id FROM risk_alert WHERE id = ?', [
        about,
      ]);
      expect(stored?.ticket_id).toBe(await ticketIdOf(test, of));
    });
  });

  it('leads to a payment of the customer’s own and to no other', async () => {
    const { data } = await test.as('ana', 'query($id: ID!) { customer(id: $id) { transactions(first: 1) { nodes { id } } } }', {
      id: await customerOf(test, reference),
    });
    const own = data.customer.transactions.nodes[0].id;
    const [other] = await test.app.database.query<{ id: string }>(
      'SELECT t.id FROM payment_transaction t JOIN helpdesk_customer c ON c.payment_customer_id = t.payment_customer_id WHERE c.id = ?',
      [await customerOf(test, demoTickets.otherTeam.reference)],
    );
    const reasons = [own, other?.id as string].map((transactionId) => ({ code: 'REVIEW' as const, transactionId }));
    const about = raised(await raiseOn(test, reference, { rule: 'provider-deadline', reasons }));
    const answer = await test.as('ana', list);
    const shown = answer.data.alerts.nodes.find((each: { id: string }) => each.id === about);
    expect(shown.reasons.map(({ transaction }: { transaction: unknown }) => transaction)).toEqual([{ id: own }, null]);
  });

  it('tells of other customers only as five or more, and of fewer nothing', async () => {
    for (const [count, texts] of [
      [4, []],
      [17, ['5 or more customers']],
    ] as const) {
      const reasons = [{ code: 'CUSTOMERS' as const, count }];
      const about = raised(await raiseOn(test, reference, { rule: 'domain-burst', window: String(count), reasons }));
      const answer = await test.as('ana', list);
      const shown = answer.data.alerts.nodes.find((each: { id: string }) => each.id === about);
      expect(shown.reasons.map(({ text }: { text: string }) => text)).toEqual(texts);
      expect(shown.reasons.map((reason: { count: unknown }) => reason.count)).toEqual(texts.map(() => null));
      const [stored] = await test.app.database.query<{ reasons: string }>('SELECT reasons FROM risk_alert WHERE id = ?', [about]);
      expect(stored?.reasons).not.toMatch(/17/);
    }
  });

  it('leaves out a fact of which its reader may not read what it is derived from', async () => {
    const { reference: matched } = demoTickets.matched;
    const about = raised(await raiseOn(test, matched));
    await test.as('ana', opens, { reference: matched });
    const answer = told(await test.as('ana', list));
    const shown = answer.data.alerts.nodes.find((each: { id: string }) => each.id === about);
    expect(shown.reasons.map(({ code }: { code: string }) => code)).toEqual(['ATTEMPTS']);
    expect(JSON.stringify(shown)).not.toMatch(/countr(?:y|ies) that/);
  });

  it('shows nothing of a customer who has no link, and nothing once the link leads to somebody else', async () => {
    const { reference: unlinked } = demoTickets.twoCandidates;
    const about = raised(await raiseOn(test, unlinked));
    await test.as('ana', opens, { reference: unlinked });
    const answer = await test.as('ana', list);
    const shown = answer.data.alerts.nodes.find((each: { id: string }) => each.id === about);
    expect(shown).toMatchObject({ state: 'OPEN', rule: null, severity: null, reasons: null, guidance: null });
  });

  it.each([
    ['that they made themselves', demoTickets.selfMade.reference],
    ['that they turned to somebody', demoTickets.readdressed.reference],
    ['that is closed', demoTickets.closed.reference],
  ])('is not told of on a ticket %s', async (_, other) => {
    const about = raised(await raiseOn(test, other, { ticketId: await ticketIdOf(test, other) }));
    expect(await listed(test, 'ana')).not.toContain(about);
  });

  it('is not told to whom it is about', async () => {
    const [staff] = await test.app.database.query<{ assignee_id: string }>(
      'SELECT assignee_id FROM helpdesk_ticket WHERE reference = ?',
      [reference],
    );
    const about = raised(await raiseOn(test, reference, { rule: 'agent-interventions', staffId: staff?.assignee_id as string }));
    expect(await listed(test, 'ana')).not.toContain(about);
  });

  it('says the same to the rows that it is held against', async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    for (const [column, value] of [
      ['severity', "'LOW'"],
      ['state', "'RESOLVED'"],
      ['reasons', "'[]'"],
      ['staff_id', "'stf_x'"],
      ['expires_at', '1'],
    ] as const) {
      const write = `UPDATE risk_alert SET ${column} = ${value} WHERE id = '${id}'`;
      await tamperWhile(test.app.database, { table: 'risk_alert', write }, async () => {
        const { findings } = await rowsWithoutEvent(test.app.database);
        expect(findings.map((finding) => JSON.stringify(finding)).join()).toContain(id);
      });
    }
  });
});

describe('what an alert was', () => {
  let test: TestApp;
  const { reference } = demoTickets.own;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  it('is said by whoever assists on its ticket; again with the same word it is the same, with another it is refused', async () => {
    const id = raised(await raiseOn(test, reference));
    const input = { id, resolution: 'FALSE' };
    expect(told(await test.as('ana', resolve, { input }))).toEqual({
      data: null,
      errors: [['resolveAlert', 'DENIED', 'NO_ASSISTANCE']],
    });
    expect(told(await test.as('ben', resolve, { input })).errors).toEqual([['resolveAlert', 'NOT_FOUND']]);
    await test.as('ana', opens, { reference });
    const events = await eventsOf(test, async () => {
      expect(told(await test.as('ana', resolve, { input }))).toEqual({
        data: { resolveAlert: { id, state: 'RESOLVED', resolution: 'FALSE' } },
        errors: [],
      });
    });
    expect(actionsOf(events)).toEqual(['alert.resolve']);
    expect(told(await test.as('ana', resolve, { input })).errors).toEqual([]);
    expect(told(await test.as('ana', resolve, { input: { id, resolution: 'TRUE' } })).errors).toEqual([
      ['resolveAlert', 'CONFLICT'],
    ]);
    expect(await test.events('alert.resolve')).toHaveLength(1);
    // The next time it is another one.
    expect(raised(await raiseOn(test, reference))).not.toBe(id);
  });

  it('can silence the rule about the customer for a while, and about nobody else', async () => {
    const id = raised(await raiseOn(test, reference));
    const until = (milliseconds: number) => new Date(test.clock.now().getTime() + milliseconds).toISOString();
    for (const [resolution, snoozeUntil] of [
      ['FALSE', until(31 * day)],
      ['FALSE', until(-1)],
      ['TRUE', until(day)],
    ] as const)
      expect(told(await test.as('ana', resolve, { input: { id, resolution, snoozeUntil } })).errors).toEqual([
        ['resolveAlert', 'INVALID', 'input.snoozeUntil'],
      ]);
    const input = { id, resolution: 'UNSURE', snoozeUntil: until(day) };
    expect(told(await test.as('ana', resolve, { input })).errors).toEqual([]);
    expect(await raiseOn(test, reference, { window: 'later' })).toEqual({ outcome: 'snoozed' });
    expect(await raiseOn(test, demoTickets.pastedCard.reference)).toMatchObject({ outcome: 'raised' });
    expect(await raiseOn(test, reference, { rule: 'card-testing' })).toMatchObject({ outcome: 'raised' });
    test.clock.forward(day + 1);
    expect(await raiseOn(test, reference, { window: 'later' })).toMatchObject({ outcome: 'raised' });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('is counted by rule for the operator', async () => {
    expect(await test.app.services.alerts.counts()).toEqual(
      expect.arrayContaining([
        { rule: 'retries-elsewhere', outcome: 'FALSE', count: 1 },
        { rule: 'retries-elsewhere', outcome: 'UNSURE', count: 1 },
        { rule: 'card-testing', outcome: 'OPEN', count: 1 },
      ]),
    );
    const metrics = await test.server.inject({ url: '/metrics' });
    expect(metrics.body).toContain('counterfoil_alerts{rule="retries-elsewhere",outcome="FALSE"} 1');
  });

  it('ends by itself after a week in which nobody said it', async () => {
    const [{ n: before } = { n: 0 }] = await test.app.database.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM risk_alert WHERE state = 'OPEN'",
    );
    expect(await test.app.services.alerts.expire()).toBe(0);
    test.clock.forward(7 * day + 1);
    expect(await test.app.services.alerts.expire()).toBe(Number(before));
    expect(await test.events('alert.end')).toHaveLength(Number(before));
    expect(await countOf(test, 'risk_alert', "state = 'OPEN' OR open_key IS NOT NULL")).toBe(0);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('is what its rule is worth, for whom the policy names, and for 90 days', async () => {
    const asks = '{ riskRules { name version outcomes { confirmed falseAlarms unsure unresolved precision } } }';
    const worth = async (name: string) => {
      const { data } = await test.as('pia', asks);
      return data.riskRules.find((rule: { name: string }) => rule.name === name);
    };
    const { version } = await worth('DECLINE_LOOP');
    const judged = async (window: string, resolution: string | null, given: Parameters<typeof raiseOn>[2] = {}) => {
      const id = raised(await raiseOn(test, reference, { rule: 'decline-loop', window, version, ...given }));
      if (resolution) expect(told(await test.as('ana', resolve, { input: { id, resolution } })).errors).toEqual([]);
    };
    await test.as('ana', opens, { reference });
    expect((await worth('DECLINE_LOOP')).outcomes).toEqual({
      confirmed: 0,
      falseAlarms: 0,
      unsure: 0,
      unresolved: 0,
      precision: null,
    });
    for (const [window, resolution] of Object.entries({ a: 'TRUE', b: 'TRUE', c: 'TRUE', d: 'FALSE', e: 'UNSURE', f: null }))
      await judged(window, resolution);
    // Of a version before, and open: neither counts.
    await judged('g', 'FALSE', { version: version + 1 });
    const found = { confirmed: 3, falseAlarms: 1, unsure: 1, precision: 0.75 };
    expect((await worth('DECLINE_LOOP')).outcomes).toEqual({ ...found, unresolved: 0 });
    test.clock.forward(60 * day);
    await test.app.services.alerts.expire();
    expect((await worth('DECLINE_LOOP')).outcomes).toEqual({ ...found, unresolved: 1 });
    test.clock.forward(31 * day);
    expect((await worth('DECLINE_LOOP')).outcomes).toMatchObject({ confirmed: 0, unresolved: 0, precision: null });
    expect(told(await test.as('ana', asks)).errors).toEqual([['riskRules', 'DENIED', 'ROLE']]);
  });
});

describe('a concern', () => {
  let test: TestApp;
  const { reference } = demoTickets.own;
  const note = 'They asked which card I see before they said a word';
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());
  const inputOn = async (of: string, text = note) => ({ input: { ticketId: await ticketIdOf(test, of), note: text } });

  it.each([
    ['on a ticket that they did not open', reference, 'ana', 'NO_ASSISTANCE'],
    ['on one that they made themselves', demoTickets.selfMade.reference, 'ana', 'NO_ASSISTANCE'],
    ['on one that is closed', demoTickets.closed.reference, 'ana', 'TICKET_CLOSED'],
    ['where they have no role for it', reference, 'pia', 'ROLE'],
  ])('is refused %s, and nothing is stored', async (_, of, who, reason) => {
    const answer = told(await test.as(who, report, await inputOn(of)));
    expect(answer).toEqual({ data: null, errors: [[reason === 'ROLE' ? '' : 'reportConcern', 'DENIED', reason]] });
    expect(await countOf(test, 'risk_alert')).toBe(0);
  });

  it('of a ticket outside the scope is answered like one that does not exist', async () => {
    const answer = await test.as('ana', report, await inputOn(demoTickets.household.reference));
    expect(answer).toEqual(await test.as('ana', report, { input: { ticketId: 'tkt_absent', note } }));
    expect(told(answer).errors).toEqual([['reportConcern', 'NOT_FOUND']]);
  });

  it('with card data or without words is refused', async () => {
    await test.as('ana', opens, { reference });
    for (const text of ['too short', 'The card 4242 4242 4242 4242 was read out to me'])
      expect(told(await test.as('ana', report, await inputOn(reference, text))).errors.map(([, code]) => code)).toEqual([
        'INVALID',
      ]);
  });

  it('is answered alike whether a rule or somebody else had found something before, and again with the one that is open', async () => {
    const answers: unknown[] = [];
    for (const [of, isKnown] of [
      [reference, false],
      [demoTickets.pastedCard.reference, true],
    ] as const) {
      await test.as('ana', opens, { reference: of });
      if (isKnown) await raiseOn(test, of, { rule: 'card-testing', reasons: attempts });
      const events = await eventsOf(test, async () => {
        const answer = told(await test.as('ana', report, await inputOn(of)));
        answers.push({ ...answer, data: { reportConcern: { ...answer.data.reportConcern, id: 'alr' } } });
        const again = told(await test.as('ana', report, await inputOn(of, 'Something else that I noticed after it')));
        expect(again.data.reportConcern.id).toBe(answer.data.reportConcern.id);
      });
      expect(actionsOf(events)).toEqual(['alert.concern']);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toEqual({ data: { reportConcern: { id: 'alr', state: 'OPEN', rule: 'CONCERN', note } }, errors: [] });
  });

  it('is resolved by somebody else than who reported it, who reads it with the ticket', async () => {
    const [{ id }] = (await test.app.database.query<{ id: string }>(
      "SELECT id FROM risk_alert WHERE rule = 'concern' AND ticket_id = ?",
      [await ticketIdOf(test, reference)],
    )) as [{ id: string }];
    const input = { id, resolution: 'TRUE' };
    expect(told(await test.as('ana', resolve, { input })).errors).toEqual([['resolveAlert', 'DENIED', 'OWN_REQUEST']]);
    test.helpdesk.reassign(reference, 'sam');
    await test.app.sources.syncAll();
    expect(await listed(test, 'ana')).not.toContain(id);
    expect(told(await test.as('ana', resolve, { input })).errors).toEqual([['resolveAlert', 'NOT_FOUND']]);
    await test.as('sam', opens, { reference });
    const { data } = await test.as('sam', list);
    expect(data.alerts.nodes).toEqual([expect.objectContaining({ id, note })]);
    expect(told(await test.as('sam', resolve, { input })).data).toEqual({
      resolveAlert: { id, state: 'RESOLVED', resolution: 'TRUE' },
    });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('leaves its words in no log, metric or leaf, and its cursors say nothing', async () => {
    const { data } = await test.as('sam', '{ alerts { edges { cursor node { id } } } }');
    const metrics = await test.server.inject({ url: '/metrics' });
    const leaves = JSON.stringify(await test.events());
    for (const text of [test.logLines.join(), metrics.body, leaves]) expect(text).not.toMatch(/asked which card|"NG"|"BR"/);
    const [{ cursor, node }] = data.alerts.edges;
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain(node.id);
    // A cursor is its reader's alone.
    expect(
      told(await test.as('ana', 'query($after: String) { alerts(after: $after) { totalCount } }', { after: cursor })).errors,
    ).toEqual([['alerts', 'INVALID', 'after']]);
  });
});
