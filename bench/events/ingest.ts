import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { createPool } from 'mysql2/promise';
import { ulid } from '../../src/ulid';
import { KeepAliveConnection } from '../load';
import { sender } from './settings';

/** Signals of one request, and rows of one statement. */
const batch = 500;
/** At once to each replica, and as many connections to the database in all. */
const atOnce = 2;
const connections = 6;
const names = 20_000;
const countries = ['DE', 'FR', 'IE', 'BR', 'NG'];

interface Attempt {
  readonly type: string;
  readonly customer: number;
  readonly declined: boolean;
  readonly country: string;
  readonly minorUnits: number;
}
const attempt = (): Attempt => {
  const declined = randomInt(10) === 0;
  return {
    type: declined ? 'payment.attempt.declined' : 'payment.attempt.succeeded',
    customer: randomInt(names),
    declined,
    country: countries[randomInt(countries.length)] as string,
    minorUnits: randomInt(500, 50_000),
  };
};

/** How many signals were stored, and how many a second. */
export interface Taken {
  readonly stored: number;
  readonly perSecond: number;
}

let sent = 0;
const lineOf = ({ type, customer, declined, country, minorUnits }: Attempt, at: string): string => {
  sent += 1;
  return JSON.stringify({
    id: `evt-${sent}`,
    type,
    occurredAt: at,
    subjects: {
      customer: `c-${customer}`,
      card: `k-${customer}`,
      device: `d-${customer}`,
      ip: `198.51.100.${customer % 250}`,
      emailDomain: `${customer % 5_000}.example`,
      order: `o-${sent}`,
    },
    facts: {
      country,
      amount: { minorUnits, currency: 'EUR' },
      customerSince: '2024-02-01T00:00:00Z',
      ...(declined ? { declineCode: 'insufficient_funds' } : {}),
    },
  });
};

/** A request as a sender makes it, made beforehand: signing it is its sender's work. */
const request = (): { readonly headers: Readonly<Record<string, string>>; readonly body: string } => {
  const at = new Date().toISOString();
  const data = Array.from({ length: batch }, () => lineOf(attempt(), at)).join('\n');
  const id = `msg_${randomBytes(8).toString('hex')}`;
  const event = { specversion: '1.0', id, source: '/checkout', type: 'signals', datacontenttype: 'application/x-ndjson', data };
  const body = JSON.stringify(event);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', sender.key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    headers: {
      'content-type': 'application/cloudevents+json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  };
};

/** Signals a second that the gateway acknowledges. */
export const sendSignals = async (ports: readonly number[], seconds: number): Promise<Taken> => {
  // More than can be taken in the time; those that are left are thrown away.
  const ready = Array.from({ length: Math.ceil((seconds * 40_000) / batch) }, request);
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let stored = 0;
  let last = begun;
  await Promise.all(
    ports.flatMap((port) =>
      Array.from({ length: atOnce }, async () => {
        const connection = await KeepAliveConnection.open(port);
        while (performance.now() < until) {
          const next = ready.pop();
          if (!next) throw new Error('more signals are needed');
          const { status, body } = await connection.postTo(`/signals/${sender.name}`, next.headers, next.body);
          if (status !== 202) throw new Error(`${status} ${body.toString('utf8')}`);
          stored += (JSON.parse(body.toString('utf8')) as { stored: number }).stored;
          last = performance.now();
        }
        connection.close();
      }),
    ),
  );
  return { stored, perSecond: stored / ((last - begun) / 1_000) };
};

const digest = (text: string): string => `sub_${createHmac('sha256', sender.key).update(text).digest('base64url').slice(0, 32)}`;
const columns =
  'id, source, event_id, type, occurred_at, received_at, customer, card, device, ip, email_domain, order_subject, country, minor_units, currency, decline_code, customer_since';
const rowOf = ({ type, customer, declined, country, minorUnits }: Attempt): readonly unknown[] => {
  sent += 1;
  const at = Date.now();
  return [
    `sig_${ulid()}`,
    'plain',
    `evt-${sent}`,
    type,
    at,
    at,
    digest(`c-${customer}`),
    digest(`k-${customer}`),
    digest(`d-${customer}`),
    digest(`i-${customer % 250}`),
    digest(`e-${customer % 5_000}`),
    digest(`o-${sent}`),
    country,
    minorUnits,
    'EUR',
    declined ? 'insufficient_funds' : null,
    1_706_745_600_000,
  ];
};

/** Rows a second of a plain multi-row INSERT into a table like that of signals, indexes and all, with what is in it. */
export const plainIngest = async (databaseUrl: string, seconds: number): Promise<Taken> => {
  const pool = createPool({ uri: databaseUrl, connectionLimit: connections });
  await pool.query('DROP TABLE IF EXISTS plain_signal');
  await pool.query('CREATE TABLE plain_signal LIKE risk_signal');
  // As full as the other: what a row costs in twelve indexes grows with them.
  await pool.query('INSERT INTO plain_signal SELECT * FROM risk_signal');
  const ready = Array.from({ length: Math.ceil((seconds * 60_000) / batch) }, () =>
    Array.from({ length: batch }, () => rowOf(attempt())),
  );
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let stored = 0;
  let last = begun;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < until) {
        const rows = ready.pop();
        if (!rows) throw new Error('more rows are needed');
        await pool.query(`INSERT INTO plain_signal (${columns}) VALUES ?`, [rows]);
        stored += rows.length;
        last = performance.now();
      }
    }),
  );
  await pool.end();
  return { stored, perSecond: stored / ((last - begun) / 1_000) };
};
