import { eventsOf } from '../support/answers';
import { CanaryApp, everything, tellLeak } from '../support/leak-check';

/** An agent's list, down every way that requests read together. */
const list = `query List {
  tickets(first: 50) {
    nodes {
      id reference subject assignee { id displayName }
      customer {
        id displayName email phone
        paymentMethods { id brand last4 billingAddress { city country } }
        transactions(first: 3) { nodes { id status amount { minorUnits } order { description } paymentMethod { id last4 } } }
      }
      messages(first: 2) { nodes { id body author { __typename displayName } } }
    }
  }
}`;
const ofCustomer = `query OfCustomer($id: ID!) {
  customer(id: $id) {
    id displayName email
    paymentMethods { id last4 billingAddress { city } }
    transactions(first: 20) { nodes { id order { description } paymentMethod { id } } }
  }
}`;
const ofTransaction = `query OfTransaction($id: ID!) {
  transaction(id: $id) { id reference order { description } paymentMethod { id last4 billingAddress { city } } }
}`;

interface Asked {
  readonly user: string;
  readonly mfa: boolean;
  readonly query: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** In an order that mixes everybody, the same in each run. */
const mixed = <T>(all: readonly T[], seed: number): T[] =>
  all
    .map((each, index) => ({ each, at: Math.imul(index * 31 + seed, 0x9e3779b1) >>> 0 }))
    .sort((one, other) => one.at - other.at)
    .map(({ each }) => each);

interface Disclosure {
  readonly action: string;
  readonly actor: unknown;
  readonly detail: Readonly<Record<string, unknown>> & { readonly linked?: Readonly<Record<string, readonly number[]>> };
}

/** What disclosures say of who was shown what. Customers stand in an order of each event's own, so that by number there are only how many. */
const saidBy = (events: readonly Record<string, unknown>[]): string[] =>
  (events as unknown as readonly Disclosure[])
    .filter(({ action }) => action === 'disclosure')
    .map(({ actor, detail }) => {
      const linked = Object.entries(detail.linked ?? {}).map(([link, places]) => [link, places.length]);
      return JSON.stringify([actor, { ...detail, linked }]);
    })
    .sort();

const atOnce = 40;

describe('requests of people with different rights at one time', () => {
  let canaries: CanaryApp;
  const asked: Asked[] = [];
  beforeAll(async () => {
    canaries = await CanaryApp.start();
    await canaries.openEverything({ users: ['ana', 'ben', 'sam'] });
    const { ids } = await canaries.loot();
    const references = Object.values(canaries.merchant.tickets).map(({ reference }) => reference);
    const all = ['ana', 'ben', 'sam', 'pia', 'pip'].flatMap((user) =>
      [true, false].flatMap((mfa) => [
        ...references.map((reference) => ({ user, mfa, query: everything, variables: { reference } })),
        { user, mfa, query: list, variables: {} },
        ...(ids.customers ?? []).map((id) => ({ user, mfa, query: ofCustomer, variables: { id } })),
        ...(ids.transactions ?? []).slice(0, 12).map((id) => ({ user, mfa, query: ofTransaction, variables: { id } })),
      ]),
    );
    // Assistances, plans and compiled operations are there from now on. Whoever is shown something asks again and again.
    for (const each of all) {
      const isShown = !(await send(each)).includes('"errors"') || each.query === list;
      asked.push(...new Array<Asked>(isShown ? 4 : 1).fill(each));
    }
  });
  afterAll(() => canaries.stop());

  const send = async ({ user, mfa, query, variables }: Asked): Promise<string> => {
    const { leaks, body, status } = await canaries.send(user, mfa, query, variables);
    expect(leaks.map(tellLeak)).toEqual([]);
    return `${status} ${body}`;
  };
  /** Without the check's own questions before and after, which would keep them apart. */
  const tokens = new Map<string, string>();
  const sendAtOnce = async (some: readonly Asked[]): Promise<string[]> => {
    const { app } = canaries;
    for (const { user, mfa } of some)
      if (!tokens.has(`${user} ${mfa}`)) tokens.set(`${user} ${mfa}`, await app.token(user, { mfa }));
    const answers = await Promise.all(
      some.map(({ user, mfa, query, variables }) =>
        app.server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { authorization: `Bearer ${tokens.get(`${user} ${mfa}`)}`, 'content-type': 'application/json' },
          payload: JSON.stringify({ query, variables }),
        }),
      ),
    );
    return answers.map(({ statusCode, body }) => `${statusCode} ${body}`);
  };

  it('are answered, denied and recorded as each by itself, and read less', async () => {
    /** Without those by which the check itself looks who may see what, and those by which who asks is read again every ten seconds. */
    const isTheirs = (text: string) =>
      !text.startsWith('SELECT a.actor_id') && !/FROM helpdesk_staff\b.*\blogin_digest\b/s.test(text);
    const statements = () => canaries.app.statements.filter(isTheirs).length;
    const alone = new Map<Asked, string>();
    let read = statements();
    const recordedAlone = await eventsOf(canaries.app, async () => {
      for (const each of asked) alone.set(each, await send(each));
    });
    const readAlone = statements() - read;
    const differences: string[] = [];
    // What is asked alike is asked together.
    const order = [everything, list, ofCustomer, ofTransaction].flatMap((query) =>
      mixed(
        asked.filter((each) => each.query === query),
        7,
      ),
    );
    read = statements();
    const recorded = await eventsOf(canaries.app, async () => {
      for (let start = 0; start < order.length; start += atOnce) {
        const some = order.slice(start, start + atOnce);
        const answers = await sendAtOnce(some);
        for (const [index, each] of some.entries())
          if (answers[index] !== alone.get(each))
            differences.push(`${each.user} ${each.mfa} ${JSON.stringify(each.variables)}\n${answers[index]}\n${alone.get(each)}`);
      }
    });
    const readTogether = statements() - read;
    // None of these statements was repeated for each.
    const { body } = await canaries.app.server.inject({ method: 'GET', url: '/metrics' });
    expect(body).toContain('\ncounterfoil_reads_repeated 0\n');
    expect(differences).toEqual([]);
    expect(saidBy(recorded)).toEqual(saidBy(recordedAlone));
    expect(saidBy(recorded).length).toBeGreaterThan(50);
    const bodies = [...alone.values()];
    // Enough is shown and enough is refused, by one and the same statement, to mean something.
    expect(bodies.filter((body) => body.includes('"errors"')).length).toBeGreaterThan(bodies.length / 5);
    expect(bodies.filter((body) => body.includes('"last4":"')).length).toBeGreaterThan(10);
    expect(readTogether).toBeLessThan(readAlone);
    expect((await canaries.inTheBackground()).map(tellLeak)).toEqual([]);
  }, 300_000);
});
