import 'reflect-metadata';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataKeyring } from '../../src/privacy/customer-keys';
import { keyEncryptionFromFile } from '../../src/privacy/key-encryption';
import { open } from '../../src/privacy/sealing';
import { helpdeskSource } from '../merchant';
import { configOf } from '../settings';
import { serveForParent } from './child';
import { columns, openStatements, placeholders, type Statements } from './statements';

type Text = string | null;
type Sealed = Buffer | null;

const listLength = 50;
const key = ['k.id', 'k.wrapped', 'k.owner'] as const;
type Key = readonly [id: string, wrapped: Sealed, owner: string];

/** A ticket with its customer and the key that both are sealed with: read once for all that belongs to that customer. */
const ticketWithCustomer = `FROM helpdesk_ticket t JOIN privacy_customer_key k ON k.id=t.key_id LEFT JOIN helpdesk_customer c ON c.id=t.customer_id`;
/** The key of a row where it isn't the one that was read already. */
const otherKey = (of: string, than: string): string => `NULLIF(${of},${than})`;

const ticketText = `SELECT ${columns(
  ...key,
  't.id',
  't.subject_sealed',
  't.status',
  't.channel',
  't.created_at',
  't.updated_at',
  'c.id',
  otherKey('c.key_id', 't.key_id'),
  'c.name_sealed',
  'c.email_sealed',
  'c.phone_sealed',
  'c.region',
  'c.link',
  'c.payment_customer_id',
)} ${ticketWithCustomer} WHERE t.source=? AND t.reference=?`;
type TicketRow = readonly [
  ...Key,
  ...[id: string, subject: Sealed, status: string, channel: string, createdAt: number, updatedAt: number],
  ...[customerId: Text, otherKey: Text, name: Sealed, email: Sealed, phone: Sealed, region: Text, link: Text, payer: Text],
];

const messagesText = `SELECT ${columns('id', 'channel', 'body_sealed', 'created_at', otherKey('key_id', '?'))} FROM helpdesk_message WHERE ticket_id=? ORDER BY created_at,helpdesk_message.id LIMIT 10`;
type MessageRow = readonly [id: string, channel: string, body: Sealed, createdAt: number, otherKey: Text];

/** Those that aren't listed too: transactions lead to them. */
const methodsText = `SELECT ${columns('id', 'kind', 'brand', 'last4', 'expiry_month', 'expiry_year', 'status', 'is_default', 'same_as_id')} FROM payment_method m WHERE payment_customer_id=? ORDER BY is_default DESC,created_at DESC,m.id`;
type MethodRow = readonly [
  ...[id: string, kind: string, brand: Text, last4: Text, expiryMonth: number | null, expiryYear: number | null],
  ...[status: string, isDefault: number, sameAsId: Text],
];

const transactionsText = `SELECT ${columns('id', 'reference', 'status', 'decline_code', 'decline_advice', 'created_at', 'amount', 'currency', 'risk_band', 'payment_method_id')} FROM payment_transaction p WHERE payment_customer_id=? ORDER BY created_at DESC,p.id DESC LIMIT 20`;
type TransactionRow = readonly [
  ...[id: string, reference: string, status: string, declineCode: Text, declineAdvice: Text, createdAt: number],
  ...[amount: number, currency: string, riskBand: string, methodId: Text],
];

const queueText = `SELECT ${columns(
  ...key,
  't.id',
  't.reference',
  't.subject_sealed',
  't.status',
  't.updated_at',
  'c.id',
  otherKey('c.key_id', 't.key_id'),
  'c.name_sealed',
  'c.link',
  'c.payment_customer_id',
)} ${ticketWithCustomer} WHERE t.assignee_id=? AND t.status IN ('NEW','OPEN','PENDING') ORDER BY t.updated_at DESC,t.id DESC LIMIT ${listLength}`;
type QueueRow = readonly [
  ...Key,
  ...[id: string, reference: string, subject: Sealed, status: string, updatedAt: number],
  ...[customerId: Text, otherKey: Text, name: Sealed, link: Text, payer: Text],
];

const listedMethodsText = (payers: number): string =>
  `SELECT ${columns('payment_customer_id', 'id', 'kind', 'brand', 'last4', 'status')} FROM payment_method m WHERE payment_customer_id IN (${placeholders(payers)}) AND status<>'REMOVED' AND same_as_id IS NULL ORDER BY is_default DESC,created_at DESC,m.id`;
type ListedMethodRow = readonly [payer: string, id: string, kind: string, brand: Text, last4: Text, status: string];

/** Each row says by a number whose list it is of. */
const latestText = (payers: number, { lists }: Statements): string =>
  lists(
    Array.from(
      { length: payers },
      (_, index) =>
        `SELECT ${columns(String(index), 'id', 'status', 'decline_code', 'created_at', 'amount', 'currency')} FROM payment_transaction p WHERE payment_customer_id=? ORDER BY p.created_at DESC,p.id DESC LIMIT 5`,
    ),
  );
type LatestRow = readonly [
  ...[list: number, id: string, status: string, declineCode: Text, createdAt: number, amount: number, currency: string],
];

const once = <T>(make: (size: number) => T): ((size: number) => T) => {
  const made: T[] = [];
  return (size) => {
    made[size] ??= make(size);
    return made[size];
  };
};
const instant = (at: number): string => new Date(at).toISOString();
const sameKey = (other: Text): void => {
  if (other !== null) throw new Error('a row is sealed under another key than its customer’s, which none of the bench’s is');
};

/** Answers both queries as somebody would write them who knows them beforehand, and whom nothing else is asked. */
class Answers {
  private readonly listedMethodsText = once(listedMethodsText);
  private readonly latestText = once((payers) => latestText(payers, this.statements));

  constructor(
    private readonly statements: Statements,
    private readonly ring: DataKeyring,
  ) {}

  async context(reference: string) {
    const { statements } = this;
    const [row] = await statements.rows<TicketRow>(ticketText, [helpdeskSource, reference]);
    if (!row) return { ticketByReference: null };
    const [keyId, wrapped, owner, id, subject, status, channel, createdAt, updatedAt, customerId, otherKey, ...person] = row;
    const [name, email, phone, region, link, payer] = person;
    sameKey(otherKey);
    const unwrapped = wrapped && this.ring.unwrap(keyId, wrapped, owner);
    const text = (table: string, column: string, of: string, sealed: Sealed): Text =>
      sealed && unwrapped && open(unwrapped, { table, column, row: of }, sealed);
    const messages = await statements.rows<MessageRow>(messagesText, [keyId, id]);
    const linked = link === 'NONE' ? null : payer;
    const methods = linked === null ? null : await statements.rows<MethodRow>(methodsText, [linked]);
    const transactions = linked === null ? null : await statements.rows<TransactionRow>(transactionsText, [linked]);
    const methodOf = new Map(methods?.map((method) => [method[0], method]));
    const shownMethod = (methodId: Text) => {
      const found = methodId === null ? undefined : methodOf.get(methodId);
      const shown = found?.[8] ? methodOf.get(found[8]) : found;
      return shown ? { id: shown[0], brand: shown[2], last4: shown[3] } : null;
    };
    const customer = customerId !== null && {
      id: customerId,
      displayName: text('helpdesk_customer', 'name_sealed', customerId, name),
      email: text('helpdesk_customer', 'email_sealed', customerId, email),
      phone: text('helpdesk_customer', 'phone_sealed', customerId, phone),
      region,
      link,
      paymentMethods:
        methods
          ?.filter(({ 6: state, 8: sameAsId }) => state !== 'REMOVED' && sameAsId === null)
          .slice(0, listLength)
          .map(([methodId, kind, brand, last4, expiryMonth, expiryYear, state, isDefault]) => ({
            id: methodId,
            kind,
            brand,
            last4,
            expiryMonth,
            expiryYear,
            status: state,
            isDefault: isDefault === 1,
          })) ?? null,
      transactions: transactions && {
        nodes: transactions.map((each) => ({
          id: each[0],
          reference: each[1],
          status: each[2],
          declineCode: each[3],
          declineAdvice: each[4],
          createdAt: instant(each[5]),
          amount: { minorUnits: each[6], currency: each[7] },
          risk: { band: each[8] },
          paymentMethod: shownMethod(each[9]),
        })),
      },
    };
    return {
      ticketByReference: {
        id,
        reference,
        subject: text('helpdesk_ticket', 'subject_sealed', id, subject),
        status,
        channel,
        createdAt: instant(createdAt),
        updatedAt: instant(updatedAt),
        messages: {
          nodes: messages.map(([messageId, via, body, at, other]) => {
            sameKey(other);
            return {
              id: messageId,
              channel: via,
              body: text('helpdesk_message', 'body_sealed', messageId, body),
              createdAt: instant(at),
            };
          }),
        },
        customer: customer || null,
      },
    };
  }

  async queue(staffId: string) {
    const { statements } = this;
    const rows = await statements.rows<QueueRow>(queueText, [staffId]);
    const payerOf = ({ 11: link, 12: payer }: QueueRow): Text => (link === 'NONE' ? null : payer);
    const payers = [...new Set(rows.map(payerOf).filter((payer) => payer !== null))];
    const methods = new Map<string, object[]>(payers.map((payer) => [payer, []]));
    const transactions: object[][] = payers.map(() => []);
    if (payers.length > 0) {
      const listed = await statements.rows<ListedMethodRow>(this.listedMethodsText(payers.length), payers);
      for (const [payer, id, kind, brand, last4, status] of listed) methods.get(payer)?.push({ id, kind, brand, last4, status });
      const latest = await statements.rows<LatestRow>(this.latestText(payers.length), payers);
      for (const [list, id, status, declineCode, createdAt, minorUnits, currency] of latest)
        transactions[list]?.push({ id, status, declineCode, createdAt: instant(createdAt), amount: { minorUnits, currency } });
    }
    const transactionsOf = new Map(payers.map((payer, index) => [payer, transactions[index] ?? []]));
    return {
      tickets: {
        nodes: rows.map((row) => {
          const [keyId, wrapped, owner, id, reference, subject, status, updatedAt, customerId, otherKey, name, link] = row;
          sameKey(otherKey);
          const unwrapped = wrapped && this.ring.unwrap(keyId, wrapped, owner);
          const text = (table: string, column: string, of: string, sealed: Sealed): Text =>
            sealed && unwrapped && open(unwrapped, { table, column, row: of }, sealed);
          const payer = payerOf(row);
          return {
            id,
            reference,
            subject: text('helpdesk_ticket', 'subject_sealed', id, subject),
            status,
            updatedAt: instant(updatedAt),
            customer:
              customerId === null
                ? null
                : {
                    id: customerId,
                    displayName: text('helpdesk_customer', 'name_sealed', customerId, name),
                    link,
                    paymentMethods: payer === null ? null : (methods.get(payer) ?? []).slice(0, listLength),
                    transactions: payer === null ? null : { nodes: transactionsOf.get(payer) ?? [] },
                  },
          };
        }),
      },
    };
  }
}

interface Asked {
  readonly operationName: string;
  readonly variables?: { readonly reference: string };
}

const bodyOf = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8')));
    request.on('error', reject);
  });

/**
 * The limit: nothing between `node:http` and the driver but what both queries need. SQL by hand, prepared, the selected
 * columns alone; unsealing; `JSON.stringify`. Whose queue is meant is believed from a header.
 */
serveForParent(async (settings) => {
  const config = configOf(settings);
  const statements = openStatements(config.database, config.databasePool);
  if (!('file' in config.keyEncryption)) throw new Error('the bench keeps its key in a file');
  const ring = new DataKeyring(keyEncryptionFromFile(config.keyEncryption.file, { create: false }));
  const answers = new Answers(statements, ring);
  const answer = async (request: IncomingMessage): Promise<object> => {
    const { operationName, variables } = JSON.parse(await bodyOf(request)) as Asked;
    return operationName === 'Context'
      ? answers.context(variables?.reference ?? '')
      : answers.queue(String(request.headers['x-staff']));
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (data) => {
        const body = Buffer.from(JSON.stringify({ data }));
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
        response.end(body);
      },
      (error: unknown) => {
        console.error(error);
        response.writeHead(500, { 'content-length': 0 });
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    await new Promise((resolve) => server.close(resolve));
    await statements.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
});
