import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { HoldEffectKind } from '../../src/features/holds/hold.states';
import type { HoldDraft } from '../../src/features/holds/placing';
import { countOf } from '../support/answers';
import { TestApp } from '../support/app';
import { type Payer, Pipeline } from '../support/decisions';
import { HeldPayments, hour, subjectsOf } from '../support/holds';

const all: readonly HoldEffectKind[] = ['DEFER_CAPTURE', 'STEP_UP', 'REVIEW', 'BLOCK_NEW', 'PAUSE_RENEWAL', 'HOLD_ORDER'];

describe('very many holds, or one on very many', () => {
  let test: TestApp;
  let held: HeldPayments;
  let payers: readonly Payer[];
  beforeAll(async () => {
    test = await TestApp.start({ environment: { DEMO_SIZE: '0.1' } });
    held = new HeldPayments(test);
    payers = await new Pipeline(test).payers(60);
    expect(payers.length).toBe(60);
  });
  afterAll(() => test.stop());

  let made = 0;
  /** Many at once, in one change. */
  const place = (drafts: readonly Partial<HoldDraft>[]): Promise<readonly string[]> =>
    test.app.database.system('signals', 'hold.place', async (change) => {
      const ids: string[] = [];
      for (const draft of drafts) {
        made += 1;
        const placed = await test.app.services.holds.place(change, {
          key: `many-${made}`,
          cause: 'RULE',
          isProposal: false,
          ticketId: null,
          customerIds: [],
          transactionId: null,
          emailDomain: null,
          effects: ['REVIEW'],
          until: new Date(test.clock.now().getTime() + hour),
          rule: 'card-testing',
          ruleVersion: 1,
          restsOn: [],
          reason: null,
          ...draft,
        });
        if (!('id' in placed)) throw new Error(placed.refused);
        ids.push(placed.id);
      }
      return ids;
    });

  it('are all in the way of those who are asked about together, however many stand on others', async () => {
    const [last, ...others] = payers as readonly [Payer, ...Payer[]];
    // Six effects of sixty holds on each: as many as a customer may have.
    const many = others
      .slice(0, 7)
      .flatMap(({ customerId }) =>
        (['RULE', 'AGENT', 'SUPERVISOR'] as const).flatMap((cause) =>
          Array.from({ length: 20 }, () => ({ cause, customerIds: [customerId], effects: all })),
        ),
      );
    await place(many);
    expect(await countOf(test, 'payment_hold_effect')).toBeGreaterThan(2_000);
    test.clock.forward(1_000);
    await place([{ customerIds: [last.customerId], effects: ['BLOCK_NEW'] }]);
    // As a group of questions reads them.
    const asked = await subjectsOf(
      test,
      [last, ...others.slice(0, 7)].map(({ customerId }) => customerId),
    );
    const standing = await test.app.services.holds.standing(test.app.database, asked);
    expect(standing.length).toBe(many.length + 1);
    expect(standing.every(({ effects }, index) => effects.length === (index < many.length ? 6 : 1))).toBe(true);
    expect((await new Pipeline(test).decide({ customer: last.reference })).verdict).toBe('HOLD');
  });

  it('stands on fifty at the provider, is looked after for each of them in turn, and agrees with its events until it was let go', async () => {
    const group = payers.slice(8, 58);
    const [id] = await place([{ customerIds: group.map(({ customerId }) => customerId), effects: ['BLOCK_NEW'] }]);
    await held.drain();
    expect(await held.stored(id as string)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER');
    const named = (await test.events('hold.effect'))
      .filter(({ subject, detail }) => (subject as { id: string }).id === id && 'step' in (detail as object))
      .map(({ customers }) => (customers as readonly unknown[]).length);
    expect([named.length >= 100, new Set(named)]).toEqual([true, new Set([1])]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    // Somebody at the provider takes the last of them off the list.
    const off = { action: 'UNLIST', list: 'BLOCK', of: 'CUSTOMER', value: (group.at(-1) as Payer).reference } as const;
    expect(await test.payments.holds.perform(off, 'somebody-else')).toEqual({ outcome: 'done' });
    for (let looks = 0; looks < 6; looks += 1) await held.wait(300_000);
    expect(await held.stored(id as string)).toBe('ACTIVE, BLOCK_NEW APPLIED PIPELINE');
    test.clock.forward(hour);
    await held.sweep();
    await held.drain();
    expect(await held.stored(id as string)).toBe('EXPIRED, BLOCK_NEW REVERSED PIPELINE');
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });
});
