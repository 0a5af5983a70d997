import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RtHelpdesk } from '../../src/upstream/helpdesk/rt/rt.connector';
import { OtherIssuer } from '../support/other-issuer';
import { StripeShapedServer } from '../support/stripe-shaped-server';
import { RealGateway, until } from './gateway';
import { type RtConnection, startRt } from './rt';

/** The size of a real desk; `DESK_TICKETS` for another. */
const tickets = Number(process.env.DESK_TICKETS ?? 1_000);
const agents = 40;
/** How long Stripe takes for an answer, milliseconds. */
const stripeLatency = 100;
/** Requests to one source at once, where the configuration says nothing. */
const concurrency = 8;
const minutes = 60_000;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

describe(`a desk of ${tickets} tickets, customers and payment accounts, cold`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'counterfoil-desk-'));
  let rt: { readonly connection: RtConnection; readonly stop: () => void };
  let desk: { readonly tickets: readonly string[]; readonly customers: readonly string[] };
  let stripe: StripeShapedServer;
  let issuer: OtherIssuer;
  let unlucky: string;

  beforeAll(async () => {
    rt = await startRt(directory, await freePort());
    const environment = {
      ...process.env,
      RT_SITE_CONFIG: join(directory, 'RT_SiteConfig.pm'),
      RT_SITE_CONFIG_DIR: join(directory, 'site.d'),
    };
    const filled = await promisify(execFile)('perl', [join(__dirname, 'rt-desk.pl'), String(tickets), String(agents)], {
      env: environment,
      maxBuffer: 64 * 1024 * 1024,
    });
    desk = JSON.parse(filled.stdout) as typeof desk;
    stripe = await StripeShapedServer.start();
    stripe.now = Math.floor(Date.now() / 1_000) - 86_400 - tickets * 60;
    for (const [index, customer] of desk.customers.entries()) {
      const { id } = stripe.createCustomer({
        email: `person-${index + 1}@customers.example`,
        metadata: { helpdesk_customer: `rt:${customer}` },
      });
      stripe.attachPaymentMethod(id);
      stripe.now += 60;
      if (index === Math.floor(tickets / 3)) unlucky = id;
    }
    stripe.failNext(
      Number.POSITIVE_INFINITY,
      { kind: 'status', status: 500 },
      new RegExp(`/customers/${unlucky}/payment_methods`),
    );
    stripe.failNext(Number.POSITIVE_INFINITY, { kind: 'slow', milliseconds: stripeLatency });
    issuer = await OtherIssuer.open();
  }, 20 * minutes);
  afterAll(async () => {
    await stripe?.close();
    rt?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const token = (number: number) => issuer.token(`desk-${number}`, { roles: ['AGENT'], teams: ['cards'] }, new Date());

  test(
    'is linked but for the customer at whom Stripe fails, while forty agents open tickets that nobody saw before',
    async () => {
      const { connection } = rt;
      const rtToken = connection.people[connection.gateway]?.token as string;
      // What RT allows: some of the same tickets read by the connector, with nobody to store them.
      const alone = performance.now();
      const reader = new RtHelpdesk({
        source: 'rt',
        url: connection.url,
        token: rtToken,
        queues: ['Cards', 'Wallets'],
        windowDays: 30,
        clock: () => new Date(),
      });
      let read = 0;
      for await (const batch of reader.backfill(new Date(Date.now() - 30 * 86_400_000), null)) {
        read += batch.tickets.length;
        if (read >= tickets / 5) break;
      }
      const rtAllows = ((performance.now() - alone) / read) * tickets;

      const began = performance.now();
      const gateway = await RealGateway.start({
        rt: connection,
        rtToken,
        stripe: { port: stripe.port, apiKey: stripe.apiKey, webhookSecret: 'whsec_unused' },
        pollSeconds: 2,
        assignmentBoundSeconds: 30,
        issuers: [issuer.configuration],
        patience: 'none',
      });
      try {
        const count = async (what: string) => {
          const [row] = await gateway.app.database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${what}`);
          return row?.n ?? 0;
        };
        // In the thick of it: both sides are busy, and the newest tickets weren't read yet.
        await until(
          'the fill is under way',
          async () => (await count("helpdesk_customer WHERE link <> 'NONE'")) >= tickets / 20,
          5 * minutes,
        );
        const openings = await Promise.all(
          Array.from({ length: agents }, async (_, index) => {
            const reference = desk.tickets[tickets - agents + index] as string;
            const owner = ((tickets - agents + index) % agents) + 1;
            const bearer = await token(owner);
            await new Promise((resolve) => setTimeout(resolve, (index * 1_000) / agents));
            const asked = performance.now();
            const answer = await gateway.ask(
              bearer,
              'query ($reference: String!) { ticketByReference(source: "rt", reference: $reference) { reference customer { link displayName } } }',
              { reference },
            );
            return { reference, answer, milliseconds: performance.now() - asked };
          }),
        );
        for (const { reference, answer } of openings) {
          expect(answer.errors).toBeUndefined();
          expect(answer.data.ticketByReference).toMatchObject({ reference, customer: { displayName: expect.any(String) } });
        }
        const slowest = Math.max(...openings.map(({ milliseconds }) => milliseconds));

        await until(
          'everybody else is linked',
          async () => (await count("helpdesk_customer WHERE link = 'VERIFIED'")) >= tickets - 1,
          15 * minutes,
        );
        const took = performance.now() - began;
        expect(await count('helpdesk_ticket')).toBe(tickets);
        expect(await count("helpdesk_customer WHERE link <> 'VERIFIED'")).toBe(1);
        expect(await count('helpdesk_customer WHERE link_tries > 0')).toBe(1);
        const health = await gateway.app.sources.health();
        expect(health.find(({ name }) => name === 'rt')).toMatchObject({ fault: null });
        const stripeAllows = (stripe.requests.length * stripeLatency) / concurrency;
        const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
        console.info(
          [
            `${tickets} tickets and customers linked in ${seconds(took)}`,
            `RT alone allows ${seconds(rtAllows)}; Stripe at ${stripeLatency} ms and ${concurrency} at once allows ${seconds(stripeAllows)}`,
            `of the slower of the two: ${(took / Math.max(rtAllows, stripeAllows)).toFixed(2)}`,
            `forty agents: the slowest answer after ${seconds(slowest)}`,
          ].join('\n'),
        );

        // RT stops in the middle of the day: everybody is told so in time, nobody that it has too much to do.
        rt.stop();
        const cold = await Promise.all(
          Array.from({ length: agents }, async (_, index) => {
            const bearer = await token(index + 1);
            return gateway.ask(
              bearer,
              'query ($reference: String!) { ticketByReference(source: "rt", reference: $reference) { reference } }',
              {
                reference: String(900_000 + index),
              },
            );
          }),
        );
        expect(new Set(cold.map(({ errors }) => errors?.[0]?.extensions.code))).toEqual(new Set(['UPSTREAM_UNAVAILABLE']));
        expect(gateway.logLines.filter((line) => line.includes('overloaded'))).toEqual([]);
      } finally {
        await gateway.stop();
      }
    },
    40 * minutes,
  );
});
