import fc from 'fast-check';
import { type CredentialUpdateState, isTerminal, transitions } from '../../src/features/credentials/credential-update.states';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  flaws,
  newAddress,
  newestToken,
  rejection,
  rejectUpdate,
  transitionsAndEvents,
  Updates,
  writerOf,
} from '../support/credentials';

const hour = 3_600_000;
const day = 24 * hour;

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
  updates = new Updates(test);
});
afterAll(() => test.stop());

const actions = [
  'deliver',
  'confirm',
  'enter card',
  'refuse',
  'cancel',
  'approve',
  'reject',
  'lose before',
  'lose after',
  'spoil',
  'refusal',
  'go down',
  'come back',
  'an hour',
  'three days',
] as const;
type Action = (typeof actions)[number];

/** One update, as those see it who act on it. */
interface Lived {
  readonly id: string;
  /** Links that were sent before it was asked for. */
  readonly linksBefore: number;
}

const links = async () => (await test.app.database.query('SELECT id FROM credential_link')).length;
/** The customer's link, while it shows something. */
const link = async ({ linksBefore }: Lived) => {
  if ((await links()) === linksBefore) return null;
  const token = await newestToken(test);
  const view = await updates.desk.view(token);
  return view && { token, view };
};
const act: Readonly<Record<Action, (lived: Lived) => unknown>> = {
  deliver: () => updates.drain(),
  confirm: async (lived) => {
    const found = await link(lived);
    // Where the provider is down its page can't be opened, which is said and changes nothing.
    if (!found) return;
    // Another one each time: what holds already needs no call.
    const address = found.view.kind === 'BILLING_ADDRESS' ? { ...newAddress, line1: `Quay Street, house ${lived.id}` } : null;
    await updates
      .confirm(found.token, { address })
      .catch((error) => expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' }));
  },
  'enter card': async (lived) => {
    const page = (await link(lived))?.view.continueAt;
    if (page && test.payments.isReachable) updates.provider.enterCard(page.slice(page.lastIndexOf('/') + 1), 'visa', null);
    test.clock.forward(5_000);
    await updates.drain();
  },
  refuse: async (lived) => {
    const found = await link(lived);
    if (found) await updates.desk.refuse(found.token, found.view.shown);
  },
  cancel: ({ id }) => test.as('ana', cancelUpdate, { id }),
  approve: ({ id }) => test.as('sam', approveUpdate, { id }),
  reject: ({ id }) => test.as('sam', rejectUpdate, { id, reason: rejection }),
  'lose before': () => updates.provider.loseAnswers(1, { executed: false }),
  'lose after': () => updates.provider.loseAnswers(1, { executed: true }),
  spoil: () => updates.provider.spoilKeys(1),
  refusal: () => updates.provider.refuse('REFUSED'),
  'go down': () => test.payments.goDown(),
  'come back': () => test.payments.comeBack(),
  'an hour': () => updates.wait(hour, hour / 2),
  'three days': async () => {
    test.clock.forward(3 * day);
    await test.app.services.credentialExpiry.run();
  },
};

/** What the provider did where all went well, of a customer without subscriptions. */
const whole = {
  BILLING_ADDRESS: ['SET_ADDRESS'],
  REPLACE_CARD: ['OPEN_SETUP', 'ATTACH', 'SET_DEFAULT', 'DETACH'],
} as const;

const live = async (customer: Case, kind: keyof typeof whole, isRisky: boolean, sequence: readonly Action[]): Promise<void> => {
  const of = await updates.caseOf(customer.reference, customer.number);
  if (isRisky)
    await writerOf(test).query('UPDATE payment_customer SET email_changed_at = ? WHERE email_digest IS NOT NULL', [
      test.clock.now().getTime(),
    ]);
  const methods = await updates.methodsOf(of);
  const linksBefore = await links();
  const answer = await updates.request(of, of.usual, kind);
  expect(told(answer).errors).toEqual([]);
  const lived = { id: answer.data.requestCredentialUpdate.id as string, linksBefore };
  let [state, known]: [CredentialUpdateState, number] = ['REQUESTED', 1];
  for (const action of sequence) {
    await act[action](lived);
    const states = (await updates.path(lived.id)).map((step) => step.split(' ')[0] as CredentialUpdateState);
    for (const to of states.slice(known)) {
      expect([action, state, transitions[state].includes(to), to]).toEqual([action, state, true, to]);
      state = to;
    }
    known = states.length;
  }
  // Left alone, it comes to an end.
  test.payments.comeBack();
  updates.provider.clearFaults();
  for (const each of [1, 2]) {
    test.clock.forward(each * 2 * day);
    await test.app.services.credentialExpiry.run();
    await updates.wait(3 * hour, hour);
  }
  const { state: end, failure } = await updates.row(lived.id);
  expect([end, isTerminal(end as CredentialUpdateState)]).toEqual([end, true]);
  const executed = updates.executions(lived.id);
  if (end === 'APPLIED') expect(executed).toEqual(whole[kind]);
  else if (failure !== 'PARTLY_APPLIED') expect(await updates.methodsOf(of)).toEqual(methods);
  // No key had its effect twice.
  const keys = updates.provider.executions.filter(({ key }) => key.startsWith(lived.id)).map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
};

it('whatever people, providers and time do to an update, it moves along the table, ends, and was done once or not at all', async () => {
  const customer = await updates.next({ subscribed: false });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('BILLING_ADDRESS', 'REPLACE_CARD'),
      fc.boolean(),
      fc.array(fc.constantFrom(...actions), { maxLength: 10 }),
      // Most sequences of any actions end early; these get somewhere first.
      fc.constantFrom<readonly Action[]>(
        [],
        ['deliver'],
        ['deliver', 'confirm'],
        ['deliver', 'confirm', 'enter card'],
        ['deliver', 'confirm', 'enter card', 'lose after', 'approve', 'an hour'],
        ['deliver', 'confirm', 'lose before', 'enter card', 'spoil', 'approve', 'an hour'],
      ),
      (kind, isRisky, sequence, beginning) => live(customer, kind, isRisky, [...beginning, ...sequence]),
    ),
    { numRuns: 15 },
  );
  expect(await flaws(test)).toEqual([]);
  const { transitions: rows, events } = await transitionsAndEvents(test);
  expect(events).toEqual(rows);
  // Some got through.
  const ends = await test.app.database.query<{ state: string }>('SELECT DISTINCT state FROM credential_update');
  expect(ends.map(({ state }) => state)).toEqual(expect.arrayContaining(['APPLIED']));
});
