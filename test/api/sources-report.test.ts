import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { writerOf } from '../support/credentials';

const sources = `{ sources {
  name side kind standing fault readUntil backfilledAt customersWaiting customersSetAside textsLate webhooksPending webhooksUnknown
} }`;
const examination = '{ lastExamination { at eventId areas { area findings } } }';
const actor = { id: 'operator:0', kind: 'system', roles: [] } as const;

let test: TestApp;
beforeAll(async () => {
  test = await TestApp.start();
});
afterAll(() => test.stop());

describe('how the sources are doing', () => {
  const reports = async (who = 'oz') => {
    const { data, errors } = told(await test.as(who, sources));
    expect(errors).toEqual([]);
    return data.sources;
  };

  it('is told in one word, with until when each was read, and what waits', async () => {
    expect(await reports()).toEqual([
      {
        name: 'demo',
        side: 'HELPDESK',
        kind: 'demo',
        standing: 'OK',
        fault: null,
        readUntil: expect.any(String),
        backfilledAt: expect.any(String),
        customersWaiting: 0,
        customersSetAside: 0,
        textsLate: 0,
        webhooksPending: 0,
        webhooksUnknown: 0,
      },
      {
        name: 'demo-pay',
        side: 'PAYMENTS',
        kind: 'demo',
        standing: 'OK',
        fault: null,
        readUntil: expect.any(String),
        backfilledAt: null,
        customersWaiting: null,
        customersSetAside: null,
        textsLate: null,
        webhooksPending: 0,
        webhooksUnknown: 0,
      },
    ]);
  });

  it.each(['pia', 'ada', 'pru'])('is told to %s, too', async (who) => {
    expect((await reports(who)).map(({ name }: { name: string }) => name)).toEqual(['demo', 'demo-pay']);
  });

  it.each(['ana', 'sam', 'pip'])('is nothing to %s', async (who) => {
    const { data, errors } = told(await test.as(who, sources));
    expect([data?.sources ?? null, errors]).toEqual([null, [['sources', 'DENIED', 'ROLE']]]);
  });

  it('is behind where it was not read to its end for two minutes, and a fault where the last reading failed, as /readyz has it', async () => {
    test.clock.forward(121_000);
    expect((await reports()).map(({ standing }: { standing: string }) => standing)).toEqual(['BEHIND', 'BEHIND']);
    await writerOf(test).query("UPDATE upstream_source SET fault = 'circuit-open' WHERE name = 'demo-pay'");
    const told = (await reports()).map(({ standing, fault }: { standing: string; fault: string | null }) => [standing, fault]);
    expect(told).toEqual([
      ['BEHIND', null],
      ['FAULT', 'circuit-open'],
    ]);
    const ready = (await test.server.inject({ method: 'GET', url: '/readyz' })).json();
    expect([ready.sources.demo.state, ready.sources['demo-pay'].state]).toEqual(['behind', 'circuit-open']);
  });

  it('counts what was announced and isn’t done with', async () => {
    const add = (id: string, state: string) =>
      writerOf(test).query(
        `INSERT INTO upstream_webhook (id, source, event_id, type, state, size, digest, happened_at, received_at)
         VALUES ('whk_${id}', 'demo-pay', '${id}', 'x', '${state}', 1, 'x', 1788253200000, 1788253200000)`,
      );
    for (const [id, state] of [
      ['1', 'PENDING'],
      ['2', 'UNKNOWN'],
      ['3', 'PENDING'],
      ['4', 'APPLIED'],
    ] as const)
      await add(id, state);
    const [, payments] = await reports();
    expect([payments.webhooksPending, payments.webhooksUnknown]).toEqual([2, 1]);
  });
});

describe('what the command line found', () => {
  const last = async (who: string) => {
    const { data, errors } = told(await test.as(who, examination));
    expect(errors).toEqual([]);
    return data.lastExamination;
  };
  const turn = () => test.app.signingLog?.sequencer.turn();

  it('is nothing before it looked', async () => {
    expect(await last('oz')).toBeNull();
  });

  it('is its last look, by area, with the event that says so', async () => {
    const found = { log: 2, grants: 0, server: 0, operations: 1, sources: null };
    await test.app.services.examinations.record(actor, { ...found, log: 9 });
    test.clock.forward(1_000);
    await test.app.services.examinations.record(actor, found);
    await turn();
    for (const who of ['oz', 'ada', 'pru'])
      expect(await last(who)).toEqual({
        at: test.clock.now().toISOString(),
        eventId: expect.stringMatching(/^evt_/),
        areas: [
          { area: 'LOG', findings: 2 },
          { area: 'GRANTS', findings: 0 },
          { area: 'SERVER', findings: 0 },
          { area: 'OPERATIONS', findings: 1 },
        ],
      });
    test.clock.forward(1_000);
    await test.app.services.examinations.record(actor, { ...found, sources: 3 });
    await turn();
    expect((await last('oz')).areas.at(-1)).toEqual({ area: 'SOURCES', findings: 3 });
    expect(await countOf(test, 'audit_event', "action = 'installation.examine'")).toBe(3);
  });

  it('isn’t an earlier look whose row was given a later time', async () => {
    const { eventId } = await last('oz');
    const moved = "UPDATE audit_event SET at = at + 86400000 WHERE action = 'installation.examine' AND id <> ?";
    await writerOf(test).query(moved, [eventId]);
    expect((await last('oz')).eventId).toBe(eventId);
  });

  it('isn’t taken from a row that somebody altered', async () => {
    await writerOf(test).query(
      "UPDATE audit_event SET leaf = REPLACE(leaf, '\"log\":2', '\"log\":0') WHERE action = 'installation.examine'",
    );
    expect(told(await test.as('oz', examination)).errors).toEqual([['lastExamination', 'CONFLICT']]);
  });

  it.each(['ana', 'sam', 'pia', 'pip'])('is nothing to %s', async (who) => {
    const { data, errors } = told(await test.as(who, examination));
    expect([data?.lastExamination ?? null, errors]).toEqual([null, [['lastExamination', 'DENIED', 'ROLE']]]);
  });

  it('is nothing to who has no second factor', async () => {
    const token = await test.token('oz', { mfa: false });
    expect(told(await test.as({ token }, examination)).errors).toEqual([['lastExamination', 'DENIED', 'MFA_REQUIRED']]);
  });
});
