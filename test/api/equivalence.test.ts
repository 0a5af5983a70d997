import fc from 'fast-check';
import { type DocumentNode, Kind, parse, validate } from 'graphql';
import type { RequestContext } from '../../src/features/request';
import { Choices, OperationWriter } from '../support/generated-operations';
import { CanaryApp } from '../support/leak-check';
import { type Asker, type Outcome, outcomeOf, ReferenceExecution } from '../support/reference-execution';

// More runs, or others: EQUIVALENCE_RUNS=5000 EQUIVALENCE_SEED=7 npx jest --selectProjects sqlite -- test/api/equivalence
const runs = Number(process.env.EQUIVALENCE_RUNS ?? 500);
const seed = Number(process.env.EQUIVALENCE_SEED ?? 20_261_130);

const people = ['ana', 'ana', 'ana', 'ana', 'ben', 'ben', 'ben', 'sam', 'sam', 'sam', 'pia', 'pip', 'ada'];
/** Those that answer the same when they are asked again. */
const roots = ['ticket', 'ticketByReference', 'ticketByReference', 'tickets', 'customer', 'transaction', 'viewer', 'exposure'];

/** The same operation under another name has a plan of its own, which is interpreted the first time. */
const renamed = (document: DocumentNode, value: string): DocumentNode => ({
  ...document,
  definitions: document.definitions.map((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? { ...each, name: { kind: Kind.NAME, value } } : each,
  ),
});

const cases = fc.tuple(
  fc.constantFrom(...people),
  fc.integer({ min: 1, max: 12 }),
  fc.array(fc.nat(2_147_483_646), { minLength: 80, maxLength: 600, size: 'max' }),
);

describe('an operation that is planned, cut, interpreted or compiled, and put back into shape', () => {
  let canaries: CanaryApp;
  let reference: ReferenceExecution;
  beforeAll(async () => {
    canaries = await CanaryApp.start();
    // Under assistances more is shown, and more of it masked.
    await canaries.openEverything({ users: ['ana', 'ben', 'sam'] });
    reference = new ReferenceExecution(canaries.app.app);
  });
  afterAll(() => canaries.stop());

  const askers = new Map<string, Asker>();
  const askerOf = async (user: string, mfa: boolean): Promise<Asker> => {
    const known = askers.get(`${user} ${mfa}`);
    if (known) return known;
    const token = await canaries.app.token(user, { mfa });
    const asker = { user, mfa, actor: await canaries.app.app.actors.identify({ authorization: `Bearer ${token}` }) };
    askers.set(`${user} ${mfa}`, asker);
    return asker;
  };
  const answered = async (document: DocumentNode, variables: Readonly<Record<string, unknown>>, { actor }: Asker) => {
    const { app } = canaries.app;
    const context: RequestContext = app.context(actor, 'req_equivalence');
    const result = await app.executor.execute({ document, operationName: null, variables }, context);
    const { fields, parents } = context.access.showing;
    return {
      refused: result.data === null && result.errors?.every(({ path }) => path === undefined),
      outcome: outcomeOf(result, fields, parents),
    };
  };

  it('answers, denies and records what a reading of the policy value by value does', async () => {
    const { app } = canaries.app;
    let loot = await canaries.loot();
    const seen = { compared: 0, refused: 0, errors: 0, disclosed: 0, masked: 0 };
    const differences: string[] = [];
    for (const [index, [user, die, tape]] of fc.sample(cases, { numRuns: runs, seed }).entries()) {
      if (index % 25 === 0) loot = await canaries.loot();
      const { query, variables } = new OperationWriter(app.schema, new Choices(tape), loot, roots).write();
      const document = parse(query, { noLocation: true });
      // The graph's description of itself has no verdicts, and its types another order.
      if (query.includes('__schema') || validate(app.schema, document).length > 0) continue;
      const asker = await askerOf(user, die > 1);
      // The first may begin assistances, under which the others see more than it did.
      await answered(document, variables, asker);
      const compiled = await answered(document, variables, asker);
      const interpreted = await answered(renamed(document, 'Again'), variables, asker);
      if (compiled.refused) {
        seen.refused += 1;
        expect([compiled.outcome.fields, interpreted.outcome.errors]).toEqual([[], compiled.outcome.errors]);
        continue;
      }
      const expected: Outcome = await reference.run(document, variables, asker);
      for (const [how, { outcome }] of Object.entries({ compiled, interpreted })) {
        // Where a null moves up to the root, each way may have stopped before it met the rest.
        const isLost = outcome.data === null && expected.data === null;
        if (isLost || JSON.stringify(outcome) === JSON.stringify(expected)) continue;
        differences.push(`${how}, ${user} ${die > 1}: ${query}\n${JSON.stringify(variables)}\n${difference(outcome, expected)}`);
      }
      if (expected.data === null) continue;
      seen.compared += 1;
      if (expected.errors.length > 0) seen.errors += 1;
      if (expected.fields.length > 0) seen.disclosed += 1;
      if (expected.fields.some((each) => each.includes(' mask:'))) seen.masked += 1;
    }
    expect(differences).toEqual([]);
    // What is compared has to show and refuse enough, compiled enough of the time, to mean something.
    expect(seen.compared).toBeGreaterThan(runs / 2);
    expect(seen.errors).toBeGreaterThan(runs / 6);
    expect(seen.disclosed).toBeGreaterThan(runs / 10);
    expect(seen.masked).toBeGreaterThan(runs / 50);
  }, 300_000);

  it('answers, denies and records the same among others that are executed at the same time', async () => {
    const { app, statements } = canaries.app;
    const loot = await canaries.loot();
    const differences: string[] = [];
    const seen = { shown: 0, apart: 0, alone: 0, together: 0 };
    for (const [, , tape] of fc.sample(cases, { numRuns: Math.ceil(runs / 4), seed: seed + 1 })) {
      const { query, variables } = new OperationWriter(app.schema, new Choices(tape), loot, roots).write();
      const document = parse(query, { noLocation: true });
      if (query.includes('__schema') || validate(app.schema, document).length > 0) continue;
      const crowd: Asker[] = [];
      for (const user of ['ana', 'ben', 'sam', 'pia']) for (const mfa of [true, false]) crowd.push(await askerOf(user, mfa));
      // The first may begin assistances, under which the others see more than it did.
      for (const asker of crowd) await answered(document, variables, asker);
      let before = statements.length;
      const alone = new Map<Asker, string>();
      for (const asker of crowd) alone.set(asker, JSON.stringify((await answered(document, variables, asker)).outcome));
      // Twice as many at once as alone.
      seen.alone += 2 * (statements.length - before);
      before = statements.length;
      const together = await Promise.all(
        [...crowd, ...crowd].map(async (asker) => ({ asker, ...(await answered(document, variables, asker)) })),
      );
      seen.together += statements.length - before;
      for (const { asker, outcome } of together) {
        if (JSON.stringify(outcome) !== alone.get(asker))
          differences.push(`${asker.user} ${asker.mfa}: ${query}\n${JSON.stringify(outcome)}\n${alone.get(asker)}`);
        if (outcome.fields.length > 0) seen.shown += 1;
      }
      if (new Set(alone.values()).size > 2) seen.apart += 1;
    }
    expect(differences).toEqual([]);
    // Enough is shown, to each something else, and read together.
    expect(seen.shown).toBeGreaterThan(runs / 10);
    expect(seen.apart).toBeGreaterThan(runs / 20);
    expect(seen.together).toBeLessThan(seen.alone);
  }, 300_000);
});

const difference = (is: Outcome, expected: Outcome): string =>
  (['data', 'errors', 'fields', 'objects'] as const)
    .filter((part) => JSON.stringify(is[part]) !== JSON.stringify(expected[part]))
    .map((part) => `${part}: is ${JSON.stringify(is[part])}\n  expected ${JSON.stringify(expected[part])}`)
    .join('\n');
