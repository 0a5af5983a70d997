import { setTimeout as pause } from 'node:timers/promises';
import { passing } from './fault-proxy';
import { type Person, World } from './world';

const count = Number(process.env.CRASH_UPDATES ?? 1_000);
/** Requests and confirmations under way at once. */
const width = 8;

const methodsOf = 'query Methods($id: ID!) { ticket(id: $id) { customer { paymentMethods { id last4 } } } }';
const request = 'mutation Request($input: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $input) { id } }';

const inTurns = async <T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const waiting = [...list];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
};

describe(`two workers and ${count} confirmed updates`, () => {
  let world: World;
  afterAll(() => world?.close());

  const numberIn = async (sql: string): Promise<number> => {
    const [rows] = await world.database.query(sql);
    return Number((rows as { n: number }[])[0]?.n);
  };
  const untilAll = async (sql: string): Promise<void> => {
    while ((await numberIn(sql)) < count) await pause(25);
  };

  it('apply each of them once', async () => {
    world = await World.start({ gateways: 2, people: 40, size: 0.2 });
    await world.database.query('UPDATE payment_customer SET email_seen_since = 1, phone_seen_since = 1');
    const perPerson = Math.ceil(count / world.people.length);
    const wanted = world.people
      .flatMap((person) => Array.from({ length: perPerson }, (_, index) => ({ person, index })))
      .slice(0, count);
    for (const { person, index } of wanted)
      world.provider.attachPaymentMethod(person.payer, {
        card: { brand: 'visa', last4: String(2_000 + index), exp_month: 8, exp_year: 2031 },
      });
    const methods = new Map<Person, readonly { readonly id: string; readonly last4: string }[]>();
    await inTurns(world.people, async (person) => {
      for (;;) {
        const { data } = await world.graph('ana', methodsOf, { id: person.ticketId });
        const found = (data.ticket.customer.paymentMethods ?? []) as { id: string; last4: string }[];
        methods.set(person, found);
        if (found.length >= wanted.filter((each) => each.person === person).length) return;
        await pause(200);
      }
    });
    await inTurns(wanted, async ({ person, index }) => {
      const paymentMethodId = methods.get(person)?.find(({ last4 }) => last4 === String(2_000 + index))?.id;
      const input = {
        ticketId: person.ticketId,
        paymentMethodId,
        kind: 'BILLING_ADDRESS',
        reason: 'The customer has moved to another town',
        idempotencyKey: `worker-${person.payer}-${index}`,
      };
      const { errors } = await world.graph('ana', request, { input });
      if (errors) throw new Error(JSON.stringify(errors));
    });
    await untilAll("SELECT COUNT(*) AS n FROM credential_update WHERE state = 'AWAITING_CUSTOMER'");
    // Nothing can be applied before all of it is there to be applied.
    world.toProvider.judge = () => ({ request: 'drop', answer: 'pass' });
    const tokens = world.people.flatMap((person) => world.tokensFor(person));
    await inTurns(tokens, async (token) => {
      const page = await world.page(`/confirm/${token}`);
      const shown = /name="shown" value="([0-9a-f]+)"/.exec(page?.html ?? '')?.[1] ?? '';
      const address = {
        line1: `Worker street ${token.slice(0, 12)}`,
        line2: '',
        city: 'Worktown',
        postalCode: '1',
        country: 'IE',
      };
      const answer = await world.page(`/confirm/${token}`, { answer: 'confirm', shown, code: '', agreed: 'yes', ...address });
      if (answer?.status !== 200) throw new Error(`a confirmation was answered ${answer?.status}`);
    });
    await untilAll("SELECT COUNT(*) AS n FROM credential_update WHERE state = 'APPLYING'");
    await world.database.query("UPDATE credential_job SET next_at = 0, attempts = 0 WHERE kind = 'PROVIDER'");
    world.toProvider.judge = () => passing;
    const began = performance.now();
    await untilAll("SELECT COUNT(*) AS n FROM credential_update WHERE state = 'APPLIED'");
    const seconds = (performance.now() - began) / 1_000;

    const keys = world.provider.executions.map(({ key }) => key);
    const [holders] = await world.database.query("SELECT COUNT(*) AS n FROM credential_step WHERE state <> 'DONE'");
    process.stderr.write(
      `${count} updates by two workers in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(1)} updates/s\n`,
    );
    expect({ calls: keys.length, distinct: new Set(keys).size, undone: Number((holders as { n: number }[])[0]?.n) }).toEqual({
      calls: count,
      distinct: count,
      undone: 0,
    });
    expect(await numberIn("SELECT COUNT(*) AS n FROM credential_transition WHERE to_state = 'APPLIED'")).toBe(count);
  });
});
