import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { migrations } from '../../migrations';
import type { SignedInActor } from '../../src/authz/actor';
import { Database } from '../../src/db/database';
import { reachedBy } from '../../src/db/reached';
import { raw, sql } from '../../src/db/sql';
import { AssistancesLoader } from '../../src/features/assistance/assistances.loader';
import { CustomersLoader } from '../../src/features/customers/customers.loader';
import { entities } from '../../src/features/entities';
import { KeysLoader } from '../../src/features/keys/keys.loader';
import { Keys } from '../../src/features/keys/keys.service';
import { PaymentsLoader } from '../../src/features/payments/payments.loader';
import { Payments } from '../../src/features/payments/payments.service';
import type { RequestContext, Services } from '../../src/features/request';
import { describeGraph } from '../../src/features/schema';
import {
  MessageConnection,
  MessageType,
  TicketConnection,
  type TicketFilter,
  TicketType,
} from '../../src/features/tickets/ticket.type';
import { TicketsLoader } from '../../src/features/tickets/tickets.loader';
import { type MessageRow, type TicketRow, ticket, ticketRows } from '../../src/features/tickets/tickets.rows';
import type { TicketPageArguments } from '../../src/features/tickets/tickets.service';
import { pageOf } from '../../src/graphql/connection';
import { Cursors } from '../../src/graphql/cursor';
import { noWork } from '../../src/graphql/work';
import { keyEncryptionFromFile } from '../../src/privacy/key-encryption';
import { configOf } from '../settings';
import { listening, serveForParent } from './child';

/** Tickets by the same columns and joins as the gateway's, for whoever asks. */
class UnguardedTickets {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly cursors: Cursors,
  ) {}

  async openByReference(_actor: SignedInActor, _access: unknown, source: string, reference: string): Promise<TicketType | null> {
    const [row] = await this.database.read(
      ticketRows,
      sql`WHERE ${ticket.source} = ${source} AND ${ticket.reference} = ${reference}`,
    );
    return row ? this.toType(row) : null;
  }

  async page(actor: SignedInActor, { filter, first }: TicketPageArguments) {
    const { status = [] }: TicketFilter = filter ?? {};
    const rows = await this.database.read(
      ticketRows,
      sql`WHERE ${ticket.status} IN (${status ?? []}) AND ${ticket.assigneeId} IN (${actor.staffIds}) ORDER BY ${ticket.updatedAt} DESC, ${ticket.id} DESC LIMIT ${(first ?? 20) + 1}`,
    );
    const cursorOf = ({ updatedAt, id }: TicketRow) => this.cursors.encode(actor.id, [], { value: updatedAt.getTime(), id });
    return new TicketConnection(
      pageOf(
        rows,
        first ?? 20,
        (row) => this.toType(row),
        cursorOf,
        false,
        async () => rows.length,
      ),
    );
  }

  async messages(actor: SignedInActor, loader: TicketsLoader, of: TicketType, { first }: { readonly first: number | null }) {
    const size = first ?? 20;
    const rows = await loader.messages({ ticketId: reachedBy(of, 'id'), limit: size + 1, after: null }, of.key);
    const cursorOf = ({ createdAt, id }: MessageRow) => this.cursors.encode(actor.id, [], { value: createdAt.getTime(), id });
    const toNode = (row: MessageRow) => new MessageType(of, row, this.keys);
    return new MessageConnection(pageOf(rows, size, toNode, cursorOf, false, () => loader.messageCount(of.id)));
  }

  private toType(row: TicketRow): TicketType {
    return new TicketType(row, this.keys, { at: new Date(), maximumAge: 30_000 }, false);
  }
}

/**
 * What a team would have without us: Apollo Server 5 with its defaults on Fastify, the same integration, the same types
 * and resolvers of type-graphql, the same loaders (every column), pool and unsealing; executed by graphql-js. No token is
 * verified, no scope, no rule, no mask, no limit, nothing is recorded or logged. Whose queue is meant is believed from a header.
 */
serveForParent(async (settings) => {
  const config = configOf(settings);
  const database = await Database.open(
    config.database,
    { entities, migrations, poolSize: config.databasePool },
    { migrate: false },
  );
  if (!('file' in config.keyEncryption)) throw new Error('the bench keeps its key in a file');
  const keys = await Keys.open(database, keyEncryptionFromFile(config.keyEncryption.file, { create: false }));
  const clock = () => new Date();
  const cursors = new Cursors(randomBytes(32));
  const tickets = new UnguardedTickets(database, keys, cursors);
  const services = {
    tickets,
    opening: tickets,
    customers: {
      ofTicket: (loader: CustomersLoader, { customerId, key }: TicketType) =>
        customerId === null ? null : loader.load(customerId, key),
    },
    payments: new Payments({ database, keys, cursors, clock, reach: () => raw('1 = 1'), confirmedOf: async () => [] }),
    cursors,
  } as unknown as Services;
  const { schema } = describeGraph();

  const fastify = Fastify();
  const apollo = new ApolloServer<RequestContext>({ schema, plugins: [fastifyApolloDrainPlugin(fastify)] });
  await apollo.start();
  fastify.post(
    '/graphql',
    fastifyApolloHandler<RequestContext>(apollo, {
      context: async (request) => {
        const actor = { id: 'anybody', staffIds: [String(request.headers['x-staff'])] } as unknown as SignedInActor;
        const loading = { keys: new KeysLoader(database), fields: () => null, work: noWork };
        return {
          actor,
          requestId: request.id,
          services,
          loaders: {
            alerts: undefined as unknown as RequestContext['loaders']['alerts'],
            recognitions: undefined as unknown as RequestContext['loaders']['recognitions'],
            assistances: undefined as unknown as AssistancesLoader,
            credentials: undefined as unknown as RequestContext['loaders']['credentials'],
            customers: new CustomersLoader({ database, keys, clock, maximumPaymentsAge: 300_000 }, loading),
            holds: undefined as unknown as RequestContext['loaders']['holds'],
            payments: new PaymentsLoader(database, keys, loading),
            tickets: new TicketsLoader(database, loading),
          },
          // Every column: no plan says which fields are selected.
          access: { fields: null } as unknown as RequestContext['access'],
        };
      },
    }),
  );
  fastify.addHook('onClose', () => database.close());
  return listening(fastify);
});
