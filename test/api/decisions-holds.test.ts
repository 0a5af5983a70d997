import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { HoldEffectKind } from '../../src/features/holds/hold.states';
import { subjectDigest } from '../../src/features/signals/subjects';
import { countOf } from '../support/answers';
import { TestApp } from '../support/app';
import { writerOf } from '../support/credentials';
import { type Payer, Pipeline } from '../support/decisions';

const minute = 60_000;
const hour = 60 * minute;

let test: TestApp;
let pipeline: Pipeline;
let payers: readonly Payer[];
let taken = 0;
let holds = 0;

beforeAll(async () => {
  test = await TestApp.start();
  pipeline = new Pipeline(test);
  payers = await pipeline.payers(60);
});
afterAll(async () => {
  expect((await rowsWithoutEvent(test.app.database)).findings.filter((each) => /demand|decision/.test(each))).toEqual([]);
  await test.stop();
});

const next = () => payers[taken++] as Payer;

/** A hold by a rule, on customers, a payment, or a group by its mail domain. */
const place = async (
  effects: readonly HoldEffectKind[],
  on: {
    readonly customerIds?: readonly string[];
    readonly transactionId?: string;
    readonly emailDomain?: string;
    readonly hours?: number;
  },
) => {
  holds += 1;
  const { app, clock } = test;
  const placed = await app.database.system('signals', 'hold.place', (change) =>
    app.services.holds.place(change, {
      key: `hold ${holds}`,
      cause: 'RULE',
      isProposal: false,
      ticketId: null,
      customerIds: on.customerIds ?? [],
      transactionId: on.transactionId ?? null,
      emailDomain: on.emailDomain ?? null,
      effects,
      until: new Date(clock.now().getTime() + (on.hours ?? 12) * hour),
      rule: 'card-testing',
      ruleVersion: 1,
      restsOn: ['evt_of_a_verdict'],
      reason: null,
    }),
  );
  if (!('id' in placed)) throw new Error('it was refused');
  return placed.id;
};

describe('a hold stands in the way', () => {
  it.each<[HoldEffectKind, readonly (readonly [stage: 'CHECKOUT' | 'CAPTURE' | 'FULFIL' | 'RENEWAL', verdict: string])[]]>([
    [
      'BLOCK_NEW',
      [
        ['CHECKOUT', 'HOLD'],
        ['CAPTURE', 'CLEAR'],
        ['FULFIL', 'CLEAR'],
        ['RENEWAL', 'CLEAR'],
      ],
    ],
    [
      'REVIEW',
      [
        ['CHECKOUT', 'REVIEW'],
        ['CAPTURE', 'REVIEW'],
        ['FULFIL', 'REVIEW'],
        ['RENEWAL', 'REVIEW'],
      ],
    ],
    // Its demand is one that nobody has met: where the customer isn't there, somebody has to look.
    [
      'STEP_UP',
      [
        ['RENEWAL', 'REVIEW'],
        ['CAPTURE', 'CLEAR'],
        ['FULFIL', 'CLEAR'],
        ['CHECKOUT', 'STEP_UP'],
      ],
    ],
    [
      'DEFER_CAPTURE',
      [
        ['CHECKOUT', 'CLEAR'],
        ['CAPTURE', 'HOLD'],
        ['FULFIL', 'CLEAR'],
        ['RENEWAL', 'CLEAR'],
      ],
    ],
    [
      'PAUSE_RENEWAL',
      [
        ['CHECKOUT', 'CLEAR'],
        ['CAPTURE', 'CLEAR'],
        ['FULFIL', 'CLEAR'],
        ['RENEWAL', 'HOLD'],
      ],
    ],
    [
      'HOLD_ORDER',
      [
        ['CHECKOUT', 'CLEAR'],
        ['CAPTURE', 'CLEAR'],
        ['FULFIL', 'HOLD'],
        ['RENEWAL', 'CLEAR'],
      ],
    ],
  ])('by %s where that says so, and nowhere else', async (effect, stages) => {
    const { reference, customerId } = next();
    const hold = await place([effect], { customerIds: [customerId] });
    for (const [stage, verdict] of stages) {
      const made = await pipeline.decide({ customer: reference }, stage);
      expect([stage, made.verdict, made.route]).toEqual([
        stage,
        verdict,
        verdict === 'HOLD' ? 'hold' : verdict === 'REVIEW' ? 'review' : null,
      ]);
      if (verdict === 'CLEAR') continue;
      const event = (await test.events('decision.make')).find(({ subject }) => (subject as { id: string }).id === made.id);
      expect(event?.detail).toMatchObject({ restsOn: expect.arrayContaining([hold]) });
    }
  });

  it('by the strictest of all that there are', async () => {
    const { reference, customerId } = next();
    await pipeline.open(customerId);
    await place(['REVIEW'], { customerIds: [customerId] });
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('REVIEW');
    await place(['STEP_UP', 'BLOCK_NEW'], { customerIds: [customerId] });
    expect(await pipeline.decide({ customer: reference })).toMatchObject({ verdict: 'HOLD', route: 'hold', demandId: null });
  });

  it('of the payment that it is on alone, whoever else asks at the same time', async () => {
    const { reference, customerId } = next();
    const record = await test.payments.fetchCustomer(reference, new Date(0));
    const [first, second] = record?.transactions ?? [];
    const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM payment_transaction WHERE reference = ?', [
      first?.reference,
    ]);
    await place(['DEFER_CAPTURE'], { customerIds: [customerId], transactionId: row?.id ?? '' });
    const verdicts = await Promise.all(
      [first, second, first].map(
        async (payment) => (await pipeline.decide({ customer: reference, payment: payment?.reference }, 'CAPTURE')).verdict,
      ),
    );
    expect(verdicts).toEqual(['HOLD', 'CLEAR', 'HOLD']);
  });

  it('of everybody of a mail domain, known here or not', async () => {
    const emailDomain = subjectDigest(test.keys.digests, 'emailDomain', 'burst.example');
    await place(['BLOCK_NEW'], { emailDomain });
    expect((await pipeline.decide({ email: 'New.One@BURST.example' })).verdict).toBe('HOLD');
    expect((await pipeline.decide({ email: 'new.one@elsewhere.example' })).verdict).toBe('CLEAR');
    await place(['STEP_UP'], { emailDomain: subjectDigest(test.keys.digests, 'emailDomain', 'step.example') });
    // Nobody knows who would be authenticated.
    expect(await pipeline.decide({ email: 'a@step.example' })).toMatchObject({ verdict: 'REVIEW', demandId: null });
    const { demandId } = await pipeline.decide({ email: 'a@step.example', customer: 'cus_of_a_new_one' });
    expect(demandId).toMatch(/^sup_/);
    test.clock.forward(minute);
    test.payments.addAuthentication('ch_new_one', { customer: 'cus_of_a_new_one' });
    expect(await pipeline.record(demandId, 'ch_new_one')).toBe('SATISFIED');
    expect((await pipeline.decide({ email: 'a@step.example', customer: 'cus_of_a_new_one' })).verdict).toBe('CLEAR');
  });

  it('of whom it is on alone, however many others are asked about with them', async () => {
    const people = Array.from({ length: 12 }, () => next());
    for (const [index, { customerId }] of people.entries())
      if (index % 3 === 0) await place(['BLOCK_NEW'], { customerIds: [customerId] });
    const records = await Promise.all(people.map(({ reference }) => test.payments.fetchCustomer(reference, new Date(0))));
    const asked = people.flatMap(({ reference }, index) => [
      { customer: reference },
      { card: records[index]?.methods[0]?.reference },
      { payment: records[index]?.transactions[0]?.reference },
      { customer: `cus_of_nobody_${index}` },
    ]);
    const verdicts = await Promise.all(asked.map(async (given) => (await pipeline.decide(given)).verdict));
    expect(verdicts).toEqual(
      people.flatMap((_, index) => (index % 3 === 0 ? ['HOLD', 'HOLD', 'HOLD', 'CLEAR'] : ['CLEAR', 'CLEAR', 'CLEAR', 'CLEAR'])),
    );
  });

  it('that is placed between two stages from then on, not in what was answered before', async () => {
    const { reference, customerId } = next();
    const input = pipeline.input({ customer: reference });
    const { decision } = await pipeline.answer(input);
    expect(decision.verdict).toBe('CLEAR');
    await place(['DEFER_CAPTURE', 'BLOCK_NEW'], { customerIds: [customerId] });
    expect((await pipeline.answer(input)).decision).toEqual(decision);
    expect((await pipeline.decide({ customer: reference }, 'CAPTURE')).verdict).toBe('HOLD');
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('HOLD');
  });

  it('until it ends, and no answer lasts longer', async () => {
    const { reference, customerId } = next();
    await place(['BLOCK_NEW'], { customerIds: [customerId], hours: 1 });
    test.clock.forward(hour - minute);
    const { verdict, validUntil } = await pipeline.decide({ customer: reference });
    expect([verdict, new Date(validUntil).getTime()]).toEqual(['HOLD', test.clock.now().getTime() + minute]);
    test.clock.forward(minute);
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('CLEAR');
  });
});

describe('a hold that asks for a step-up', () => {
  it('is met for an hour by the demand that rests on it, and then asks again', async () => {
    const { reference, customerId } = next();
    const hold = await place(['STEP_UP'], { customerIds: [customerId] });
    const { demandId } = await pipeline.decide({ customer: reference });
    expect((await test.events('demand.open')).at(-1)?.detail).toMatchObject({ rule: null, restsOn: [hold] });
    test.clock.forward(minute);
    test.payments.addAuthentication('ch_met_hold', { customer: reference });
    expect(await pipeline.record(demandId, 'ch_met_hold')).toBe('SATISFIED');
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('CLEAR');
    const later = await place(['STEP_UP'], { customerIds: [customerId] });
    const second = await pipeline.decide({ customer: reference });
    expect(second.verdict).toBe('STEP_UP');
    expect((await test.events('demand.open')).at(-1)?.detail).toMatchObject({ restsOn: [later] });
    test.clock.forward(hour);
    expect((await pipeline.decide({ customer: reference })).demandId).toBe(second.demandId);
    const [row] = await test.app.database.query<{ rests_on: string }>('SELECT rests_on FROM step_up_demand WHERE id = ?', [
      second.demandId,
    ]);
    expect(JSON.parse(row?.rests_on ?? '[]')).toEqual([later, hold]);
  });

  it('and is over asks for nothing more, whether anybody wrote that down yet or not', async () => {
    const { reference, customerId } = next();
    await place(['STEP_UP'], { customerIds: [customerId], hours: 1 });
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('STEP_UP');
    test.clock.forward(hour);
    expect((await pipeline.decide({ customer: reference })).verdict).toBe('CLEAR');
  });

  it('asks by a new demand where the time of the last one is long over and nobody wrote that down', async () => {
    const [one, two] = [next(), next()];
    await place(['STEP_UP'], { customerIds: [one.customerId], hours: 24 });
    const first = await pipeline.decide({ customer: one.reference });
    test.clock.forward(26 * hour);
    await place(['STEP_UP'], { customerIds: [one.customerId], hours: 24 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => pipeline.decide({ customer: (index % 2 === 0 ? one : two).reference })),
    );
    expect(answers.map(({ verdict }) => verdict)).toEqual(answers.map((_, index) => (index % 2 === 0 ? 'STEP_UP' : 'CLEAR')));
    expect(new Set(answers.map(({ demandId }) => demandId))).toEqual(
      new Set([expect.not.stringMatching(first.demandId ?? ''), null]),
    );
  });

  it('and ended takes its demand back; one that rests on another too stays', async () => {
    const [one, two] = [next(), next()];
    const [ended, other] = [
      await place(['STEP_UP'], { customerIds: [one.customerId] }),
      await place(['STEP_UP'], { customerIds: [two.customerId] }),
    ];
    await place(['STEP_UP'], { customerIds: [two.customerId] });
    const demands = [await pipeline.decide({ customer: one.reference }), await pipeline.decide({ customer: two.reference })];
    await writerOf(test).query(`UPDATE payment_hold SET state = 'RELEASED' WHERE id IN ('${ended}', '${other}')`);
    await test.app.services.stepUps.withdrawUnfounded();
    const stateOf = ({ demandId }: { demandId: string | null }) =>
      test.app.database
        .query<{ state: string }>('SELECT state FROM step_up_demand WHERE id = ?', [demandId])
        .then(([row]) => row?.state);
    expect(await Promise.all(demands.map(stateOf))).toEqual(['WITHDRAWN', 'PRESENTED']);
    expect((await pipeline.decide({ customer: one.reference })).verdict).toBe('CLEAR');
    expect((await test.events('demand.withdraw')).map(({ detail }) => detail)).toContainEqual({ restsOn: [ended] });
  });
});

it('whoever asks the same of two replicas at once has one answer', async () => {
  if (test.app.database.engine !== 'mariadb') return;
  const { reference, customerId } = next();
  await place(['STEP_UP'], { customerIds: [customerId] });
  const replica = await test.replica();
  try {
    const { data } = await test.as('pip', '{ viewer { id } }');
    const actor = await test.app.actors.identify({ authorization: `Bearer ${await test.token('pip')}` });
    expect(actor.id).toBe(data.viewer.id);
    const asked = Array.from({ length: 20 }, () => pipeline.input({ customer: reference }));
    for (const input of asked) {
      const answers = await Promise.all(
        [test.app, replica].map((app) =>
          app.services.decisions.decide(actor, input as never).catch((error: unknown) => String(error)),
        ),
      );
      expect(answers[1]).toEqual(answers[0]);
    }
    expect(await countOf(test, 'step_up_demand', 'payer_id = ?', (payers[taken - 1] as Payer).id)).toBe(1);
  } finally {
    await replica.close();
  }
});
