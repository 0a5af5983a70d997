import { demoTickets } from '../../src/development/merchant/cast';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { type Case, detailsOfUpdates, Updates, withheld } from '../support/credentials';
import { shownIn } from '../support/disclosed';

const derived = 'riskRules needsCode needsApproval failure confirmation { proofs } history { reason }';
const list = `query List { credentialUpdates { nodes { id state ${derived} } } }`;
const read = `query Read($id: ID!) { credentialUpdate(id: $id) { id state ${derived} before { last4 brand } after { last4 } reason } }`;
const fields = detailsOfUpdates.filter((name) => !['after', 'before', 'reason'].includes(name));

describe('what tells of a customer’s link, disputes and methods', () => {
  let test: TestApp;
  let updates: Updates;
  let of: Case;
  let id: string;
  let token: string;
  beforeAll(async () => {
    test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50']) });
    updates = new Updates(test);
    of = await updates.next({ methods: 1, subscribed: false });
    ({ id, token } = await updates.asked(of, of.usual, 'REMOVE'));
  });
  afterAll(() => test.stop());
  const disclosures = () => test.events('disclosure');

  it('is told to who assists, and is on record', async () => {
    const before = new Set((await disclosures()).map((event) => event.id));
    const { data, errors } = await test.as('ana', read, { id });
    expect(errors).toBeUndefined();
    expect(data.credentialUpdate).toMatchObject({
      riskRules: ['removes-default'],
      needsCode: true,
      needsApproval: true,
      failure: null,
      before: { last4: of.usual.last4 },
    });
    const shown = await Promise.all(
      (await disclosures()).filter((event) => !before.has(event.id)).map((event) => shownIn(test, event)),
    );
    const recorded = shown.flat().map(([field]) => field);
    for (const field of ['riskRules', 'needsCode', 'needsApproval', 'failure'])
      expect(recorded).toContain(`CredentialUpdate.${field}`);
    expect(recorded).toContain('CredentialUpdateTransition.reason');
  });

  it('is told to nobody without a second factor, and nothing of it is shown', async () => {
    const before = (await disclosures()).length;
    for (const user of ['ana', 'sam']) {
      const { data, errors = [] } = await test.as({ token: await test.token(user, { mfa: false }) }, list);
      const nodes = data.credentialUpdates.nodes as readonly Record<string, unknown>[];
      expect(nodes.map((node) => node.id)).toContain(id);
      for (const node of nodes)
        expect(node).toMatchObject({ riskRules: null, needsCode: null, needsApproval: null, failure: null });
      expect(new Set(errors.map(({ extensions }) => extensions.reason))).toEqual(new Set(['MFA_REQUIRED']));
    }
    expect(await disclosures()).toHaveLength(before);
  });

  it('is told to a supervisor without an assistance only while the update waits for their decision', async () => {
    const waiting = await test.as('sam', read, { id });
    expect(waiting.data.credentialUpdate).toMatchObject({ riskRules: null, needsCode: null, needsApproval: null, reason: null });
    expect(withheld(waiting.errors ?? [])).toEqual(
      expect.arrayContaining(fields.filter((name) => name !== 'confirmation.proofs' && name !== 'history.reason')),
    );
    expect(new Set(waiting.errors?.map(({ extensions }) => extensions.reason))).toEqual(new Set(['NO_ASSISTANCE']));
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    const asked = await test.as('sam', read, { id });
    expect(told(asked)).toMatchObject({
      data: {
        credentialUpdate: {
          state: 'AWAITING_APPROVAL',
          riskRules: ['removes-default'],
          confirmation: { proofs: ['link', 'code'] },
        },
      },
      errors: [],
    });
  });

  it('is left out once nobody knows who the customer is at the payment side, whatever the file says of it', async () => {
    await tamper(test.app.database, "UPDATE helpdesk_customer SET link = 'NONE', payment_customer_id = NULL WHERE id = ?", [
      of.customerId,
    ]);
    const answer = await test.as('sam', read, { id });
    expect(told(answer)).toEqual({
      data: {
        credentialUpdate: {
          id,
          state: 'AWAITING_APPROVAL',
          riskRules: null,
          needsCode: null,
          needsApproval: null,
          failure: null,
          confirmation: { proofs: null },
          history: expect.arrayContaining([{ reason: null }]),
          before: null,
          after: null,
          reason: expect.any(String),
        },
      },
      errors: [],
    });
  });
});

describe('a value that a customer’s link hides', () => {
  let test: TestApp;
  beforeAll(async () => {
    const hidden = '{ VERIFIED: reveal, MATCHED: omit, NONE: omit }';
    test = await TestApp.start({
      policy: policyWith(
        ['amount: { AGENT: reveal,', `amount: { AGENT: ${hidden},`],
        [
          'status: { AGENT: reveal, SUPERVISOR: reveal, "*": deny }\n    declineCode',
          `status: { AGENT: ${hidden}, SUPERVISOR: reveal, "*": deny }\n    declineCode`,
        ],
      ),
    });
  });
  afterAll(() => test.stop());

  const transactions = (reference: string, given: string) =>
    test.as(
      'ana',
      `{ ticketByReference(source: "demo", reference: "${reference}") { customer { link transactions${given} { totalCount nodes { amount { minorUnits } } } } } }`,
    );

  it.each([
    ['(filter: { amountAtLeast: 1 })', 'NOT_FILTERABLE'],
    ['(filter: { currency: "EUR" })', 'NOT_FILTERABLE'],
    ['(filter: { status: [DECLINED] })', 'NOT_FILTERABLE'],
    ['(orderBy: AMOUNT)', 'NOT_SORTABLE'],
  ])('isn’t found out by %s either', async (given, reason) => {
    for (let time = 0; time < 3; time++) {
      const matched = await transactions(demoTickets.matched.reference, given);
      expect(told(matched)).toEqual({
        data: { ticketByReference: { customer: { link: 'MATCHED', transactions: null } } },
        errors: [['ticketByReference.customer.transactions', 'DENIED', reason]],
      });
      const verified = await transactions(demoTickets.own.reference, given);
      expect(told(verified)).toMatchObject({ data: { ticketByReference: { customer: { link: 'VERIFIED' } } }, errors: [] });
      expect(verified.data.ticketByReference.customer.transactions).not.toBeNull();
    }
  });

  it('leaves the list as it is where it isn’t asked by it', async () => {
    for (const given of [
      '',
      '(first: 3)',
      '(filter: { createdFrom: "2020-01-01T00:00:00Z" })',
      '(filter: {})',
      '(filter: null)',
    ]) {
      const { data, errors } = await transactions(demoTickets.matched.reference, given);
      expect(errors).toBeUndefined();
      expect(data.ticketByReference.customer.transactions.nodes.length).toBeGreaterThan(0);
      for (const node of data.ticketByReference.customer.transactions.nodes) expect(node).toEqual({ amount: null });
    }
  });
});
