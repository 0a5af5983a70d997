import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import DataLoader from 'dataloader';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { DataKeyring } from '../../src/privacy/customer-keys';
import { keyEncryptionFromFile } from '../../src/privacy/key-encryption';
import { open } from '../../src/privacy/sealing';
import { configOf } from '../settings';
import { listening, serveForParent } from './child';
import { openStatements, placeholders, type Statements, type Value } from './statements';

type Row = Readonly<Record<string, Value>>;

/** Columns by the names that the graph has for them: what either query selects, and the key. */
const select = (from: string, columns: Readonly<Record<string, string>>): string =>
  `SELECT ${Object.entries(columns)
    .map(([name, column]) => `${column} AS ${name}`)
    .join(',')} FROM ${from} `;

const key = { keyId: 'k.id', wrapped: 'k.wrapped', owner: 'k.owner' };
const keyOf = (of: string): string => `JOIN privacy_customer_key k ON k.id=${of}.key_id`;
const tickets = select(`helpdesk_ticket t ${keyOf('t')}`, {
  ...{ id: 't.id', reference: 't.reference', subject: 't.subject_sealed', status: 't.status', channel: 't.channel' },
  ...{ createdAt: 't.created_at', updatedAt: 't.updated_at', customerId: 't.customer_id' },
  ...key,
});
const customers = select(`helpdesk_customer c ${keyOf('c')}`, {
  ...{ id: 'c.id', displayName: 'c.name_sealed', email: 'c.email_sealed', phone: 'c.phone_sealed', region: 'c.region' },
  ...{ link: 'c.link', payer: 'c.payment_customer_id' },
  ...key,
});
const messages = select(`helpdesk_message m ${keyOf('m')}`, {
  ...{ id: 'm.id', ticketId: 'm.ticket_id', channel: 'm.channel', body: 'm.body_sealed', createdAt: 'm.created_at' },
  ...key,
});
const methods = select('payment_method m', {
  ...{ id: 'm.id', payer: 'm.payment_customer_id', kind: 'm.kind', brand: 'm.brand', last4: 'm.last4', status: 'm.status' },
  ...{ expiryMonth: 'm.expiry_month', expiryYear: 'm.expiry_year', isDefault: 'm.is_default', sameAsId: 'm.same_as_id' },
});
const transactions = select('payment_transaction t', {
  ...{ id: 't.id', payer: 't.payment_customer_id', reference: 't.reference', status: 't.status', amount: 't.amount' },
  ...{ declineCode: 't.decline_code', declineAdvice: 't.decline_advice', createdAt: 't.created_at', currency: 't.currency' },
  ...{ riskBand: 't.risk_band', methodId: 't.payment_method_id' },
});

/** The first rows of one owner. */
interface List {
  readonly owner: string;
  readonly first: number;
}

/** Each relation of a level in one prepared statement, as a team writes its loaders. */
const loadersOf = (statements: Statements) => {
  const read = (selection: string, rest: string, values: readonly Value[]): Promise<Row[]> =>
    statements.objects(selection + rest, values);
  const firstOfEach = (selection: string, column: string, owner: string, order: string) =>
    new DataLoader<List, Row[], string>(
      async (lists) => {
        const list = ({ first }: List) => `${selection}WHERE ${column}=? ORDER BY ${order} LIMIT ${first}`;
        const text = lists.length === 1 ? list(lists[0] as List) : statements.lists(lists.map(list));
        const rows = await read(
          text,
          '',
          lists.map((each) => each.owner),
        );
        const found = new Map<string, Row[]>(lists.map((each) => [each.owner, []]));
        for (const row of rows) found.get(String(row[owner]))?.push(row);
        return lists.map((each) => found.get(each.owner) ?? []);
      },
      { cacheKeyFn: ({ owner: of, first }) => `${of} ${first}` },
    );
  return {
    read,
    customers: new DataLoader<string, Row | null>(async (ids) => {
      const rows = await read(customers, `WHERE c.id IN (${placeholders(ids.length)})`, ids);
      const found = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    }),
    messages: firstOfEach(messages, 'm.ticket_id', 'ticketId', 'm.created_at,m.id'),
    transactions: firstOfEach(transactions, 't.payment_customer_id', 'payer', 't.created_at DESC,t.id DESC'),
    /** All of a customer, by id: transactions lead to some that aren't listed. */
    methods: new DataLoader<string, ReadonlyMap<string, Row>>(async (payers) => {
      const rest = `WHERE m.payment_customer_id IN (${placeholders(payers.length)}) ORDER BY m.is_default DESC,m.created_at DESC,m.id`;
      const found = new Map(payers.map((payer) => [payer, new Map<string, Row>()]));
      for (const row of await read(methods, rest, payers)) found.get(String(row.payer))?.set(String(row.id), row);
      return payers.map((payer) => found.get(payer) ?? new Map());
    }),
  };
};

interface Context {
  readonly staffId: string;
  readonly loaders: ReturnType<typeof loadersOf>;
}

const payerOf = ({ link, payer }: Row): string | null => (link === 'NONE' ? null : (payer as string | null));
const instant =
  (name: string) =>
  (row: Row): string =>
    new Date(Number(row[name])).toISOString();

const resolversOf = (ring: DataKeyring) => {
  const sealed = (table: string, column: string, name: string) => (row: Row) => {
    const { [name]: value, wrapped, keyId, owner, id } = row as Row & Readonly<Record<'keyId' | 'owner' | 'id', string>>;
    if (!Buffer.isBuffer(value) || !Buffer.isBuffer(wrapped)) return null;
    return open(ring.unwrap(keyId, wrapped, owner), { table, column, row: id }, value);
  };
  return {
    Query: {
      ticketByReference: async (
        _root: unknown,
        { source, reference }: Record<'source' | 'reference', string>,
        { loaders }: Context,
      ) => {
        const [row] = await loaders.read(tickets, 'WHERE t.source=? AND t.reference=?', [source, reference]);
        return row ?? null;
      },
      tickets: async (
        _root: unknown,
        { filter, first }: { readonly filter: { readonly status: readonly string[] }; readonly first: number },
        { staffId, loaders }: Context,
      ) => {
        const rest = `WHERE t.assignee_id=? AND t.status IN (${placeholders(filter.status.length)}) ORDER BY t.updated_at DESC,t.id DESC LIMIT ${first}`;
        return { nodes: await loaders.read(tickets, rest, [staffId, ...filter.status]) };
      },
    },
    Ticket: {
      subject: sealed('helpdesk_ticket', 'subject_sealed', 'subject'),
      createdAt: instant('createdAt'),
      updatedAt: instant('updatedAt'),
      messages: async ({ id }: Row, { first }: List, { loaders }: Context) => ({
        nodes: await loaders.messages.load({ owner: String(id), first }),
      }),
      customer: ({ customerId }: Row, _given: unknown, { loaders }: Context) =>
        customerId === null ? null : loaders.customers.load(String(customerId)),
    },
    Message: { body: sealed('helpdesk_message', 'body_sealed', 'body'), createdAt: instant('createdAt') },
    Customer: {
      displayName: sealed('helpdesk_customer', 'name_sealed', 'displayName'),
      email: sealed('helpdesk_customer', 'email_sealed', 'email'),
      phone: sealed('helpdesk_customer', 'phone_sealed', 'phone'),
      paymentMethods: async (customer: Row, _given: unknown, { loaders }: Context) => {
        const payer = payerOf(customer);
        if (payer === null) return null;
        const all = [...(await loaders.methods.load(payer)).values()];
        return all.filter(({ status, sameAsId }) => status !== 'REMOVED' && sameAsId === null).slice(0, 50);
      },
      transactions: async (customer: Row, { first }: List, { loaders }: Context) => {
        const payer = payerOf(customer);
        return payer === null ? null : { nodes: await loaders.transactions.load({ owner: payer, first }) };
      },
    },
    PaymentMethod: { isDefault: ({ isDefault }: Row) => isDefault === 1 },
    Transaction: {
      createdAt: instant('createdAt'),
      amount: ({ amount, currency }: Row) => ({ minorUnits: amount, currency }),
      risk: ({ riskBand }: Row) => ({ band: riskBand }),
      paymentMethod: async ({ payer, methodId }: Row, _given: unknown, { loaders }: Context) => {
        if (methodId === null) return null;
        const of = await loaders.methods.load(String(payer));
        const found = of.get(String(methodId));
        return (found?.sameAsId ? of.get(String(found.sameAsId)) : found) ?? null;
      },
    },
  };
};

/** The quickest GraphQL server of the field, unprotected: mercurius with compiled execution, the gateway's graph, prepared reads by hand, a DataLoader a relation. */
serveForParent(async (settings) => {
  const config = configOf(settings);
  const statements = openStatements(config.database, config.databasePool);
  if (!('file' in config.keyEncryption)) throw new Error('the bench keeps its key in a file');
  const ring = new DataKeyring(keyEncryptionFromFile(config.keyEncryption.file, { create: false }));
  const fastify = Fastify();
  await fastify.register(mercurius, {
    schema: readFileSync('schema/schema.graphql', 'utf8'),
    resolvers: resolversOf(ring) as unknown as NonNullable<Parameters<typeof mercurius>[1]>['resolvers'],
    jit: 1,
    context: (request: { readonly headers: Readonly<Record<string, unknown>> }): Context => ({
      staffId: String(request.headers['x-staff']),
      loaders: loadersOf(statements),
    }),
  } as Parameters<typeof mercurius>[1]);
  fastify.addHook('onClose', () => statements.close());
  return listening(fastify);
});
