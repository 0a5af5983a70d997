import 'reflect-metadata';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { accounts, openAccounts, writeCountedSettings } from './events/counted';
import type { Arrival } from './events/subscribers';
import { quantile } from './load';
import { paymentsSource } from './merchant';
import { Agents, load, openIssuer, openTickets, say, whole } from './preparation';
import { type Started, startContender, stopContender } from './processes';
import { merchantOf, type Settings, writeSettings } from './settings';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:counted -- [--customers N]

How long it takes until what somebody tells counts, on MariaDB with three replicas of the gateway: from the answer to an
identifier-changed (RISC, after a recovery-activated), or to reportConcern, to a payment decision and to the agent's subscription.`;

const replicas = 3;
const ticketsPerAgent = 10;
const now = (): number => performance.timeOrigin + performance.now();
const decides = 'mutation ($input: PaymentDecisionInput!) { paymentDecision(input: $input) { verdict } }';
const reports = 'mutation ($input: ReportConcernInput!) { reportConcern(input: $input) { id } }';
const finds = 'query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { id } }';

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { customers: { type: 'string', default: '300' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(usage);
  const customers = whole(values.customers, 'customers', ticketsPerAgent);
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const mariadb = await PrivateMariaDb.start();
    closing.push(() => mariadb.stop());
    const [issuer, sender] = [await openIssuer(), await openAccounts()];
    closing.push(issuer.close, sender.close);
    const { url } = await newDatabase(mariadb.serverUrl);
    const settings: Settings = {
      databaseUrl: url,
      folder,
      customers: Math.ceil(customers / 100) * 100,
      ticketsPerAgent,
      anchor: Date.now(),
    };
    writeSettings(settings, issuer.jwksUri);
    writeCountedSettings(settings, sender.jwksUri);
    const merchant = merchantOf(settings);
    const loaded = await load(settings, merchant);
    const gateways: Started[] = [];
    for (let n = 0; n < replicas; n += 1) {
      const gateway = await startContender('counted', settings);
      gateways.push(gateway);
      closing.push(() => stopContender(gateway));
    }
    const at = (index: number) => `http://127.0.0.1:${gateways[index % replicas]?.port}`;
    const agents = await new Agents(merchant, issuer, loaded.staffIds).current();
    await openTickets(gateways[0]?.port ?? 0, agents);
    const database = await createConnection(url);
    closing.push(() => database.end());
    // What the first fill told of is read before anything is measured.
    for (let waits = 0; waits < 600; waits += 1) {
      const [[row]] = await database.query<RowDataPacket[]>(
        "SELECT (SELECT COALESCE(SUM(signals), 0) FROM risk_feed_batch) + (SELECT MAX(position) FROM risk_feed) - (SELECT MAX(position) FROM risk_consumer WHERE name = 'rules') AS n",
      );
      if (row?.n !== null && Number(row?.n) === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const readers = fork(join(__dirname, 'events', 'subscribers.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    closing.push(() => void (readers.connected && readers.disconnect()));
    const subscribed = new Promise((resolve) => readers.once('message', resolve));
    readers.send({
      readers: agents.map(({ token }, index) => ({ url: `${at(index).replace('http', 'ws')}/graphql`, token })),
      query: 'subscription { alerts { cursor kind alertId ticketId alert { id rule reasons { code count } } } }',
    });
    await subscribed;
    const graph = async (base: string, token: string, query: string, variables: object) => {
      const response = await fetch(`${base}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: Record<string, Record<string, string>>; errors?: unknown };
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    };
    const push = async (base: string, event: string, customer: string) => {
      const headers = { 'content-type': 'application/secevent+jwt' };
      const response = await fetch(`${base}/signals/${accounts.name}`, {
        method: 'POST',
        headers,
        body: await sender.token(event, customer),
      });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    };
    const pipeline = await issuer.issue('pipeline', 'SERVICE');
    const decided: number[] = [];
    const told = new Map<string, number>();
    const concerned = new Map<string, number>();
    say(`${customers} customers whose account is recovered and changed`);
    for (let index = 0; index < customers; index += 1) {
      const customer = String(index + 1);
      await push(at(index), 'recovery-activated', customer);
      await push(at(index), 'identifier-changed', customer);
      const answered = now();
      told.set(customer, answered);
      for (let tries = 0; ; tries += 1) {
        const input = {
          source: paymentsSource,
          stage: 'CHECKOUT',
          customer,
          amount: { minorUnits: 100, currency: 'EUR' },
          idempotencyKey: `counted-${process.pid}-${index}-${tries}`,
        };
        const { paymentDecision } = await graph(at(index + 1), pipeline, decides, { input });
        if (paymentDecision?.verdict !== 'CLEAR') break;
        if (tries > 2_000) throw new Error(`customer ${customer} stays CLEAR`);
      }
      decided.push(now() - answered);
    }
    say('and one concern of each agent about each of their tickets');
    for (const [index, { token, tickets }] of agents.entries())
      for (const reference of tickets.slice(0, 10)) {
        const { ticketByReference } = await graph(at(index + 1), token, finds, { reference });
        const input = { ticketId: ticketByReference?.id, note: 'They hesitated about their own address' };
        const { reportConcern } = await graph(at(index + 1), token, reports, { input });
        concerned.set(String(reportConcern?.id), now());
      }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const arrivals = await new Promise<readonly Arrival[]>((resolve) => {
      readers.once('message', (all) => resolve(all as Arrival[]));
      readers.send('arrivals');
    });
    const first = new Map<string, number>();
    for (const { id, at: came } of arrivals) first.set(id, Math.min(came, first.get(id) ?? came));
    const [alerts] = await database.query<RowDataPacket[]>(
      `SELECT a.id, t.reference FROM risk_alert a JOIN helpdesk_ticket t ON t.id = a.ticket_id WHERE a.rule = 'recovery-then-payment'`,
    );
    const since = (pairs: readonly (readonly [string, number | undefined])[]) =>
      pairs.flatMap(([id, from]) => {
        const came = first.get(id);
        return came === undefined || from === undefined ? [] : Math.max(0, came - from);
      });
    const figures = {
      decision: decided,
      alert: since(alerts.map(({ id, reference }) => [String(id), told.get(String(reference))] as const)),
      concern: since([...concerned]),
    };
    const ofAll = Object.entries(figures).map(([what, all]) => {
      const sorted = [...all].sort((a, b) => a - b);
      const [p50, p99, slowest] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1) ?? 0].map(Math.round);
      return [what, { count: sorted.length, p50, p99, slowest }] as const;
    });
    for (const [what, { count, p50, p99, slowest }] of ofAll)
      console.log(`${what}: ${count}, median ${p50} ms, p99 ${p99} ms, slowest ${slowest} ms`);
    console.log(`${loaded.database}; ${replicas} replicas`);
    console.log(JSON.stringify(Object.fromEntries(ofAll)));
  } finally {
    for (const close of closing.reverse()) await close();
  }
};

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
