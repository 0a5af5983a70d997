import 'reflect-metadata';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { and, rule, shield } from 'graphql-shield';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import {
  Arg,
  buildSchema,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import { Column, DataSource, Entity, type EntityTarget, In, IsNull, type ObjectLiteral, PrimaryGeneratedColumn } from 'typeorm';
import { Assistance } from '../../src/features/assistance/assistance.entity';
import { Customer } from '../../src/features/customers/customer.entity';
import { CustomerKey } from '../../src/features/keys/key.entity';
import { PaymentMethod, Transaction } from '../../src/features/payments/payment.entity';
import { Message, Ticket } from '../../src/features/tickets/ticket.entity';
import { enumOf } from '../../src/graphql/enum-of';
import { CurrencyCode, DateTime, SafeInt } from '../../src/graphql/scalars';
import { DataKeyring } from '../../src/privacy/customer-keys';
import { keyEncryptionFromFile } from '../../src/privacy/key-encryption';
import { open } from '../../src/privacy/sealing';
import { ticketStatuses } from '../../src/upstream/helpdesk/helpdesk.port';
import { configOf } from '../settings';
import { serveForParent } from './child';

/** Who asked for what, a row a request. */
@Entity('naive_audit')
class AuditRow {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'varchar', length: 64 }) actor!: string;
  @Column({ type: 'varchar', length: 64 }) operation!: string;
  @Column({ type: 'text' }) variables!: string;
  @Column({ type: 'bigint' }) at!: number;
}

/** Each relation by its repository, a level at once where that takes no thought. */
const loadersOf = (source: DataSource) => {
  const byId = <E extends ObjectLiteral & { readonly id: string }>(entity: EntityTarget<E>) =>
    new DataLoader<string, E | null>(async (ids) => {
      const rows = await source.getRepository(entity).findBy({ id: In([...ids]) } as object);
      const found = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    });
  return {
    customers: byId(Customer),
    keys: byId(CustomerKey),
    methods: byId(PaymentMethod),
    methodsOf: new DataLoader<string, PaymentMethod[]>(async (payers) => {
      const rows = await source.getRepository(PaymentMethod).find({
        where: { paymentCustomerId: In([...payers]), sameAsId: IsNull() },
        order: { isDefault: 'DESC', createdAt: 'DESC', id: 'ASC' },
      });
      return payers.map((payer) => rows.filter((row) => row.paymentCustomerId === payer && row.status !== 'REMOVED'));
    }),
    assistances: new DataLoader<string, Assistance[]>(async (ids) => {
      const rows = await source.getRepository(Assistance).findBy({ ticketId: In([...ids]), endedAt: IsNull() });
      return ids.map((id) => rows.filter(({ ticketId }) => ticketId === id));
    }),
  };
};

interface Context {
  readonly staffId: string;
  readonly roles: readonly string[];
  readonly source: DataSource;
  readonly ring: DataKeyring;
  readonly loaders: ReturnType<typeof loadersOf>;
}

interface SealedRow {
  readonly id: string;
  readonly keyId: string;
}

const clear = async (
  { loaders, ring }: Context,
  { id, keyId }: SealedRow,
  [table, column]: readonly [string, string],
  sealed: Buffer | null,
): Promise<string | null> => {
  const key = await loaders.keys.load(keyId);
  return sealed && key?.wrapped ? open(ring.unwrap(key.id, key.wrapped, key.owner), { table, column, row: id }, sealed) : null;
};

const hidden = '•••';
const maskEmail = (email: string | null): string | null =>
  email === null
    ? null
    : email.replace(
        /^(.).*@(.).*(\.\w+)$/,
        (_all, name: string, host: string, end: string) => `${name}${hidden}@${host}${hidden}${end}`,
      );
const maskPhone = (phone: string | null): string | null => phone && `${phone.slice(0, 3)} ${hidden} ${phone.slice(-2)}`;

const TicketStatus = enumOf(ticketStatuses);
registerEnumType(TicketStatus, { name: 'TicketStatus' });

@ObjectType('Money')
class MoneyType {
  @Field(() => SafeInt) minorUnits!: number;
  @Field(() => CurrencyCode) currency!: string;
}

@ObjectType('Risk')
class RiskType {
  @Field(() => String) band!: string;
}

@ObjectType('PaymentMethod')
class PaymentMethodType {
  @Field(() => ID) id!: string;
  @Field(() => String) kind!: string;
  @Field(() => String, { nullable: true }) brand!: string | null;
  @Field(() => String, { nullable: true }) last4!: string | null;
  @Field(() => Int, { nullable: true }) expiryMonth!: number | null;
  @Field(() => Int, { nullable: true }) expiryYear!: number | null;
  @Field(() => String) status!: string;
  @Field(() => Boolean) isDefault!: boolean;
}

@ObjectType('Transaction')
class TransactionType {
  @Field(() => ID) id!: string;
  @Field(() => String) reference!: string;
  @Field(() => String) status!: string;
  @Field(() => String, { nullable: true }) declineCode!: string | null;
  @Field(() => String, { nullable: true }) declineAdvice!: string | null;
  @Field(() => DateTime) createdAt!: Date;
}

@ObjectType('Message')
class MessageType {
  @Field(() => ID) id!: string;
  @Field(() => String) channel!: string;
  @Field(() => DateTime) createdAt!: Date;
}

@ObjectType('MessageConnection')
class MessageConnection {
  @Field(() => [MessageType]) nodes!: Message[];
}

@ObjectType('TransactionConnection')
class TransactionConnection {
  @Field(() => [TransactionType]) nodes!: Transaction[];
}

@ObjectType('Customer')
class CustomerType {
  @Field(() => ID) id!: string;
  @Field(() => String, { nullable: true }) region!: string | null;
  @Field(() => String) link!: string;
}

@ObjectType('Ticket')
class TicketType {
  @Field(() => ID) id!: string;
  @Field(() => String) reference!: string;
  @Field(() => TicketStatus) status!: string;
  @Field(() => String) channel!: string;
  @Field(() => DateTime) createdAt!: Date;
  @Field(() => DateTime) updatedAt!: Date;
}

@ObjectType('TicketConnection')
class TicketConnection {
  @Field(() => [TicketType]) nodes!: Ticket[];
}

@InputType('TicketFilter')
class TicketFilter {
  @Field(() => Boolean, { nullable: true }) assignedToMe?: boolean;
  @Field(() => [TicketStatus], { nullable: true }) status?: string[];
}

@Resolver(() => TicketType)
class TicketResolver {
  @Query(() => TicketType, { nullable: true })
  ticketByReference(
    @Arg('source', () => String) source: string,
    @Arg('reference', () => String) reference: string,
    @Ctx() context: Context,
  ): Promise<Ticket | null> {
    return context.source.getRepository(Ticket).findOneBy({ source, reference });
  }

  @Query(() => TicketConnection)
  async tickets(
    @Arg('filter', () => TicketFilter) { status = [] }: TicketFilter,
    @Arg('first', () => Int) first: number,
    @Ctx() { source, staffId }: Context,
  ): Promise<TicketConnection> {
    const nodes = await source.getRepository(Ticket).find({
      where: { assigneeId: staffId, status: In(status) },
      order: { updatedAt: 'DESC', id: 'DESC' },
      take: first,
    });
    return { nodes };
  }

  @FieldResolver(() => String, { nullable: true })
  subject(@Root() ticket: Ticket, @Ctx() context: Context): Promise<string | null> {
    return clear(context, ticket, ['helpdesk_ticket', 'subject_sealed'], ticket.subjectSealed);
  }

  @FieldResolver(() => MessageConnection)
  async messages(
    @Root() ticket: Ticket,
    @Arg('first', () => Int) first: number,
    @Ctx() { source }: Context,
  ): Promise<MessageConnection> {
    const nodes = await source
      .getRepository(Message)
      .find({ where: { ticketId: ticket.id }, order: { createdAt: 'ASC', id: 'ASC' }, take: first });
    return { nodes };
  }

  @FieldResolver(() => CustomerType, { nullable: true })
  async customer(@Root() { customerId }: Ticket, @Ctx() { loaders }: Context): Promise<Customer | null> {
    return customerId === null ? null : loaders.customers.load(customerId);
  }
}

@Resolver(() => MessageType)
class MessageResolver {
  @FieldResolver(() => String, { nullable: true })
  body(@Root() message: Message, @Ctx() context: Context): Promise<string | null> {
    return clear(context, message, ['helpdesk_message', 'body_sealed'], message.bodySealed);
  }
}

@Resolver(() => CustomerType)
class CustomerResolver {
  @FieldResolver(() => String, { nullable: true })
  displayName(@Root() customer: Customer, @Ctx() context: Context): Promise<string | null> {
    return clear(context, customer, ['helpdesk_customer', 'name_sealed'], customer.nameSealed);
  }

  @FieldResolver(() => String, { nullable: true })
  async email(@Root() customer: Customer, @Ctx() context: Context): Promise<string | null> {
    return maskEmail(await clear(context, customer, ['helpdesk_customer', 'email_sealed'], customer.emailSealed));
  }

  @FieldResolver(() => String, { nullable: true })
  async phone(@Root() customer: Customer, @Ctx() context: Context): Promise<string | null> {
    return maskPhone(await clear(context, customer, ['helpdesk_customer', 'phone_sealed'], customer.phoneSealed));
  }

  @FieldResolver(() => [PaymentMethodType], { nullable: true })
  async paymentMethods(
    @Root() { link, paymentCustomerId }: Customer,
    @Ctx() { loaders }: Context,
  ): Promise<PaymentMethod[] | null> {
    return link === 'NONE' || paymentCustomerId === null ? null : loaders.methodsOf.load(paymentCustomerId);
  }

  @FieldResolver(() => TransactionConnection, { nullable: true })
  async transactions(
    @Root() { link, paymentCustomerId }: Customer,
    @Arg('first', () => Int) first: number,
    @Ctx() { source }: Context,
  ): Promise<TransactionConnection | null> {
    if (link === 'NONE' || paymentCustomerId === null) return null;
    const nodes = await source
      .getRepository(Transaction)
      .find({ where: { paymentCustomerId }, order: { createdAt: 'DESC', id: 'DESC' }, take: first });
    return { nodes };
  }
}

@Resolver(() => TransactionType)
class TransactionResolver {
  @FieldResolver(() => MoneyType)
  amount(@Root() { amount, currency }: Transaction): MoneyType {
    return { minorUnits: amount, currency };
  }

  @FieldResolver(() => RiskType)
  risk(@Root() { riskBand }: Transaction): RiskType {
    return { band: riskBand };
  }

  @FieldResolver(() => PaymentMethodType, { nullable: true })
  async paymentMethod(
    @Root() { paymentMethodId, paymentCustomerId }: Transaction,
    @Ctx() { loaders }: Context,
  ): Promise<PaymentMethod | null> {
    const found = paymentMethodId === null ? null : await loaders.methods.load(paymentMethodId);
    const shown = found?.sameAsId ? await loaders.methods.load(found.sameAsId) : found;
    return shown?.paymentCustomerId === paymentCustomerId ? shown : null;
  }
}

const isAgent = rule({ cache: 'contextual' })(
  (_parent: unknown, _given: unknown, { roles }: Context) => roles.includes('AGENT') || new GraphQLError('denied'),
);
const isAssisted = rule({ cache: 'no_cache' })(async ({ id, customerId }: Ticket, _given: unknown, { loaders }: Context) =>
  (await loaders.assistances.load(id)).some((each) => each.customerId === customerId),
);

/**
 * The usual stack: type-graphql, TypeORM's repositories, graphql-shield on every field, masks in resolvers, an INSERT into an
 * audit table before each answer, Apollo's standalone server. Tokens are verified; whose staff row it is is believed from a header.
 */
serveForParent(async (settings) => {
  const config = configOf(settings);
  const [issuer] = config.issuers;
  if (!issuer?.jwksUri || !('file' in config.keyEncryption)) throw new Error('the bench has an issuer, and its key in a file');
  const source = await new DataSource({
    type: 'mariadb',
    url: settings.databaseUrl,
    extra: { connectionLimit: config.databasePool },
    // The entities' numbers are numbers.
    supportBigNumbers: true,
    bigNumberStrings: false,
    entities: [Assistance, Customer, CustomerKey, Message, PaymentMethod, Ticket, Transaction, AuditRow],
  }).initialize();
  await source.query(
    'CREATE TABLE IF NOT EXISTS naive_audit (id INT AUTO_INCREMENT PRIMARY KEY, actor VARCHAR(64) NOT NULL, operation VARCHAR(64) NOT NULL, variables TEXT NOT NULL, at BIGINT NOT NULL)',
  );
  const ring = new DataKeyring(keyEncryptionFromFile(config.keyEncryption.file, { create: false }));
  const keys = createRemoteJWKSet(new URL(issuer.jwksUri));

  const built = await buildSchema({
    resolvers: [TicketResolver, MessageResolver, CustomerResolver, TransactionResolver],
    validate: false,
  });
  const permissions = shield(
    {
      Ticket: { '*': isAgent, customer: and(isAgent, isAssisted), messages: and(isAgent, isAssisted) },
    },
    { fallbackRule: isAgent, allowExternalErrors: true },
  );
  const audited: ApolloServerPlugin<Context> = {
    requestDidStart: async () => ({
      willSendResponse: async ({ contextValue: { staffId }, request }) => {
        await source.getRepository(AuditRow).insert({
          actor: staffId,
          operation: request.operationName ?? '',
          variables: JSON.stringify(request.variables ?? {}),
          at: Date.now(),
        });
      },
    }),
  };
  const apollo = new ApolloServer<Context>({ schema: applyMiddleware(built, permissions), plugins: [audited] });
  const { url } = await startStandaloneServer(apollo, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async ({ req }): Promise<Context> => {
      const token = String(req.headers.authorization).replace(/^Bearer /, '');
      const { payload } = await jwtVerify(token, keys, { issuer: issuer.issuer, audience: [...issuer.audience] });
      const staffId = String(req.headers['x-staff']);
      return { staffId, roles: payload.roles as string[], source, ring, loaders: loadersOf(source) };
    },
  });
  const close = async (): Promise<void> => {
    await apollo.stop();
    await source.destroy();
  };
  return { port: Number(new URL(url).port), close };
});
