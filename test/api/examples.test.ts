import { demoTickets } from '../../src/development/merchant/cast';
import { type Example, examplesFor } from '../../src/development/pages/explorer/examples';
import { TestApp } from '../support/app';
import { freshKey, Updates } from '../support/credentials';

describe('the examples of the explorer', () => {
  const examples = examplesFor('demo');
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    // What a supervisor decides on has to be there: an update that its customer confirmed, and a request for access.
    const updates = new Updates(app);
    const suspicious = await updates.caseOf(demoTickets.suspicious.reference, demoTickets.suspicious.customer ?? 0);
    const { token } = await updates.asked(suspicious, suspicious.usual, 'REPLACE_CARD');
    await updates.enterCard(await updates.confirm(token));
    await app.app.signingLog?.sequencer.turn();
  });
  afterAll(() => app.stop());

  const firstIdOf = (data: unknown, prefix: string): string | undefined =>
    new RegExp(`"(${prefix}_[0-9A-Z]{26})"`).exec(JSON.stringify(data) ?? '')?.[1];

  /** As the page runs it: the example that it follows first, then with the ids from that answer. */
  const run = async (example: Example, person: string) => {
    const followed = examples.find(({ key }) => key === example.follows);
    const before = followed && (await app.as(followed.people[0], followed.query, filledOf(followed, undefined)));
    return app.as(person, example.query, filledOf(example, before?.data));
  };
  const filledOf = ({ variables }: Example, data: unknown) =>
    Object.fromEntries(
      Object.entries(variables).map(([name, value]) => {
        if (typeof value === 'string') return [name, value];
        if (value.fill === 'key') return [name, freshKey()];
        if (value.fill === 'time') return [name, new Date(app.clock.now().getTime() - value.daysAgo * 86_400_000).toISOString()];
        return [name, firstIdOf(data, value.prefix)];
      }),
    );

  it('are there for every demo person', () => {
    for (const { user } of app.app.development?.issuer.people ?? [])
      expect({ user, own: examples.filter(({ people }) => people[0] === user).length > 0 }).toEqual({ user, own: true });
  });

  it.each(examples.flatMap((example) => example.people.map((person) => [example.key, person, example] as const)))(
    '%s is answered to %s, refused only where its label says so',
    async (_key, person, example) => {
      const { data, errors = [] } = await run(example, person);
      const reasons = errors.map(({ extensions: { code, reason } = {} }) => reason ?? code);
      expect([...new Set(reasons)]).toEqual(example.refused === undefined ? [] : [example.refused]);
      if (example.refused === undefined) expect(Object.values(data)).not.toContain(null);
      else expect(example.label).toContain(`(${example.refused})`);
    },
  );
});
