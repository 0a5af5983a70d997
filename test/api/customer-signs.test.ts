import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { HoldDraft } from '../../src/features/holds/placing';
import { recordSignals } from '../../src/features/signals/recorder';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, Updates } from '../support/credentials';
import { rulesWithModes } from '../support/rules-file';

const day = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'counterfoil-signs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Signals of what the log says by now, judged. */
const settle = async (test: TestApp) => {
  await test.app.signingLog?.sequencer.turn();
  await test.app.signals.service.readLog();
  await test.app.signals.service.turn();
};
const startWith = async (mode: string) => {
  const rulesFile = join(folder, `${mode}.yaml`);
  writeFileSync(rulesFile, rulesWithModes({ 'change-against-history': mode }));
  const test = await TestApp.start({ config: { rulesFile } });
  await settle(test);
  return { test, updates: new Updates(test) };
};

describe('an update that doesn’t fit the customer’s history', () => {
  let test: TestApp;
  let updates: Updates;
  beforeAll(async () => {
    ({ test, updates } = await startWith('ON'));
  });
  afterAll(() => test.stop());

  /** An address that the customer confirmed and that was applied, and that signals tell of. */
  const applied = async (of: Case): Promise<void> => {
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    await settle(test);
  };
  const risksOf = async (id: string) => {
    const { risk_rules, needs_approval } = await updates.row(id);
    return { rules: JSON.parse(String(risk_rules)), needsApproval: Number(needs_approval) };
  };

  const against = { rules: ['change-against-history'], needsApproval: 1 };
  const fits = { rules: [], needsApproval: 0 };
  /** A shop tells that the customer's address was changed so long ago, abroad and on a new telephone. */
  const toldOf = async ({ customerId }: Case, ago = 0) => {
    const facts = { change: 'shipping-address', country: 'KE' } as const;
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      const occurredAt = new Date(change.at.getTime() - ago);
      const subjects = { customer: customerId, device: 'dev_other' };
      await recordSignals(change, [
        { source: 'shop', id: `usual-${customerId}`, type: 'ticket.contact', ...home(occurredAt, customerId) },
        { source: 'shop', id: `moved-${customerId}`, type: 'credential.changed', occurredAt, subjects, facts },
      ]);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: 2 } });
    });
    await test.app.signals.service.turn();
  };
  const home = (before: Date, customer: string) => ({
    occurredAt: new Date(before.getTime() - 20 * day),
    subjects: { customer, device: 'dev_own' },
    facts: { country: 'IE' },
  });

  const verdicts = async () =>
    (await test.events('rule.verdict'))
      .map(({ detail }) => detail as Readonly<Record<string, unknown>>)
      .filter(({ rule }) => rule === 'change-against-history');

  it('is another one within a month: that needs an approval', async () => {
    const of = await updates.next();
    await applied(of);
    test.clock.forward(2 * day);
    await updates.assist(of.ticketId);
    const again = await updates.asked(of, of.other, 'BILLING_ADDRESS');
    expect(await risksOf(again.id)).toEqual(against);
    expect((await updates.confirm(again.token)).outcome).toBe('confirmed');
    expect(await updates.state(again.id)).toBe('AWAITING_APPROVAL');
    expect(told(await test.as('sam', approveUpdate, { id: again.id })).errors).toEqual([]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('is none where the other one was long ago', async () => {
    const of = await updates.next();
    await applied(of);
    test.clock.forward(31 * day);
    await updates.assist(of.ticketId);
    expect(await risksOf((await updates.asked(of, of.other, 'BILLING_ADDRESS')).id)).toEqual(fits);
  });

  it('may have been asked for before the other one was made: then its yes is not the last word', async () => {
    const of = await updates.next();
    const second = await updates.asked(of, of.other, 'BILLING_ADDRESS');
    await applied(of);
    test.clock.forward(3_600_000);
    expect(await risksOf(second.id)).toEqual(fits);
    const answer = await updates.confirm(second.token);
    expect(answer).toMatchObject({ outcome: 'confirmed', waitsForApproval: true });
    expect(await risksOf(second.id)).toEqual(against);
    expect((await test.events('credential.risk')).at(-1)).toMatchObject({ detail: { rules: ['change-against-history'] } });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('comes after something else was changed elsewhere against their history', async () => {
    const of = await updates.next();
    await toldOf(of);
    expect(await verdicts()).toContainEqual(
      expect.objectContaining({ late: false, done: ['alert', 'high-risk-update', 'hold-orders'] }),
    );
    expect(await risksOf((await updates.asked(of, of.other, 'BILLING_ADDRESS')).id)).toEqual({
      rules: ['change-against-history', 'active-hold'],
      needsApproval: 1,
    });
  });

  it('is not made so by somebody else’s change, nor by what was told late', async () => {
    const [one, other] = [await updates.next(), await updates.next()];
    await toldOf(one);
    expect(await risksOf((await updates.asked(other, other.usual, 'BILLING_ADDRESS')).id)).toEqual(fits);
    await toldOf(other, 2 * 3_600_000);
    expect(await verdicts()).toContainEqual(expect.objectContaining({ late: true, done: ['alert'] }));
  });
});

it('a rule that only looks on makes no update high-risk', async () => {
  const { test, updates } = await startWith('SHADOW');
  try {
    const of = await updates.next();
    const first = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(first.token);
    await updates.drain();
    await settle(test);
    const { id } = await updates.asked(of, of.other, 'REMOVE');
    expect((await updates.row(id)).risk_rules).toBe('[]');
  } finally {
    await test.stop();
  }
});

describe('a hold on the customer', () => {
  let test: TestApp;
  let updates: Updates;
  beforeAll(async () => {
    test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50']) });
    updates = new Updates(test);
  });
  afterAll(() => test.stop());

  let placed = 0;
  const hold = (of: Case, over: Partial<HoldDraft> = {}) =>
    test.app.database.system('signals', 'signal.consume', async (change) => {
      placed += 1;
      await test.app.services.holds.place(change, {
        key: `test-${placed}`,
        cause: 'RULE',
        isProposal: false,
        ticketId: null,
        customerIds: [of.customerId],
        transactionId: null,
        emailDomain: null,
        effects: ['HOLD_ORDER'],
        until: new Date(change.at.getTime() + 3 * 3_600_000),
        rule: 'change-against-history',
        ruleVersion: 1,
        restsOn: [],
        reason: null,
        ...over,
      });
    });
  const transactionOf = async ({ customerId }: Case): Promise<string> => {
    const [row] = await test.app.database.query<{ id: string }>(
      `SELECT x.id FROM payment_transaction x JOIN helpdesk_customer c ON c.payment_customer_id = x.payment_customer_id WHERE c.id = ?`,
      [customerId],
    );
    return row?.id ?? '';
  };
  const risks = async (id: string) => {
    const { risk_rules, needs_approval } = await updates.row(id);
    return [JSON.parse(String(risk_rules)), Number(needs_approval)];
  };
  const requested = async (of: Case) => (await updates.asked(of, of.usual, 'BILLING_ADDRESS')).id;
  const end = async (id: string) => {
    await updates.drain();
    return [await updates.path(id), updates.executions(id)];
  };

  it.each<[string, (of: Case) => Promise<unknown>]>([
    ['whoever placed it', (of) => hold(of)],
    ['on one payment of theirs', async (of) => hold(of, { transactionId: await transactionOf(of), effects: ['DEFER_CAPTURE'] })],
    ['who is one of a group', (of) => hold(of, { customerIds: ['cus_other', of.customerId], emailDomain: 'digest' })],
  ])('makes an update high-risk, %s', async (_, place) => {
    const of = await updates.next();
    await place(of);
    expect(await risks(await requested(of))).toEqual([['active-hold'], 1]);
  });

  it.each<[string, (of: Case, other: Case) => Promise<unknown>]>([
    ['that is only proposed', (of) => hold(of, { isProposal: true })],
    ['on somebody else', (_, other) => hold(other)],
    [
      'that is over, whether its end was written down or not',
      async (of) => {
        await hold(of);
        test.clock.forward(3 * 3_600_000);
        await updates.assist(of.ticketId);
      },
    ],
  ])('that makes none so is one %s', async (_, place) => {
    const [of, other] = [await updates.next(), await updates.next()];
    await place(of, other);
    expect(await risks(await requested(of))).toEqual([[], 0]);
  });

  it('that comes before the customer’s yes makes it wait for a supervisor, who knows of it', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await hold(of);
    expect(await updates.confirm(token)).toMatchObject({ outcome: 'confirmed', waitsForApproval: true });
    expect(await risks(id)).toEqual([['active-hold'], 1]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    test.clock.forward(60_000);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    expect(await end(id)).toEqual([
      ['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_APPROVAL', 'APPLYING', 'APPLIED'],
      ['SET_ADDRESS'],
    ]);
  });

  it('that comes after the last who had a say ends it, and nothing is sent', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    await hold(of);
    expect(await end(id)).toEqual([['REQUESTED', 'AWAITING_CUSTOMER', 'APPLYING', 'FAILED ON_HOLD'], []]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('that comes after the approval does so too', async () => {
    const of = await updates.next();
    await hold(of);
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    test.clock.forward(60_000);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    test.clock.forward(60_000);
    await hold(of, { key: 'another' });
    expect((await end(id))[0]).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_APPROVAL', 'APPLYING', 'FAILED ON_HOLD']);
  });

  it('that comes while the new card is entered makes that wait too', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.other, 'REPLACE_CARD');
    const answer = await updates.confirm(token);
    await hold(of);
    await updates.enterCard(answer);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    expect(await risks(id)).toEqual([['active-hold'], 1]);
  });
});
