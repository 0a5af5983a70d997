import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { type Classification, classifySchema } from '../authz/classification';
import { resolveAbstractTypes } from '../graphql/abstract-types';
import { exposeFields } from '../graphql/expose-fields';
import { CurrencyCode, DateTime, SafeInt } from '../graphql/scalars';
import { guardRelations, type RelationRules } from '../graphql/shield';
import { sortedBy } from '../graphql/sorted-by';
import { AssistanceResolver, assistanceRelations } from './assistance/assistance.resolver';
import { auditRelations } from './audit/audit.policy';
import { AuditResolver } from './audit/audit.resolver';
import { credentialRelations } from './credentials/credentials.policy';
import {
  ApprovalResolver,
  CredentialsResolver,
  TicketCredentialsResolver,
  TransitionResolver,
} from './credentials/credentials.resolver';
import { customerRelations } from './customers/customers.policy';
import { CustomersResolver } from './customers/customers.resolver';
import { ExposureResolver, exposureRelations } from './exposure/exposure.resolver';
import { paymentRelations } from './payments/payments.policy';
import { PaymentsResolver } from './payments/payments.resolver';
import { CustomerAuthor, StaffAuthor, SystemAuthor } from './tickets/ticket.type';
import { ticketRelations } from './tickets/tickets.policy';
import { MessagesResolver, TicketsResolver } from './tickets/tickets.resolver';
import { ViewerResolver, viewerRelations } from './viewer/viewer.resolver';

// biome-ignore lint/complexity/noBannedTypes: type-graphql's own type for a resolver class
const resolvers: NonEmptyArray<Function> = [
  ApprovalResolver,
  AssistanceResolver,
  CredentialsResolver,
  AuditResolver,
  CustomersResolver,
  ExposureResolver,
  MessagesResolver,
  PaymentsResolver,
  TicketCredentialsResolver,
  TicketsResolver,
  TransitionResolver,
  ViewerResolver,
];

const relations: readonly RelationRules[] = [
  assistanceRelations,
  credentialRelations,
  auditRelations,
  customerRelations,
  exposureRelations,
  paymentRelations,
  ticketRelations,
  viewerRelations,
];

/** Every slice's rules as one tree. */
export const allRelations = (): RelationRules => {
  const merged: Record<string, Record<string, RelationRules[string][string]>> = {};
  for (const rules of relations) {
    for (const [type, fields] of Object.entries(rules)) merged[type] = { ...merged[type], ...fields };
  }
  return merged;
};

/** By which field each order sorts. */
const sorts = {
  TicketOrder: { UPDATED_AT: 'Ticket.updatedAt', CREATED_AT: 'Ticket.createdAt' },
  TransactionOrder: { CREATED_AT: 'Transaction.createdAt', AMOUNT: 'Transaction.amount' },
} as const;

/** The graph as it is described: types and resolvers, before anything is protected. Throws when a field has no class. */
export const describeGraph = (): { schema: GraphQLSchema; classification: Classification } => {
  const built = resolveAbstractTypes(
    buildSchemaSync({
      resolvers,
      orphanedTypes: [StaffAuthor, CustomerAuthor, SystemAuthor],
      scalarsMap: [{ type: Date, scalar: DateTime }],
      validate: false,
      emitSchemaFile: false,
    }),
  );
  const schema = sortedBy(built, sorts);
  return {
    schema,
    classification: classifySchema(schema, {
      scalars: ['String', 'Int', 'Float', 'Boolean', 'ID', DateTime.name, SafeInt.name, CurrencyCode.name],
    }),
  };
};

/** The graph as it is served: every policed field behind its verdict, every relation behind its rule. */
export const protectGraph = ({ schema, classification }: ReturnType<typeof describeGraph>): GraphQLSchema =>
  guardRelations(exposeFields(schema, classification), allRelations());

/** The graph in the schema language, sorted: what `schema/schema.graphql` holds for review. */
export const printGraph = (): string => `${printSchema(lexicographicSortSchema(describeGraph().schema))}\n`;
