import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getArgumentValues,
  getOperationAST,
  getVariableValues,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  print,
  TypeInfo,
  ValidationContext,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { type AccessClass, accessClassKey, accessClassOf, type SignedInActor } from '../authz/actor';
import { type AccessPlan, planAccess } from '../authz/plan/plan';
import { Restorations } from '../authz/plan/restorations';
import type { Classification } from '../authz/policy/classification';
import type { ExposurePolicy } from '../authz/policy/exposure';
import type { MaskTools } from '../authz/policy/mask';
import { Failure } from '../failure';
import type { Admission } from './admission';
import { writeAnswer } from './answer-text';
import { type CompiledOperation, compileOperation } from './compile-operation';
import { type DocumentSize, measureDocument } from './document-size';
import { failureIn, internalError, toGraphQLError } from './errors';
import { checkLimits } from './limits';
import type { OperationLimits } from './limits.section';
import { RequestAccess } from './request-access';
import { type RootCall, rootCallsOf, rootFieldsOf } from './root-fields';
import type { ServedFields } from './served-fields';
import { checkVariableSizes } from './values';
import { inOwnTurn, Work } from './work';

/** What the executor needs of a request; a slice's resolvers see more. */
export interface ExecutionContext {
  readonly actor: SignedInActor;
  readonly requestId: string;
  access: RequestAccess;
}

/** One denial as the caller was told it, with what the log names of it. */
export interface DeniedAttempt {
  readonly rule: string;
  readonly reason: string;
  /** The tickets that it is about: all of them, or none where not all are known. */
  readonly ticketIds: readonly string[];
}

/** An error that is sent, and the failures that it stands for: several where one is told for a whole list. */
interface ToldError {
  readonly error: GraphQLError;
  readonly failures: readonly Failure[];
}

export interface ExecutorPorts<Context extends ExecutionContext> {
  /** Loads the actor's live assistances into the request's access, before anything runs. `rootFields` names what is asked for; a fragment is `...`. */
  readonly loadAssistances: (context: Context, rootFields: readonly string[]) => Promise<void>;
  /** Makes what was shown durable. Throws `DENIED` where an assistance that it was shown under has ended, `RECORD_UNAVAILABLE`. */
  readonly recordShowing: (context: Context, plan: AccessPlan, operation: string | null) => Promise<void>;
  readonly recordDenials: (context: Context, denials: readonly DeniedAttempt[]) => Promise<void>;
  /** Refuses what isn't done from where the actor asks, before anything is begun. Throws what is told. */
  readonly expectWhereAsked: (context: Context, calls: readonly RootCall[]) => Promise<void>;
  readonly onFault: (context: Context, error: unknown) => void;
}

export interface Execution {
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What has happened, for a subscription to tell of: it is executed for each such thing by itself. Nothing else has one. */
  readonly event?: object;
}

/** A subscription that may wait for what happens, by its root field; or why it may not. */
export type Begun =
  | { readonly field: string; readonly arguments: Readonly<Record<string, unknown>> }
  | { readonly refusal: ExecutionResult };

export interface ExecutorOptions {
  readonly schema: GraphQLSchema;
  readonly fields: ServedFields;
  readonly classification: Classification;
  readonly policy: ExposurePolicy;
  readonly maskTools: MaskTools;
  readonly limits: OperationLimits;
  /** What a caller is told of an error that nobody expected. */
  readonly tellUnexpected: (error: unknown) => string;
  /** Who may go on now. */
  readonly admission: Admission;
}

/** An operation that may run: what is asked is allowed, and isn't too much. */
interface Prepared {
  readonly planned: Planned;
  readonly given: Variables;
  readonly cost: number;
}

/** The variables of an operation. */
interface Variables {
  readonly sent: Readonly<Record<string, unknown>>;
  /** As the fields get them: checked, and with defaults. */
  readonly coerced: Readonly<Record<string, unknown>>;
}

/** What an execution is given: variables, and what has happened. */
interface Given extends Variables {
  readonly event: object | undefined;
}

interface Planned {
  readonly plan: AccessPlan;
  readonly operation: OperationDefinitionNode;
  readonly rootFields: readonly string[];
  /** The type at a place where a variable stands that may be left out there but may not be null, by the variable's name. */
  readonly neverNull: ReadonlyMap<string, string>;
  /** Under which it is kept. */
  readonly key: string;
  readonly size: DocumentSize;
  uses: number;
  /** By the values of the variables that decide what takes part; null for what is interpreted only. */
  readonly compiled: Map<string, CompiledOperation | null>;
}

/** Documents met once are interpreted: compiling takes longer than interpreting does, and a stranger would fill the cache. */
const compileAfter = 2;
/**
 * Selections, fragments at each spread, of a document that is compiled: beyond them compiling takes tens of milliseconds, and
 * what it makes takes megabytes. Larger documents are interpreted, however often they return.
 */
const largestCompiled = 200;
/** Sets of values of the variables of `@include` and `@skip` that an operation is compiled for. Others are interpreted. */
const mostVariants = 4;
/** Bytes of memory that kept plans may take. */
const keptBytes = 32 * 1024 * 1024;
/** Bytes that a plan takes for each node of its document and each selection, and what is compiled for each selection: as measured, rounded up. */
const bytesPerNode = 400;
const bytesPerSelection = 800;
const bytesPerCompiled = 5_000;

/** What a root field costs beside what it answers: a statement of its own, which may have much to look through. */
const statementCost = 200;
/** Bytes of an answer that an error takes. */
const bytesPerError = 400;

const bytesOf = ({ size, compiled }: Planned): number =>
  4_000 + size.nodes * bytesPerNode + size.selections * (bytesPerSelection + compiled.size * bytesPerCompiled);

/** One error a selection is enough for what has nothing to do with the rows, and for links that are missing, which each row tells by itself. */
const aboutTheField = new Set(['ROLE', 'MFA_REQUIRED', 'LINK']);
/** Rows of an answer that are told one by one that they were denied; of more than a largest page each list is told once. */
const rowsTold = 100;
/** Errors that are made presentable before somebody else may be heard. */
const errorsAtOnce = 64;

/**
 * Runs operations under their access plan: planned once per operation and access class, cut, compiled, executed, put
 * back into shape; the disclosure durable before the response exists.
 */
export class ProtectedExecutor<Context extends ExecutionContext> {
  private readonly plans = new LRUCache<string, Planned>({ maxSize: keptBytes, sizeCalculation: bytesOf });
  private readonly restorations = new Restorations();
  /** Apollo hands over the same document object for the same text; its digest is needed each time. */
  private readonly digests = new WeakMap<DocumentNode, string>();
  /** Of operations that cost the same whatever their variables are. */
  private readonly costs = new WeakMap<OperationDefinitionNode, number>();
  /** Requests of which it is logged that nothing could be read or recorded: many fields may meet that, and it is one fault. */
  private readonly unavailable = new WeakSet<ExecutionContext>();

  constructor(
    private readonly options: ExecutorOptions,
    private readonly ports: ExecutorPorts<Context>,
  ) {}

  /** A query or a mutation; or a subscription, for one thing that has happened. */
  async execute(execution: Execution, context: Context): Promise<ExecutionResult> {
    return forWhoever(context.actor, await this.attempt(() => this.protect(execution, context), context));
  }

  /**
   * Looks whether a subscription may wait for what happens, by all that it is held against at each event, but for what depends on that. `execution`
   * has no event.
   */
  async begin(execution: Execution, context: Context): Promise<Begun> {
    let begun: Begun | null = null;
    const refusal = await this.attempt(async () => {
      const { planned, given } = await this.prepare(execution, context, 'subscription');
      const { schema } = this.options;
      const type = schema.getSubscriptionType();
      const [[, [node] = []] = []] = rootFieldsOf(planned, schema, given.coerced);
      const field = type?.getFields()[node?.name.value ?? ''];
      if (!node || !field) throw Failure.invalid('query', 'expected a subscription whose root field isn’t left out');
      begun = { field: field.name, arguments: getArgumentValues(field, node, { ...given.coerced }) };
      return { data: null };
    }, context);
    return begun ?? { refusal: forWhoever(context.actor, refusal) };
  }

  private async attempt(work: () => Promise<ExecutionResult>, context: Context): Promise<ExecutionResult> {
    try {
      return await work();
    } catch (error) {
      const failure = failureIn(error);
      if (!failure) {
        this.ports.onFault(context, error);
        return { data: null, errors: [internalError(context.requestId, this.options.tellUnexpected(error))] };
      }
      this.reportOutage(context, failure);
      const told = { error: toGraphQLError(failure), failures: [failure] };
      if (failure.code === 'DENIED') await this.recordDenials(context, [told]);
      return { data: null, errors: [told.error] };
    }
  }

  /** Throws what is wrong with it. */
  private async prepare(
    { document, operationName, variables }: Execution,
    context: Context,
    kind: 'subscription' | 'other',
  ): Promise<Prepared> {
    const { schema } = this.options;
    const operation = getOperationAST(document, operationName);
    if (!operation) throw Failure.invalid('operationName', 'expected the name of one operation of the document');
    if ((operation.operation === 'subscription') !== (kind === 'subscription'))
      throw Failure.invalid('query', kind === 'subscription' ? 'expected a subscription' : 'expected a query or a mutation');
    checkVariableSizes(variables, this.options.limits);
    const cost = this.costOf(document, operation, variables);
    const given = { sent: variables, coerced: checkedVariables(schema, operation, variables) };

    const access = accessClassOf(context.actor);
    const key = this.keyOf(document, operationName, access);
    const planned = this.plans.get(key) ?? (await this.plan({ document, operation, operationName, access, key }));
    const { plan } = planned;
    for (const [name, type] of planned.neverNull)
      if (variables[name] === null) throw Failure.invalid(`$${name}`, `expected ${type}`);
    if (plan.refusal) throw plan.refusal;
    const refused = plan.refuseArguments(variables);
    if (refused) throw refused;
    if (context.actor.frame) await this.ports.expectWhereAsked(context, rootCallsOf(planned, schema, given.coerced));
    return { planned, given, cost };
  }

  private async protect(execution: Execution, context: Context): Promise<ExecutionResult> {
    const { event } = execution;
    const { planned, given, cost } = await this.prepare(execution, context, event === undefined ? 'other' : 'subscription');
    const { plan } = planned;
    const { admission, policy } = this.options;
    const work = new Work(this.options.limits, admission.waits);
    const verdicts = policy.verdictTable(accessClassOf(context.actor));
    context.access = new RequestAccess(verdicts, this.options.maskTools, work, plan.fields);
    try {
      return await admission.operation(context.actor.id, cost + planned.rootFields.length * statementCost, () =>
        this.executePlanned(planned, context, work, { ...given, event }),
      );
    } finally {
      work.end();
    }
  }

  /** Throws `INVALID` where it is too much. */
  private costOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): number {
    const known = this.costs.get(operation);
    if (known !== undefined) return known;
    const { cost, byVariables } = checkLimits(this.options.schema, document, operation, variables, this.options.limits);
    if (!byVariables) this.costs.set(operation, cost);
    return cost;
  }

  private async executePlanned(planned: Planned, context: Context, work: Work, variables: Given): Promise<ExecutionResult> {
    const { plan, operation } = planned;
    await this.ports.loadAssistances(context, planned.rootFields);
    const executed = await this.run(planned, context, variables);
    if (work.over !== null) {
      // What was denied by then was asked for; nothing was shown.
      await this.recordDenials(context, await this.presentable(context, executed.errors ?? [], work));
      throw work.over;
    }
    const restored = plan.restore(executed.data as Record<string, unknown> | null | undefined, variables.sent);
    // What the plan cut was decided before anybody knew which ticket it would lead to.
    const cut = restored.errors.map((error): ToldError => ({ error, failures: [] }));
    const told = [...cut, ...(await this.presentable(context, executed.errors ?? [], work))];
    await this.recordDenials(context, told);
    // While its errors were made it may have waited too long for the others.
    if (work.over !== null) throw work.over;
    // Nothing is recorded as shown that is too long to be sent; what is recorded, and then isn't sent, was at least asked for.
    const left = this.options.limits.answerBytes - told.length * bytesPerError;
    if (left < 0) throw work.pastAnswer();
    if (restored.data) await writeAnswer(restored.data, work, left);
    await this.ports.recordShowing(context, plan, operation.name?.value ?? null);
    return { data: restored.data ?? null, ...(told.length > 0 ? { errors: told.map(({ error }) => error) } : {}) };
  }

  private keyOf(document: DocumentNode, operationName: string | null, access: AccessClass): string {
    let digest = this.digests.get(document);
    if (digest === undefined) {
      digest = createHash('sha256').update(print(document)).digest('base64url');
      this.digests.set(document, digest);
    }
    return `${digest} ${operationName ?? ''} ${accessClassKey(access)} ${this.options.policy.digest}`;
  }

  private async plan(asked: {
    readonly document: DocumentNode;
    readonly operation: OperationDefinitionNode;
    readonly operationName: string | null;
    readonly access: AccessClass;
    readonly key: string;
  }): Promise<Planned> {
    const { document, operation, operationName, access, key } = asked;
    const { schema, classification, policy } = this.options;
    await inOwnTurn();
    const size = measureDocument(document, this.options.limits);
    const { restorations } = this;
    const plan = planAccess({ schema, classification, policy, document, operationName, access, restorations });
    const rootFields = operation.selectionSet.selections.map((each) => (each.kind === Kind.FIELD ? each.name.value : '...'));
    const neverNull = placesWithoutNull(schema, document, operation);
    const planned: Planned = { plan, operation, rootFields, neverNull, key, size, uses: 0, compiled: new Map() };
    this.plans.set(key, planned);
    return planned;
  }

  private run(planned: Planned, context: Context, { sent, coerced, event }: Given): ExecutionResult | Promise<ExecutionResult> {
    const { plan, operation } = planned;
    planned.uses += 1;
    const compiled = planned.uses >= compileAfter ? this.compiled(planned, context, coerced) : null;
    if (compiled) return compiled(context, coerced, event);
    const { document } = plan;
    const operationName = operation.name?.value;
    const { schema } = this.options;
    return execute({ schema, document, rootValue: event, contextValue: context, variableValues: sent, operationName });
  }

  private compiled(planned: Planned, { actor }: Context, variables: Readonly<Record<string, unknown>>): CompiledOperation | null {
    const { plan, operation, compiled, size } = planned;
    if (size.selections > largestCompiled) return null;
    const conditions = new Map<string, boolean>();
    let key = '';
    for (const name of plan.conditions) {
      conditions.set(name, variables[name] === true);
      key += variables[name] === true ? '1' : '0';
    }
    const known = compiled.get(key);
    if (known !== undefined || compiled.size === mostVariants) return known ?? null;
    const { schema, fields, policy } = this.options;
    const made = compileOperation({
      schema,
      fields,
      verdicts: policy.verdictTable(accessClassOf(actor)),
      document: plan.document,
      operationName: operation.name?.value ?? null,
      conditions,
    });
    compiled.set(key, made);
    // Weighed anew.
    this.plans.set(planned.key, planned);
    return made;
  }

  /**
   * Execution's errors as a caller may see them. Field denials that repeat along a list are told once, at the list: those that
   * have nothing to do with the rows always, the others once the answer has told of a page of them.
   */
  private async presentable(context: Context, errors: readonly GraphQLError[], work: Work): Promise<ToldError[]> {
    const told: ToldError[] = [];
    const ofLists = new Map<string, Failure[]>();
    let rows = 0;
    for (const [index, error] of errors.entries()) {
      if (index % errorsAtOnce === 0 && work.mustWait) await work.turn();
      const failure = failureIn(error);
      if (!failure) {
        const fault = (error as { originalError?: unknown }).originalError ?? error;
        this.ports.onFault(context, fault);
        told.push({ error: internalError(context.requestId, this.options.tellUnexpected(fault), error.path), failures: [] });
        continue;
      }
      this.reportOutage(context, failure);
      const list = listDenied(failure, error.path, rows);
      if (list === null) {
        if (failure.code === 'DENIED') rows += 1;
        told.push({ error: toGraphQLError(failure, error.path), failures: [failure] });
        continue;
      }
      const key = JSON.stringify([failure.details.rule, failure.details.reason, list]);
      const before = ofLists.get(key);
      if (before) {
        before.push(failure);
        continue;
      }
      const failures = [failure];
      ofLists.set(key, failures);
      told.push({ error: toGraphQLError(failure, list), failures });
    }
    return told;
  }

  /** Without a cause it was logged where it came from. */
  private reportOutage(context: Context, failure: Failure): void {
    if (failure.code !== 'RECORD_UNAVAILABLE' || failure.cause === undefined || this.unavailable.has(context)) return;
    this.unavailable.add(context);
    this.ports.onFault(context, failure);
  }

  private async recordDenials(context: Context, told: readonly ToldError[]): Promise<void> {
    const denials = told.flatMap(({ error: { extensions }, failures }): DeniedAttempt[] => {
      if (failures.length > 0 && failures.every(({ details }) => details.isOnRecord === true)) return [];
      if (extensions.code === 'DENIED')
        return [{ rule: String(extensions.rule ?? ''), reason: String(extensions.reason ?? ''), ticketIds: ticketsOf(failures) }];
      return extensions.code === 'NOT_FOUND' ? [{ rule: 'scope', reason: 'NOT_FOUND', ticketIds: [] }] : [];
    });
    if (denials.length > 0) await this.ports.recordDenials(context, denials);
  }
}

/** Where a denial is told once for all that are alike; null where it is told by itself. `rows` of the answer were told before. */
const listDenied = (
  { code, details: { reason } }: Failure,
  path: GraphQLError['path'],
  rows: number,
): NonNullable<GraphQLError['path']> | null => {
  if (code !== 'DENIED' || reason === undefined || path === undefined) return null;
  const list = path.findIndex((step) => typeof step === 'number');
  if (aboutTheField.has(reason)) return list < 0 ? path : path.slice(0, list);
  return list < 0 || rows < rowsTold ? null : path.slice(0, list);
};

const forWhoever = (actor: SignedInActor, result: ExecutionResult): ExecutionResult => {
  const told = actor.frame ? forWhoeverIsInFrame : actor.roles.length === 0 ? forWhoeverHasNoRole : null;
  return told === null || !result.errors ? result : { ...result, errors: result.errors.map((error) => told(error, actor)) };
};

/** No sign-in is recent in a frame: another one would lift nothing there. */
const forWhoeverIsInFrame = (error: GraphQLError): GraphQLError => {
  const { path, extensions } = error;
  if (extensions.reason !== 'RECENT_LOGIN_REQUIRED') return error;
  return toGraphQLError(Failure.denied('FRAME', String(extensions.rule)), path);
};

/** No policy gives anything to somebody without a role: what is to be mended is at their identity provider, or in how it is read. */
const forWhoeverHasNoRole = (error: GraphQLError, { namesRoles }: SignedInActor): GraphQLError => {
  if (error.extensions.reason !== 'ROLE') return error;
  const remedy =
    namesRoles === false
      ? 'Your token names no role: the claim that identity.issuers[].claims.roles says is not in it.'
      : 'Your token has the claim for roles, but none of its values is a role here; see identity.issuers[].claims.roleMap.';
  return new GraphQLError(error.message, { path: error.path, extensions: { ...error.extensions, remedy } });
};

const ticketsOf = (failures: readonly Failure[]): readonly string[] => {
  const known = failures.flatMap(({ details: { ticketId } }) => (ticketId === undefined ? [] : [ticketId]));
  return known.length === failures.length ? [...new Set(known)] : [];
};

/**
 * A variable with a default may be nullable and stand where null isn't allowed (GraphQL, 5.8.5). What an explicit null does
 * there is an error in one way of execution and none in another: here it is refused before either.
 */
const placesWithoutNull = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): ReadonlyMap<string, string> =>
  new Map(
    new ValidationContext(schema, document, new TypeInfo(schema), () => {})
      .getRecursiveVariableUsages(operation)
      .flatMap(({ node, type }) => (isNonNullType(type) ? [[node.name.value, String(type)]] : [])),
  );

/** Coerced. graphql-js repeats the value in its message; ours names the variable and the type. Throws `INVALID`. */
const checkedVariables = (
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => {
  const definitions = operation.variableDefinitions ?? [];
  if (definitions.length === 0) return {};
  const coerced = getVariableValues(schema, definitions, variables, { maxErrors: 20 });
  if (!coerced.errors) return coerced.coerced;
  const wrong = definitions.filter((definition) => getVariableValues(schema, [definition], variables).errors);
  const [first = definitions[0]] = wrong;
  const name = first?.variable.name.value ?? '';
  throw Failure.invalid(`$${name}`, `expected ${first ? print(first.type) : 'a value of its type'}`);
};
