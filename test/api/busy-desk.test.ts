import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { App } from '../../src/app';
import { loadConfig } from '../../src/config/load';
import { createServer } from '../../src/http/server';
import { policyWith } from '../support/answers';
import { tamper } from '../support/audit-log';
import { BusyDesk, type DeskCustomer, fillStripe } from '../support/busy-desk';
import { migratedLocation } from '../support/database';
import { urlOf } from '../support/database-url';
import { OtherIssuer } from '../support/other-issuer';
import { helpdeskCustomer, ScriptedHelpdesk, staff } from '../support/scripted-sources';
import { StripeShapedServer } from '../support/stripe-shaped-server';

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);
// At a desk's size, with figures on stderr: DESK_CUSTOMERS=1000 DESK_AGENTS=40 DESK_SECONDS=60 DESK_SIGNALS=20000 DESK_DECISIONS=100 DESK_GROUP=50
const size = {
  customers: number('DESK_CUSTOMERS', 60),
  agents: number('DESK_AGENTS', 6),
  seconds: number('DESK_SECONDS', 5),
  signals: number('DESK_SIGNALS', 600),
  decisionsPerSecond: number('DESK_DECISIONS', 10),
  group: number('DESK_GROUP', 15),
};
const minute = 60_000;

describe(`a desk of ${size.customers} customers and ${size.agents} agents, with all rules in force`, () => {
  let stripe: StripeShapedServer;
  let app: App;
  let server: FastifyInstance;
  let remove = async (): Promise<void> => {};
  const lines: string[] = [];
  afterAll(async () => {
    await server?.close();
    await remove();
    await stripe?.close();
  });

  it(
    'holds, asks, lets go, is told and answers a pipeline while signals come in, each within its time and once',
    async () => {
      stripe = await StripeShapedServer.start();
      // They have been customers for an hour.
      stripe.now = Math.floor(Date.now() / 1_000) - 3_600;
      const people = [...Array.from({ length: size.agents }, (_, index) => `desk-${index + 1}`), 'lead-1', 'lead-2'];
      const helpdesk = new ScriptedHelpdesk('demo', people.map(staff));
      helpdesk.now = () => new Date();
      const references = Array.from({ length: size.customers }, (_, index) => String(index + 1));
      const customers: DeskCustomer[] = references.map((reference, index) => {
        const email = `person-${reference}@customers.example`;
        helpdesk.put(reference, {
          assignee: `desk-${(index % size.agents) + 1}`,
          customer: helpdeskCustomer(`person-${reference}`, { email }),
          createdAt: new Date(Date.now() - 60 * minute),
          updatedAt: new Date(Date.now() - 60 * minute),
        });
        return { reference, agent: index % size.agents, email, ...fillStripe(stripe, email, `demo:person-${reference}`) };
      });
      const list = stripe.createValueList('blocked', 'customer_id');
      stripe.followsClock = true;
      stripe.failNext(Number.POSITIVE_INFINITY, { kind: 'slow', milliseconds: number('DESK_LATENCY', 20) });
      const issuer = await OtherIssuer.open();
      const place = await migratedLocation();
      ({ remove } = place);
      const { folder } = place;
      const policyFile = join(folder, 'exposure.yaml');
      writeFileSync(
        policyFile,
        policyWith(
          ['customersPerHour: 40', 'customersPerHour: 80'],
          ['perSubjectPerHour: 30', 'perSubjectPerHour: 10000'],
          ['subjectsPerMinute: 600', 'subjectsPerMinute: 100000'],
        ),
      );
      const rulesFile = join(folder, 'rules.yaml');
      writeFileSync(rulesFile, readFileSync('schema/rules.yaml', 'utf8').replace(/^( {4}mode:) \w+/gm, '$1 ON'));
      const secret = `whsec_${Buffer.from('a secret of the shop that tells').toString('base64')}`;
      const file = join(folder, 'counterfoil.yaml');
      writeFileSync(
        file,
        JSON.stringify({
          sources: {
            helpdesk: [{ kind: 'demo', name: 'demo' }],
            payments: [
              {
                kind: 'stripe',
                name: 'stripe',
                apiKey: '${STRIPE_KEY}',
                webhookSecret: '${STRIPE_WEBHOOK_SECRET}',
                url: `http://127.0.0.1:${stripe.port}`,
                radarLists: { block: 'blocked' },
              },
            ],
          },
          signals: {
            sources: [
              {
                name: 'shop',
                secrets: ['${SHOP_SECRET}'],
                payments: 'stripe',
                importUntil: new Date(Date.now() + 86_400_000).toISOString(),
              },
            ],
          },
          sync: { pollSeconds: 5, assignmentBoundSeconds: 300 },
        }),
      );
      const config = {
        ...loadConfig({
          NODE_ENV: 'test',
          PORT: '0',
          DATA_DIR: join(folder, 'data'),
          DATABASE_URL: urlOf(place.location),
          CONFIG_FILE: file,
          POLICY_FILE: policyFile,
          RULES_FILE: rulesFile,
          SHOP_SECRET: secret,
          STRIPE_KEY: stripe.apiKey,
          STRIPE_WEBHOOK_SECRET: 'whsec_unused',
        }),
        issuers: [issuer.configuration],
        rateLimit: 1_000_000,
      };
      const sink = new Writable({
        write: (chunk, _encoding, done) => {
          lines.push(String(chunk));
          done();
        },
      });
      app = await App.open({ config, log: pino({ level: 'info', base: null }, sink), connectors: { demo: helpdesk } });
      server = await createServer(app);
      app.start();
      const url = await server.listen({ host: '127.0.0.1', port: 0 });
      const linked = async () => {
        const [row] = await app.database.query<{ n: number }>(
          "SELECT COUNT(*) AS n FROM helpdesk_customer WHERE link = 'VERIFIED'",
        );
        return Number(row?.n);
      };
      for (const late = performance.now() + 10 * minute; (await linked()) < size.customers; ) {
        if (performance.now() > late) throw new Error(`${await linked()} customers are linked\n${lines.slice(-20).join('')}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      // Nobody is asked by an address of which nobody knows for how long it is theirs.
      await tamper(app.database, 'UPDATE payment_customer SET email_seen_since = 1');
      const busy = new BusyDesk(
        {
          app,
          url,
          helpdesk: 'demo',
          payments: 'stripe',
          stripe,
          blocked: String(list.alias),
          customers,
          agents: size.agents,
          token: (person, roles) =>
            issuer.token(person, { roles, teams: roles.includes('SERVICE') ? [] : ['cards'] }, new Date()),
          sender: { name: 'shop', key: Buffer.from('a secret of the shop that tells') },
        },
        size,
      );
      try {
        expect(await busy.run()).toEqual([]);
      } finally {
        process.stderr.write(`${busy.figures.join('\n')}\n`);
      }
      // A machine that is busy with others may let a database wait; that was tried again.
      expect(lines.filter((line) => /"level":(50|60)/.test(line) && !line.includes('DatabaseUnavailable'))).toEqual([]);
    },
    30 * minute,
  );
});
