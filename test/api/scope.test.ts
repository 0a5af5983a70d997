import { describeGraph } from '../../src/features/schema';
import { eventsOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, freshKey, reason, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

let test: TestApp;
let issuer: OtherIssuer;
let updates: Updates;
/** Ana's ticket, on which she assists and has asked for an update. */
let of: Case;
let assistance: string;
let update: string;
let alert: string;
let hold: string;

beforeAll(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  updates = new Updates(test);
  of = await updates.next();
  ({ id: update } = await updates.asked(of, of.usual, 'BILLING_ADDRESS'));
  const [live] = await test.app.database.query<{ id: string }>('SELECT id FROM assistance WHERE ticket_id = ?', [of.ticketId]);
  assistance = live?.id ?? '';
  const concern =
    'mutation ($ticketId: ID!, $note: String!) { reportConcern(input: { ticketId: $ticketId, note: $note }) { id } }';
  const placing = 'mutation ($input: PlaceHoldInput!) { placeHold(input: $input) { id } }';
  hold = (await test.as('ana', placing, { input: holdOf() })).data.placeHold.id;
  alert = (await test.as('ana', concern, { ticketId: of.ticketId, note: reason })).data.reportConcern.id;
});
afterAll(() => test.stop());

const holdOf = () => ({
  ticketId: of.ticketId,
  effects: ['REVIEW'],
  until: new Date(test.clock.now().getTime() + 3_600_000).toISOString(),
  reason,
  idempotencyKey: freshKey(),
});

/** Each mutation of the graph, asked for with the ids of what is Ana's. */
const mutations: Readonly<Record<string, () => readonly [query: string, variables: Record<string, unknown>]>> = {
  // Before the assistance is ended under which they are reached.
  placeHold: () => ['mutation ($input: PlaceHoldInput!) { placeHold(input: $input) { id } }', { input: holdOf() }],
  approveHold: () => ['mutation ($id: ID!) { approveHold(id: $id) { id } }', { id: hold }],
  extendHold: () => [
    'mutation ($id: ID!, $until: DateTime!, $reason: String!) { extendHold(id: $id, until: $until, reason: $reason) { id } }',
    { id: hold, until: holdOf().until, reason },
  ],
  releaseHold: () => [
    'mutation ($id: ID!, $reason: String!) { releaseHold(id: $id, reason: $reason) { id } }',
    { id: hold, reason },
  ],
  beginAssistance: () => [
    'mutation ($input: BeginAssistanceInput!) { beginAssistance(input: $input) { id } }',
    { input: { ticketId: of.ticketId, purpose: 'OTHER', reason } },
  ],
  approveAssistance: () => ['mutation ($id: ID!) { approveAssistance(id: $id) { id } }', { id: assistance }],
  rejectAssistance: () => [
    'mutation ($id: ID!, $reason: String!) { rejectAssistance(id: $id, reason: $reason) { id } }',
    { id: assistance, reason },
  ],
  endAssistance: () => ['mutation ($id: ID!) { endAssistance(id: $id) { id } }', { id: assistance }],
  requestCredentialUpdate: () => [
    'mutation ($input: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $input) { id } }',
    {
      input: { ticketId: of.ticketId, paymentMethodId: of.other.id, kind: 'REMOVE', reason, idempotencyKey: freshKey() },
    },
  ],
  approveCredentialUpdate: () => ['mutation ($id: ID!) { approveCredentialUpdate(id: $id) { id } }', { id: update }],
  rejectCredentialUpdate: () => [
    'mutation ($id: ID!, $reason: String!) { rejectCredentialUpdate(id: $id, reason: $reason) { id } }',
    { id: update, reason },
  ],
  cancelCredentialUpdate: () => ['mutation ($id: ID!) { cancelCredentialUpdate(id: $id) { id } }', { id: update }],
  askCustomer: () => [
    'mutation ($ticketId: ID!) { askCustomer(ticketId: $ticketId, transactionId: "txn_absent") { id } }',
    { ticketId: of.ticketId },
  ],
  reportConcern: () => [
    'mutation ($input: ReportConcernInput!) { reportConcern(input: $input) { id } }',
    { input: { ticketId: of.ticketId, note: reason } },
  ],
  recordClaim: () => [
    'mutation ($input: RecordClaimInput!) { recordClaim(input: $input) { id } }',
    { input: { ticketId: of.ticketId, date: '2026-09-01', idempotencyKey: freshKey() } },
  ],
  resolveAlert: () => ['mutation ($id: ID!) { resolveAlert(input: { id: $id, resolution: UNSURE }) { id } }', { id: alert }],
};

/** About no ticket: who may ask for these is what their own tests are about. */
const ofNoTicket = ['eraseActorName', 'paymentDecision', 'recordStepUp', 'releaseBrake', 'replayWebhooks'];

const stored = async () => ({
  alerts: await test.app.database.query('SELECT * FROM risk_alert ORDER BY id'),
  assistances: await test.app.database.query('SELECT * FROM assistance ORDER BY id'),
  updates: await test.app.database.query('SELECT * FROM credential_update ORDER BY id'),
  holds: await test.app.database.query('SELECT * FROM payment_hold ORDER BY id'),
});

describe('what belongs to somebody else’s ticket', () => {
  it('is asked for here by every mutation that there is', () => {
    const all = Object.keys(describeGraph().schema.getMutationType()?.getFields() ?? {});
    expect([...Object.keys(mutations), ...ofNoTicket].sort()).toEqual(all.sort());
  });

  describe.each([
    ['a colleague of another team', 'ben', ['wallets']],
    ['somebody of another team whom the helpdesk doesn’t know', 'rosa', ['disputes']],
  ])('to %s', (_, user, teams) => {
    it.each(Object.keys(mutations))('isn’t there for %s, and stays as it is', async (name) => {
      const token = await issuer.token(user, { roles: ['AGENT', 'SUPERVISOR'], teams }, test.clock.now());
      const [query, variables] = (mutations[name] as (typeof mutations)[string])();
      await test.as({ token }, '{ viewer { id } }');
      const before = await stored();
      const events = await eventsOf(test, async () => {
        const answer = told(await test.as({ token }, query, variables));
        expect(answer).toEqual({ data: null, errors: [[name, 'NOT_FOUND']] });
      });
      // The attempt itself is on record, the first of them at once and the others by their number.
      expect([events.filter(({ action }) => action !== 'denial'), await stored()]).toEqual([[], before]);
    });
  });

  it('is there for whoever works with it', async () => {
    const answers = new Map<string, string>();
    for (const name of Object.keys(mutations)) {
      const [query, variables] = (mutations[name] as (typeof mutations)[string])();
      const { errors } = told(await test.as('ana', query, variables));
      answers.set(name, errors.map(([, code]) => code).join());
    }
    expect([...answers.values()]).not.toContain('NOT_FOUND');
    expect(answers.get('beginAssistance')).toBe('');
  });
});
