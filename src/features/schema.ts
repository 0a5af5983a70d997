import 'reflect-metadata';
import '../deferred';
import { assertValidSchema, type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { type Classification } from '../authz/policy/classification';
import { classifySchema } from '../authz/policy/classify-schema';
import { ProgrammingError } from '../failure';
import { resolveAbstractTypes } from '../graphql/abstract-types';
import { callResolvers } from '../graphql/call-resolvers';
import { exposeFields } from '../graphql/expose-fields';
import { guardTexts } from '../graphql/guard-texts';
import { type Guards, guardFields, guardsOf } from '../graphql/guarded';
import { requireListMarks } from '../graphql/listed';
import { paceFields } from '../graphql/pace-fields';
import { CurrencyCode, DateTime, SafeInt } from '../graphql/scalars';
import { fieldsOf, plainFields, readGetters, type ServedFields, servedFields } from '../graphql/served-fields';
import { sortedBy } from '../graphql/sorted-by';
import { AlertEventsResolver, AlertReasonResolver, AlertsResolver, TicketAlertsResolver } from './alerts/alerts.resolver';
import { AssistancePartsResolver, AssistanceResolver, TicketAssistanceResolver } from './assistance/assistance.resolver';
import { AuditResolver } from './audit/audit.resolver';
import { ActorNamesResolver } from './audit/names/actor-names.resolver';
import { BrakesResolver } from './brakes/brakes.resolver';
import { ClaimsResolver } from './claims/claims.resolver';
import {
  ApprovalResolver,
  CredentialsResolver,
  TicketCredentialsResolver,
  TransitionResolver,
  UpdateOffersResolver,
} from './credentials/credentials.resolver';
import { CustomersResolver } from './customers/customers.resolver';
import { DecisionsResolver } from './decisions/decisions.resolver';
import { ExposureResolver } from './exposure/exposure.resolver';
import { WithheldResolver } from './exposure/withheld.resolver';
import {
  AlertHoldsResolver,
  HoldSubjectResolver,
  HoldsResolver,
  HoldTransitionResolver,
  TicketHoldsResolver,
} from './holds/holds.resolver';
import { PaymentsResolver } from './payments/payments.resolver';
import { RecognitionsResolver, TicketRecognitionsResolver } from './recognitions/recognitions.resolver';
import { RulesResolver } from './rules/rules.resolver';
import { SourcesResolver } from './sources/sources.resolver';
import { CustomerAuthor, StaffAuthor, SystemAuthor } from './tickets/ticket.type';
import { MessagesResolver, TicketsResolver } from './tickets/tickets.resolver';
import { ViewerResolver } from './viewer/viewer.resolver';
import { WebhooksResolver } from './webhooks/webhooks.resolver';

// biome-ignore lint/complexity/noBannedTypes: type-graphql's own type for a resolver class
const resolvers: NonEmptyArray<Function> = [
  ActorNamesResolver,
  AlertEventsResolver,
  AlertHoldsResolver,
  AlertReasonResolver,
  AlertsResolver,
  ApprovalResolver,
  AssistanceResolver,
  AssistancePartsResolver,
  BrakesResolver,
  ClaimsResolver,
  CredentialsResolver,
  AuditResolver,
  CustomersResolver,
  DecisionsResolver,
  ExposureResolver,
  HoldSubjectResolver,
  HoldsResolver,
  HoldTransitionResolver,
  MessagesResolver,
  PaymentsResolver,
  RecognitionsResolver,
  RulesResolver,
  TicketAlertsResolver,
  SourcesResolver,
  TicketAssistanceResolver,
  TicketCredentialsResolver,
  UpdateOffersResolver,
  TicketHoldsResolver,
  TicketRecognitionsResolver,
  TicketsResolver,
  TransitionResolver,
  ViewerResolver,
  WithheldResolver,
  WebhooksResolver,
];

/** By which field each order sorts. */
const sorts = {
  TicketOrder: { UPDATED_AT: 'Ticket.updatedAt', CREATED_AT: 'Ticket.createdAt' },
  TransactionOrder: { CREATED_AT: 'Transaction.createdAt', AMOUNT: 'Transaction.amount' },
} as const;

/** type-graphql wants one where there are subscriptions. */
const nobodys = {
  publish: () => {
    throw new ProgrammingError('nothing is published within the graph');
  },
  subscribe: () => {
    throw new ProgrammingError('nothing subscribes within the graph');
  },
};

/**
 * Takes from every subscription what would subscribe: shield guards `resolve` alone. What happens is found outside of the graph, and each
 * event is an execution of its own, by the same doors as a query.
 */
const executeByEvent = (schema: GraphQLSchema): void => {
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) delete field.subscribe;
};

/** The graph as it is described: types, resolvers, and what protects them. */
interface DescribedGraph {
  readonly schema: GraphQLSchema;
  readonly classification: Classification;
  readonly guards: Guards;
}

/** The graph before anything is protected. Throws when a field has no class, or a resolver no rule. */
export const describeGraph = (): DescribedGraph => {
  const built = resolveAbstractTypes(
    buildSchemaSync({
      resolvers,
      orphanedTypes: [StaffAuthor, CustomerAuthor, SystemAuthor],
      scalarsMap: [{ type: Date, scalar: DateTime }],
      validate: false,
      emitSchemaFile: false,
      pubSub: nobodys,
      // It would run a whole introspection of the graph.
      skipCheck: true,
    }),
  );
  executeByEvent(built);
  assertValidSchema(built);
  requireListMarks(built);
  const schema = sortedBy(built, sorts);
  return {
    schema,
    classification: classifySchema(schema, {
      scalars: ['String', 'Int', 'Float', 'Boolean', 'ID', DateTime.name, SafeInt.name, CurrencyCode.name],
    }),
    guards: guardsOf(schema),
  };
};

/** The graph as it is served: every policed field behind its verdict, every text of a mutation looked at, every field with a rule behind it. */
export const protectGraph = (described: DescribedGraph): GraphQLSchema => serve(described).schema;

/** The graph as it is served, the classes of its fields, and what compiled execution is put together from. */
export interface ServedGraph {
  readonly schema: GraphQLSchema;
  readonly fields: ServedFields;
  readonly classification: Classification;
}

const serve = (described: DescribedGraph): ServedGraph => protect(described, readGetters(callResolvers(described.schema)));

/** Puts what protects it on a schema whose fields are resolved in whatever way. */
const protect = ({ classification, guards }: DescribedGraph, schema: GraphQLSchema): ServedGraph => {
  const plain = plainFields(schema);
  guardTexts(paceFields(exposeFields(schema, classification)));
  const fields = servedFields(schema, { plain, classification, guards });
  return { schema: guardFields(schema, guards), fields, classification };
};

let served: ServedGraph | undefined;

/** Made once a process: nothing that is configured changes it. */
export const servedGraph = (): ServedGraph => {
  served ??= serve(describeGraph());
  return served;
};

/** What a detached graph is executed over: the values of its root fields. */
export interface DetachedContext {
  readonly roots: Readonly<Record<string, unknown>>;
}

/**
 * The graph with all that protects it as it is served, and nothing behind it: what a resolver would look up is read from the object that
 * stands there, root fields from the context. It asks no service, no loader and no database, whatever is asked of it.
 */
export const detachedGraph = (): ServedGraph => {
  const described = describeGraph();
  const { schema } = described;
  for (const { field } of fieldsOf(schema)) {
    const { name } = field;
    // What had a resolver of its own keeps one: how its arguments are judged goes by that.
    if (field.resolve) field.resolve = (parent: Readonly<Record<string, unknown>>) => parent[name];
  }
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const { name } = field;
    field.resolve = (_root, _arguments, { roots }: DetachedContext) => (Object.hasOwn(roots, name) ? roots[name] : null);
  }
  return protect(described, readGetters(schema));
};

/** The graph in the schema language, sorted: what `schema/schema.graphql` holds for review. */
export const printGraph = (): string => `${printSchema(lexicographicSortSchema(describeGraph().schema))}\n`;
