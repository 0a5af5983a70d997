import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import {
  type DemandState,
  demandStates,
  demandTransitions,
  expectDemandTransition,
  hasEnded,
} from '../../src/features/decisions/demand.states';
import type { AuthenticationReport } from '../../src/upstream/payments/payments.port';
import { countOf, eventsOf } from '../support/answers';
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
let taken = 0;
let references = 0;

beforeAll(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  pipeline = new Pipeline(test);
  payers = await pipeline.payers(60);
});
afterAll(async () => {
  expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  await test.stop();
});

/** A customer of whom nothing is known, and the demand that a service was told of. */
const presented = async () => {
  const payer = payers[taken++] as Payer;
  await pipeline.open(payer.customerId);
  const { demandId } = await pipeline.decide({ customer: payer.reference });
  // The customer is challenged afterwards.
  test.clock.forward(minute);
  return { payer, demandId: demandId as string };
};
/** What the provider says of an authentication under a reference of its own. */
const told = (customer: string | null, report: Partial<AuthenticationReport> = {}): string => {
  references += 1;
  const reference = `ch_authentication_${references}`;
  test.payments.addAuthentication(reference, { customer, ...report });
  return reference;
};
const stateOf = async (id: string) => {
  const [row] = await test.app.database.query<{ state: string }>('SELECT state FROM step_up_demand WHERE id = ?', [id]);
  return row?.state;
};
const otherService = async () =>
  pipeline.as({ token: await issuer.token('shop', { roles: ['SERVICE'], teams: [] }, test.clock.now()) });

describe('the table of states', () => {
  it('is all that there is: every other pair is a CONFLICT', () => {
    const moved = (from: DemandState, to: DemandState) => {
      try {
        expectDemandTransition(from, to);
        return 'moved';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    for (const from of demandStates)
      for (const to of demandStates)
        expect([from, to, moved(from, to)]).toEqual([from, to, demandTransitions[from].includes(to) ? 'moved' : 'CONFLICT']);
    expect(demandStates.filter(hasEnded)).toEqual(['SATISFIED', 'FAILED', 'EXPIRED', 'WITHDRAWN']);
  });
});

describe('a demand', () => {
  it('is met by a challenge that the provider says the customer completed, once; then nothing stands in the way for an hour', async () => {
    const { payer, demandId } = await presented();
    const reference = told(payer.reference);
    const events = await eventsOf(test, async () => expect(await pipeline.record(demandId, reference)).toBe('SATISFIED'));
    expect(events.map(({ action, subject, actor }) => [action, subject, (actor as { kind: string }).kind])).toEqual([
      ['demand.satisfy', { type: 'StepUpDemand', id: demandId }, 'service'],
    ]);
    expect(await eventsOf(test, async () => expect(await pipeline.record(demandId, reference)).toBe('SATISFIED'))).toEqual([]);
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('CONFLICT');
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
    // What a rule finds afterwards is something else.
    await pipeline.open(payer.customerId);
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('STEP_UP');
  });

  it.each<[string, Partial<AuthenticationReport>]>([
    ['the issuer judged without the customer', { flow: 'FRICTIONLESS' }],
    ['the issuer took no part', { result: 'ATTEMPTED' }],
    ['nobody was asked', { flow: null, result: 'NONE' }],
    ['it was off session', { isOffSession: true }],
    ['it was a wallet’s', { isWallet: true }],
    ['it was nobody’s', { customer: null }],
    ['it was before the demand', { at: new Date(Date.UTC(2026, 7, 1)) }],
    ['it is to be next month', { at: new Date(Date.UTC(2026, 10, 1)) }],
  ])('isn’t met where %s', async (_, report) => {
    const { payer, demandId } = await presented();
    const events = await eventsOf(test, async () =>
      expect(await pipeline.record(demandId, told(payer.reference, report))).toBe('PRESENTED'),
    );
    expect(events).toEqual([]);
    expect((await pipeline.decide({ customer: payer.reference })).demandId).toBe(demandId);
  });

  it('isn’t met by what another customer did, nor by a reference that the provider doesn’t know', async () => {
    const { demandId } = await presented();
    expect(await pipeline.record(demandId, told((payers[59] as Payer).reference))).toBe('PRESENTED');
    expect(await pipeline.record(demandId, 'ch_made_up')).toBe('PRESENTED');
  });

  it('isn’t met by what proved another one', async () => {
    const { payer, demandId } = await presented();
    const reference = told(payer.reference);
    expect(await pipeline.record(demandId, reference)).toBe('SATISFIED');
    await pipeline.open(payer.customerId, ['evt_later']);
    const { demandId: second } = await pipeline.decide({ customer: payer.reference });
    expect(second).not.toBe(demandId);
    // As late as it has to be, by the provider.
    test.payments.addAuthentication(reference, { customer: payer.reference, at: test.clock.now() });
    expect(await pipeline.record(second, reference)).toBe('PRESENTED');
  });

  /** A payment and its charge: two references of one challenge. */
  const twice = (customer: string, report: Partial<AuthenticationReport> = {}): [string, string] => {
    const id = told(customer, report);
    return [id, told(customer, { ...report, id })];
  };

  it.each([0, 1])('isn’t met by what proved another one, by another reference of it (%i)', async (first) => {
    const { payer, demandId } = await presented();
    const other = await otherService();
    const { demandId: second } = await other.decide({ customer: payer.reference });
    test.clock.forward(minute);
    const references = twice(payer.reference);
    const named = references[first] as string;
    expect(await pipeline.record(demandId, named)).toBe('SATISFIED');
    for (const reference of references) {
      expect(await other.record(second, reference)).toBe('PRESENTED');
      // To whoever had it met it is the same again.
      const events = await eventsOf(test, async () => expect(await pipeline.record(demandId, reference)).toBe('SATISFIED'));
      expect(events).toEqual([]);
    }
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('CONFLICT');
    expect(await pipeline.record(demandId, 'ch_made_up')).toBe('CONFLICT');
    expect(await other.record(second, told(payer.reference))).toBe('SATISFIED');
  });

  it('doesn’t fail by one challenge that is recorded by several references', async () => {
    const { payer, demandId } = await presented();
    const [first, second] = twice(payer.reference, { result: 'FAILED' });
    const third = told(payer.reference, { result: 'FAILED', id: first });
    const events = await eventsOf(test, async () => {
      for (const reference of [first, second, third]) expect(await pipeline.record(demandId, reference)).toBe('PRESENTED');
    });
    expect(events.map(({ action, detail }) => [action, (detail as { tries?: number }).tries])).toEqual([['demand.try', 1]]);
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('SATISFIED');
  });

  it('of two that one reference is recorded for at once is met once', async () => {
    const { payer, demandId } = await presented();
    const other = await otherService();
    const { demandId: second } = await other.decide({ customer: payer.reference });
    expect(second).not.toBe(demandId);
    test.clock.forward(minute);
    const reference = told(payer.reference);
    const states = await Promise.all([pipeline.record(demandId, reference), other.record(second, reference)]);
    expect(states.sort()).toEqual(['PRESENTED', 'SATISFIED']);
  });

  it('of one service isn’t there for another, and a step-up at the other meets it there', async () => {
    const { payer, demandId } = await presented();
    const other = await otherService();
    expect(await other.record(demandId, told(payer.reference))).toBe('NOT_FOUND');
    expect(await other.record('sup_absent', told(payer.reference))).toBe('NOT_FOUND');
    const { demandId: theirs } = await other.decide({ customer: payer.reference });
    test.clock.forward(minute);
    expect(await other.record(theirs, told(payer.reference))).toBe('SATISFIED');
    expect((await other.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
    expect(await stateOf(demandId)).toBe('PRESENTED');
  });

  it('that nobody was told of can’t be closed', async () => {
    const payer = payers[taken++] as Payer;
    const id = await pipeline.open(payer.customerId);
    expect(await pipeline.record(id, told(payer.reference))).toBe('NOT_FOUND');
  });

  it('fails by three challenges that failed, of which none counts twice; then there is a review until its time is over', async () => {
    const { payer, demandId } = await presented();
    const failed = told(payer.reference, { result: 'FAILED' });
    expect(await pipeline.record(demandId, failed)).toBe('PRESENTED');
    expect(await pipeline.record(demandId, failed)).toBe('PRESENTED');
    expect(await pipeline.record(demandId, told(payer.reference, { result: 'FAILED' }))).toBe('PRESENTED');
    expect(await pipeline.record(demandId, told((payers[58] as Payer).reference, { result: 'FAILED' }))).toBe('PRESENTED');
    const events = await eventsOf(test, async () =>
      expect(await pipeline.record(demandId, told(payer.reference, { result: 'FAILED', flow: null }))).toBe('FAILED'),
    );
    expect(events.map(({ action, detail }) => [action, detail])).toEqual([
      ['demand.fail', expect.objectContaining({ tries: 3 })],
    ]);
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('CONFLICT');
    expect(await pipeline.decide({ customer: payer.reference })).toMatchObject({ verdict: 'REVIEW', route: 'review' });
    test.clock.forward(24 * hour);
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
  });

  it('may be met under the reference of a payment whose first challenge failed', async () => {
    const { payer, demandId } = await presented();
    const reference = told(payer.reference, { result: 'FAILED' });
    expect(await pipeline.record(demandId, reference)).toBe('PRESENTED');
    test.clock.forward(minute);
    test.payments.addAuthentication(reference, { customer: payer.reference });
    expect(await pipeline.record(demandId, reference)).toBe('SATISFIED');
  });

  it('stays as it is where the provider doesn’t answer, and is met once it does', async () => {
    const { payer, demandId } = await presented();
    const reference = told(payer.reference);
    test.payments.goDown();
    expect(await pipeline.record(demandId, reference)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await stateOf(demandId)).toBe('PRESENTED');
    test.payments.comeBack();
    expect(await pipeline.record(demandId, reference)).toBe('SATISFIED');
  });

  it('has the provider asked so often and no more', async () => {
    const { demandId } = await presented();
    for (let index = 0; index < 30; index += 1) expect(await pipeline.record(demandId, `ch_guess_${index}`)).toBe('PRESENTED');
    const events = await eventsOf(test, async () => expect(await pipeline.record(demandId, 'ch_guess_30')).toBe('DENIED QUOTA'));
    expect(events.map(({ action }) => action)).toEqual(['denial']);
  });

  it('asks for what was done after all that it rests on was known', async () => {
    const payer = payers[taken++] as Payer;
    const id = await pipeline.open(payer.customerId, ['evt_first']);
    test.clock.forward(minute);
    const early = told(payer.reference);
    test.clock.forward(minute);
    expect(await pipeline.open(payer.customerId, ['evt_first', 'evt_second'])).toBe(id);
    await pipeline.decide({ customer: payer.reference });
    expect(await pipeline.record(id, early)).toBe('PRESENTED');
    expect(await pipeline.record(id, told(payer.reference))).toBe('SATISFIED');
  });

  it('of a rule that comes while a service has one is met with it', async () => {
    const { payer, demandId } = await presented();
    const second = await pipeline.open(payer.customerId, ['evt_another']);
    expect(second).not.toBe(demandId);
    expect((await pipeline.decide({ customer: payer.reference })).demandId).toBe(demandId);
    test.clock.forward(minute);
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('SATISFIED');
    expect([await stateOf(demandId), await stateOf(second)]).toEqual(['SATISFIED', 'WITHDRAWN']);
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
  });

  it('ends by itself after a day', async () => {
    const { payer, demandId } = await presented();
    test.clock.forward(24 * hour);
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('CONFLICT');
    expect((await pipeline.decide({ customer: payer.reference })).verdict).toBe('CLEAR');
    await test.app.services.stepUps.expire();
    expect(await stateOf(demandId)).toBe('EXPIRED');
    expect(await pipeline.record(demandId, told(payer.reference))).toBe('CONFLICT');
    expect(
      await countOf(test, 'step_up_demand', "state IN ('OPEN', 'PRESENTED') AND expires_at <= ?", test.clock.now().getTime()),
    ).toBe(0);
  });

  it.each(['ana', 'sam', 'ada', 'oz'])('isn’t closed by %s: only by a service', async (who) => {
    const { payer, demandId } = await presented();
    expect(await pipeline.as(who).record(demandId, told(payer.reference))).toBe('DENIED ROLE');
    expect(await stateOf(demandId)).toBe('PRESENTED');
  });

  it.each(['', 'with a blank', 'x'.repeat(256)])('isn’t met by a reference that is none: %j', async (reference) => {
    const { demandId } = await presented();
    expect(await pipeline.record(demandId, reference)).toBe('INVALID input.reference');
  });

  it('that was made SATISFIED by hand is found', async () => {
    const { demandId } = await presented();
    const set = "state = 'SATISFIED', known_device = 1, stage = 'CHECKOUT'";
    await tamper(test.app.database, `UPDATE step_up_demand SET ${set} WHERE id = '${demandId}'`);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([
      `1 step-up demands that their events say otherwise of: ${demandId} (state, knownDevice)`,
    ]);
    await tamper(test.app.database, `UPDATE step_up_demand SET state = 'PRESENTED', known_device = 0 WHERE id = '${demandId}'`);
  });
});
