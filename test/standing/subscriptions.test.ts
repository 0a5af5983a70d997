import { BuiltGateway } from '../support/built';
import { overEvents, overSocket, type Subscriber, settled } from '../support/subscribers';

/** The gateway as the compiler makes it, with clients as pages have them. */
describe('the built gateway', () => {
  let built: BuiltGateway;
  let open: Subscriber[] = [];
  beforeAll(() => {
    built = BuiltGateway.make();
  });
  afterEach(async () => {
    await Promise.all(open.map(({ stop }) => stop()));
    open = [];
  });
  afterAll(() => built.remove());

  it('tells a web socket and an event stream what an agent noticed, and ends both when it stops', async () => {
    const running = built.start({ DATA_DIR: 'data' });
    const [, http = ''] = await running.said(/(http:\/\/127\.0\.0\.1:\d+)/);
    await running.said(/Started in /);
    const printed = await built.run(['token', '--user', 'ana'], { DATA_DIR: 'data' });
    const token = printed.stdout.trim().split('\n').at(-1) as string;
    const ask = async (query: string): Promise<{ data: { ticketByReference: { id: string } } }> => {
      const answer = await fetch(`${http}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return (await answer.json()) as { data: { ticketByReference: { id: string } } };
    };
    const { data } = await ask('{ ticketByReference(source: "demo", reference: "1001") { id assistance { state } } }');
    const url = http.replace('http', 'ws');
    open = [overSocket(url, token), overEvents(url, token)];
    await settled();
    const ticketId = data.ticketByReference.id;
    await ask(
      `mutation { reportConcern(input: { ticketId: "${ticketId}", note: "They asked which card I see before anything else" }) { id } }`,
    );
    for (const { heard } of open) {
      await heard.until(1, 20_000);
      expect(heard.results[0]?.data.alerts).toMatchObject({
        kind: 'RAISED',
        ticketId,
        alert: { rule: 'CONCERN', note: 'They asked which card I see before anything else' },
      });
    }
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
    for (const { heard } of open) await heard.untilEnd();
  });
});
