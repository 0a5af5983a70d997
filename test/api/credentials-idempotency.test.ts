import { everybodyInScope } from '../../src/features/tickets/tickets.scope';
import { countOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  type Case,
  cancelUpdate,
  flaws,
  freshKey,
  reason,
  requestUpdate,
  transitionsAndEvents,
  Updates,
} from '../support/credentials';
import { engine } from '../support/database';
import { OtherIssuer } from '../support/other-issuer';

let test: TestApp;
let issuer: OtherIssuer;
let updates: Updates;
beforeAll(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({
    config: { issuers: [issuer.configuration] },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']),
  });
  updates = new Updates(test);
});
afterEach(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
});
afterAll(() => test.stop());

const conflict = (argument?: string) => ({
  data: null,
  errors: [['requestCredentialUpdate', 'CONFLICT', argument].filter((part) => part !== undefined)],
});
const rowsOf = ({ ticketId }: Case) => countOf(test, 'credential_update', 'ticket_id = ?', ticketId);

describe('a request with an idempotency key', () => {
  it('that comes again with the same input is the same update, whatever became of it, and writes nothing', async () => {
    const of = await updates.next();
    const key = { idempotencyKey: freshKey() };
    const first = await updates.request(of, of.usual, 'BILLING_ADDRESS', key);
    expect(told(first).errors).toEqual([]);
    const events = (await test.events('credential.request')).length;
    expect(await updates.request(of, of.usual, 'BILLING_ADDRESS', key)).toEqual(first);
    // Blanks around a reason are no other reason.
    expect(await updates.request(of, of.usual, 'BILLING_ADDRESS', { ...key, reason: `  ${reason} ` })).toEqual(first);
    const { id } = first.data.requestCredentialUpdate;
    await test.as('ana', cancelUpdate, { id });
    const late = await updates.request(of, of.usual, 'BILLING_ADDRESS', key);
    expect(told(late)).toMatchObject({ data: { requestCredentialUpdate: { id, state: 'CANCELLED' } }, errors: [] });
    expect((await test.events('credential.request')).length).toBe(events);
    expect(await rowsOf(of)).toBe(1);
  });

  it('that comes again with anything else is a CONFLICT', async () => {
    const [of, other] = [await updates.next(), await updates.next()];
    const key = { idempotencyKey: freshKey() };
    const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS', key);
    for (const again of [
      () => updates.request(of, of.usual, 'REMOVE', key),
      () => updates.request(of, of.other, 'BILLING_ADDRESS', key),
      () => updates.request(of, of.usual, 'BILLING_ADDRESS', { ...key, reason: 'Quite another reason than before' }),
      () => updates.request(other, other.usual, 'BILLING_ADDRESS', key),
    ])
      expect(told(await again())).toEqual(conflict('input.idempotencyKey'));
    expect([await rowsOf(of), await rowsOf(other)]).toEqual([1, 0]);
    expect(await updates.state(data.requestCredentialUpdate.id)).toBe('REQUESTED');
  });

  it('of somebody else is another request, which says nothing of the first', async () => {
    const of = await updates.next();
    const key = { idempotencyKey: freshKey() };
    const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS', key);
    const chloe = { token: await issuer.token('chloe', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now()) };
    // She has no assistance there: the same answer as with any key.
    const denied = await updates.request(of, of.usual, 'BILLING_ADDRESS', key, chloe);
    expect(denied).toEqual(await updates.request(of, of.usual, 'BILLING_ADDRESS', {}, chloe));
    test.helpdesk.reassign(of.reference, 'chloe');
    await test.app.sources.syncAll();
    await test.as(chloe, 'query ($id: ID!) { ticket(id: $id) { customer { link } } }', { id: of.ticketId });
    const another = await updates.request(of, of.other, 'BILLING_ADDRESS', key, chloe);
    expect(told(another).errors).toEqual([]);
    expect(another.data.requestCredentialUpdate.id).not.toBe(data.requestCredentialUpdate.id);
  });

  it('is one update though it comes ten times at once', async () => {
    const of = await updates.next();
    const key = { idempotencyKey: freshKey() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => updates.request(of, of.usual, 'BILLING_ADDRESS', key)));
    expect(answers.map((answer) => told(answer).errors)).toEqual(answers.map(() => []));
    expect(new Set(answers.map(({ data }) => data.requestCredentialUpdate.id)).size).toBe(1);
    expect(await rowsOf(of)).toBe(1);
    await updates.drain();
    expect(await countOf(test, 'credential_link', 'update_id = ?', answers[0]?.data.requestCredentialUpdate.id)).toBe(1);
  });

  it('is one update though it comes to two gateways at once', async () => {
    const of = await updates.next();
    // A database file has one gateway; there the twins meet in the same one.
    const other = engine === 'mariadb' ? await test.replica() : test.app;
    const request = { paymentMethodId: of.usual.id, kind: 'BILLING_ADDRESS' as const, reason };
    const input = { ...request, idempotencyKey: freshKey() };
    const actor = await test.app.actors.identify({ authorization: `Bearer ${await test.token('ana')}` });
    const ticket = await test.app.services.tickets.inScope(actor, of.ticketId, everybodyInScope);
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? test.app : other).services.credentialRequests.request(ticket, input),
      ),
    );
    if (other !== test.app) await other.close();
    expect(new Set(ids).size).toBe(1);
    expect(await rowsOf(of)).toBe(1);
  });
});

describe('two different requests for one method', () => {
  it('at once: one is made, the other is a CONFLICT', async () => {
    const of = await updates.next();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => updates.request(of, of.usual, index % 2 === 0 ? 'BILLING_ADDRESS' : 'REMOVE')),
    );
    const made = answers.filter(({ errors }) => errors === undefined);
    expect(made).toHaveLength(1);
    expect(answers.filter(({ errors }) => errors !== undefined).map(told)).toEqual(Array.from({ length: 5 }, () => conflict()));
    expect(await rowsOf(of)).toBe(1);
  });

  it('at once count against the quota one after the other', async () => {
    const strict = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 2']) });
    const own = new Updates(strict);
    const of = await own.next({ methods: 3 });
    const answers = await Promise.all(of.methods.slice(0, 3).map((method) => own.request(of, method, 'REMOVE')));
    const errors = answers.flatMap((answer) => told(answer).errors);
    const rows = await countOf(strict, 'credential_update');
    await strict.stop();
    expect(errors).toEqual([['requestCredentialUpdate', 'DENIED', 'QUOTA']]);
    expect(rows).toBe(2);
  });
});

it('a request is only what its input says: nothing else is taken', async () => {
  const of = await updates.next();
  const input = { ticketId: of.ticketId, paymentMethodId: of.usual.id, kind: 'REPLACE_CARD', reason, idempotencyKey: freshKey() };
  for (const more of [{ number: '4242424242424242' }, { address: { line1: 'Zqstreet' } }, { state: 'APPLIED' }]) {
    const { errors = [] } = await test.as('ana', requestUpdate, { input: { ...input, ...more } });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['INVALID']);
    expect(JSON.stringify(errors)).not.toMatch(/4242|Zqstreet/);
  }
  expect(await rowsOf(of)).toBe(0);
});
