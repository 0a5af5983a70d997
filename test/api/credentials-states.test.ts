import { sql } from '../../src/db/sql';
import { CredentialUpdate } from '../../src/features/credentials/credential-update.entity';
import { move } from '../../src/features/credentials/credential-update.moves';
import {
  type CredentialUpdateState,
  credentialUpdateStates,
  isTerminal,
  transitions,
} from '../../src/features/credentials/credential-update.states';
import { transition, transitionRows } from '../../src/features/credentials/credentials.rows';
import { CustomerSeal } from '../../src/features/keys/customer-seal';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  newAddress,
  rejection,
  rejectUpdate,
  Updates,
  wholeDatabase,
  writerOf,
} from '../support/credentials';

let test: TestApp;
let updates: Updates;
let of: Case;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
  updates = new Updates(test);
  of = await updates.next({ subscribed: false });
});
afterAll(() => test.stop());

const pairs = credentialUpdateStates.flatMap((from) => credentialUpdateStates.map((to) => [from, to] as const));

describe('the table of transitions', () => {
  /** Moves an update that stands in a state to another one, as every part of the gateway does, and takes it all back. */
  class TakenBack extends Error {}
  const moved = async (id: string, from: CredentialUpdateState, to: CredentialUpdateState) => {
    const keys = test.keys;
    return test.app.database
      .system('worker', 'credential.apply', async (change) => {
        const update = await change.lock(CredentialUpdate, { id });
        update.state = from;
        update.openKey = isTerminal(from) ? null : update.openKey;
        await move(change, await CustomerSeal.of(change, keys, update.customerId), update, 'credential.apply', { to });
        const rows = await change.read(
          transitionRows,
          sql`WHERE ${transition.updateId} = ${id} AND ${transition.fromState} = ${from} AND ${transition.toState} = ${to}`,
        );
        throw Object.assign(new TakenBack(), { rows: rows.length, state: update.state });
      })
      .catch((error: unknown) => {
        if (error instanceof TakenBack) return { ...error };
        return { code: (error as { code?: unknown }).code };
      });
  };

  it('is all that there is: every pair of states in it moves with one row of history, every other one is a CONFLICT', async () => {
    const { id } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const before = await wholeDatabase(test);
    const outcomes: Record<string, unknown> = {};
    for (const [from, to] of pairs) outcomes[`${from} → ${to}`] = await moved(id, from, to);
    expect(outcomes).toEqual(
      Object.fromEntries(
        pairs.map(([from, to]) => [
          `${from} → ${to}`,
          // REQUESTED → AWAITING_CUSTOMER is in its history already.
          transitions[from].includes(to)
            ? { rows: `${from} → ${to}` === 'REQUESTED → AWAITING_CUSTOMER' ? 2 : 1, state: to }
            : { code: 'CONFLICT' },
        ]),
      ),
    );
    expect(await wholeDatabase(test)).toEqual(before);
    await test.as('ana', cancelUpdate, { id });
    await updates.drain();
  });

  it('leads from everywhere to an end, and from an end nowhere', () => {
    const reachable = (from: CredentialUpdateState, seen = new Set<CredentialUpdateState>()): Set<CredentialUpdateState> => {
      for (const to of transitions[from]) if (!seen.has(to)) reachable(to, seen.add(to));
      return seen;
    };
    for (const state of credentialUpdateStates)
      expect([state, isTerminal(state) || [...reachable(state)].some(isTerminal)]).toEqual([state, true]);
    expect([...reachable('REQUESTED'), 'REQUESTED'].sort()).toEqual([...credentialUpdateStates].sort());
  });
});

describe('an update that stands in a state', () => {
  type Attempt = readonly [string, (id: string, token: string) => Promise<unknown>];
  const code = async (answer: Promise<{ errors?: unknown; data: unknown }>) =>
    told((await answer) as never).errors[0]?.[1] ?? 'done';
  const attempts: readonly Attempt[] = [
    ['cancel', (id) => code(test.as('ana', cancelUpdate, { id }))],
    ['approve', (id) => code(test.as('sam', approveUpdate, { id }))],
    ['reject', (id) => code(test.as('sam', rejectUpdate, { id, reason: rejection }))],
    [
      'confirm',
      async (_, token) =>
        (
          await updates.desk.confirm(token, {
            shown: (await updates.desk.view(token))?.shown ?? '',
            code: '',
            address: newAddress,
          })
        ).outcome,
    ],
    ['refuse', async (_, token) => (await updates.desk.refuse(token, '')).outcome],
    ['send code', async (_, token) => (await updates.desk.sendCode(token)).outcome],
    [
      'expire',
      async (id) => {
        await writerOf(test).query('UPDATE credential_update SET expires_at = ? WHERE id = ?', [
          test.clock.now().getTime() - 1,
          id,
        ]);
        const before = await updates.state(id);
        await test.app.services.credentialExpiry.run();
        return (await updates.state(id)) === before ? 'stays' : await updates.state(id);
      },
    ],
  ];
  /** What comes of each; whatever isn't named is refused: CONFLICT to staff, a dead link to the customer, and expiry passes it over. */
  const refused: Readonly<Record<string, unknown>> = {
    cancel: 'CONFLICT',
    approve: 'CONFLICT',
    reject: 'CONFLICT',
    confirm: 'dead',
    refuse: 'dead',
    'send code': 'dead',
    expire: 'stays',
  };
  const possible: Readonly<Partial<Record<CredentialUpdateState, Readonly<Record<string, unknown>>>>> = {
    REQUESTED: { cancel: 'done', expire: 'EXPIRED' },
    AWAITING_CUSTOMER: { cancel: 'done', confirm: 'confirmed', refuse: 'refused', 'send code': 'again', expire: 'EXPIRED' },
    // The customer is led back to the provider's page, with a code where their yes took one.
    AWAITING_PROVIDER: { cancel: 'done', confirm: 'continue', 'send code': 'again', expire: 'EXPIRED' },
    AWAITING_APPROVAL: { cancel: 'done', approve: 'done', reject: 'done', expire: 'EXPIRED' },
    // Once more is once: nothing is done.
    CANCELLED: { cancel: 'done' },
  };

  it.each(credentialUpdateStates)('%s takes what the table has, and refuses all else without a trace', async (state) => {
    const outcomes: Record<string, unknown> = {};
    for (const [name, attempt] of attempts) {
      const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
      // Put there by force: no job, no confirmation and no step belongs to it.
      await writerOf(test).query('UPDATE credential_update SET state = ?, open_key = ? WHERE id = ?', [
        state,
        isTerminal(state) ? null : of.usual.id,
        id,
      ]);
      const before = (await updates.path(id)).length;
      outcomes[name] = await attempt(id, token);
      const isPossible = possible[state]?.[name] !== undefined && !['again', 'continue'].includes(String(outcomes[name]));
      const isRepeated = state === 'CANCELLED';
      expect([name, (await updates.path(id)).length - before]).toEqual([name, isPossible && !isRepeated ? 1 : 0]);
      // Out of the way of the next one.
      await writerOf(test).query("UPDATE credential_update SET open_key = NULL, state = 'CANCELLED' WHERE id = ?", [id]);
      await writerOf(test).query("UPDATE credential_job SET state = 'DONE' WHERE update_id = ?", [id]);
    }
    expect(outcomes).toEqual({ ...refused, ...possible[state] });
  });

  it.each(credentialUpdateStates.filter((state) => state !== 'APPLYING' && state !== 'UNKNOWN'))(
    '%s is nothing for the worker, even if a job says so: the provider is not called',
    async (state) => {
      const { id } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
      await writerOf(test).query('UPDATE credential_update SET state = ? WHERE id = ?', [state, id]);
      await writerOf(test).query(
        "UPDATE credential_job SET kind = 'PROVIDER', state = 'PENDING' WHERE update_id = ? AND kind = 'LINK'",
        [id],
      );
      await updates.drain();
      expect([await updates.state(id), updates.executions(id)]).toEqual([state, []]);
      await writerOf(test).query("UPDATE credential_update SET open_key = NULL, state = 'CANCELLED' WHERE id = ?", [id]);
    },
  );
});
