import {
  type DocumentNode,
  defaultFieldResolver,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isObjectType,
} from 'graphql';
import type { App } from '../../src/app';
import { type LinkAssurance, linkAssurances, type SignedInActor } from '../../src/authz/actor';
import { searchedFor } from '../../src/authz/policy/marks';
import { isMaskName, type MaskTools, maskNamed, maskValue } from '../../src/authz/policy/mask';
import { verdictText } from '../../src/authz/policy/verdict';
import { type DenialReason, Failure } from '../../src/failure';
import type { RequestContext } from '../../src/features/request';
import { describeGraph } from '../../src/features/schema';
import { withContainedMasked } from '../../src/graphql/contained-values';
import { failureIn } from '../../src/graphql/errors';
import { narrowingsOf } from '../../src/graphql/narrowing';
import { RequestAccess, type Showing } from '../../src/graphql/request-access';
import type { Shown } from '../../src/graphql/shown';
import { ExposureOracle, rolesOf } from './exposure-oracle';

/** What an operation showed, in a form in which two ways of execution can be compared. */
export interface Outcome {
  readonly data: unknown;
  /** Code, reason, rule and path up to the first list, each once, sorted. */
  readonly errors: readonly string[];
  /** Field, link, verdict and how often, sorted; and the objects that they belong to. */
  readonly fields: readonly string[];
  readonly objects: readonly string[];
}

export interface Asker {
  readonly user: string;
  readonly mfa: boolean;
  readonly actor: SignedInActor;
}

const objectOf = ({ shown: { type, id, ticketId, customer, underAssistance } }: Shown): string =>
  [type, id, ticketId, customer?.id, underAssistance].join(' ');

/** Each page has cursors of its own, sealed anew: two of them for the same place are no more alike than any two. */
const withoutCursors = (data: unknown): unknown =>
  JSON.parse(JSON.stringify(data ?? null).replace(/"[A-Za-z0-9_-]{60,300}"/g, '"(cursor)"'));

const upToList = (path: GraphQLError['path']): string => {
  const end = (path ?? []).findIndex((step) => typeof step === 'number');
  return (end < 0 ? (path ?? []) : (path ?? []).slice(0, end)).join('.');
};

const toldOf = (error: GraphQLError): string => {
  const failure = failureIn(error);
  const { code = error.message, reason, rule } = failure ? { code: failure.code, ...failure.details } : error.extensions;
  return [code, reason, rule, upToList(error.path)].map((each) => String(each ?? '')).join(' ');
};

export const outcomeOf = (
  { data, errors = [] }: ExecutionResult,
  fields: Showing['fields'],
  parents: Iterable<Shown>,
): Outcome => ({
  data: withoutCursors(data),
  errors: [...new Set(errors.map(toldOf))].sort(),
  fields: fields.map(({ field, link, verdict, count }) => `${field} ${link} ${verdict} ${count}`).sort(),
  objects: [...new Set([...parents].map(objectOf))].sort(),
});

/** From the least to the most that a verdict shows, as a person reads the file. */
const shows = (verdict: string): number => {
  const mask = verdict.replace(/^mask:/, '');
  if (isMaskName(mask)) return 2 + maskNamed(mask).shows;
  return ['deny', 'omit'].includes(verdict) ? ['deny', 'omit'].indexOf(verdict) : 1_000;
};

/**
 * Executes operations as the design's sentences say it and not as the gateway does: the whole document by graphql-js on a graph of its
 * own, each value judged by itself, by the payments team's file as `ExposureOracle` reads it. No plan, nothing cut or put back, nothing
 * compiled or kept.
 */
export class ReferenceExecution {
  private readonly schema: GraphQLSchema;
  private readonly oracle = new ExposureOracle();
  /** Of the classes PAYMENT and CREDENTIAL. */
  private readonly paymentFields = new Set<string>();
  private readonly tools: MaskTools;
  private counts = new Map<string, number>();
  private parents = new Set<Shown>();
  private asker: Asker | undefined;
  private current: RequestContext | undefined;

  constructor(private readonly app: App) {
    this.tools = (Reflect.get(app.executor, 'options') as { maskTools: MaskTools }).maskTools;
    const { schema, classification, guards } = describeGraph();
    this.schema = schema;
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        const coordinate = `${type.name}.${field.name}`;
        const original = field.resolve ?? defaultFieldResolver;
        const { classes, root } = classification.fields.get(coordinate) ?? {};
        if (root === null && (classes?.NONE === 'PAYMENT' || classes?.NONE === 'CREDENTIAL')) this.paymentFields.add(coordinate);
        const isPoliced = classification.fields.get(coordinate)?.policed === true;
        field.resolve = async (parent, args, context: RequestContext, info) => {
          // Where a null moved up to the root, the rest of that operation goes on behind its answer: it is none of the next one's.
          const expectCurrent = (): void => {
            if (context !== this.current) throw new Error('the answer has been given');
          };
          expectCurrent();
          const own = this.verdicts(coordinate, isPoliced);
          if (linkAssurances.every((link) => shows(own[link].verdict) <= 1)) {
            const denied = linkAssurances.find((link) => own[link].verdict === 'deny');
            if (denied) throw Failure.denied(own[denied].reason, coordinate);
            return null;
          }
          const reason = guards.get(coordinate)?.(context, parent as never) ?? null;
          if (reason) throw Failure.denied(reason, coordinate);
          if (!isPoliced) return original(parent, args, context, info);
          const of = parent as Shown;
          const { verdict, reason: why } = own[of.linkAssurance];
          this.count(coordinate, of, verdict);
          if (verdict === 'deny') throw Failure.denied(why, coordinate);
          if (verdict === 'omit') {
            if (this.tellsLackOfLink(coordinate, of, own, context)) {
              this.count('Customer.link', of, 'reveal');
              this.parents.add(of);
              throw Failure.denied('LINK', coordinate);
            }
            return null;
          }
          this.parents.add(of.behind?.(coordinate) ?? of);
          for (const { coordinate: by, by: how } of narrowingsOf(field, args))
            if (this.verdicts(by, true)[of.linkAssurance].verdict !== 'reveal')
              throw Failure.denied(how === 'filter' ? 'NOT_FILTERABLE' : 'NOT_SORTABLE', by);
          const value: unknown = await original(parent, args, context, info);
          expectCurrent();
          if (verdict !== 'reveal') return maskValue(verdict.replace('mask:', '') as never, value, this.tools);
          const searched = getNamedType(field.type).name === 'String' ? searchedFor(field) : 'NOTHING';
          return searched === 'NOTHING' ? value : this.withoutContacts(coordinate, of, value, searched);
        };
      }
    }
  }

  async run(document: DocumentNode, variables: Readonly<Record<string, unknown>>, asker: Asker): Promise<Outcome> {
    this.asker = asker;
    this.counts = new Map();
    this.parents = new Set();
    const context = this.app.context(asker.actor, 'req_reference');
    context.access = new RequestAccess(new Map(), this.tools);
    this.current = context;
    const roots = getOperationAST(document)?.selectionSet.selections ?? [];
    const { loadAssistances } = Reflect.get(this.app.executor, 'ports') as {
      loadAssistances: (context: RequestContext, rootFields: readonly string[]) => Promise<void>;
    };
    await loadAssistances(
      context,
      roots.map((each) => (each.kind === 'Field' ? each.name.value : '...')),
    );
    const result = await execute({ schema: this.schema, document, contextValue: context, variableValues: variables });
    const fields = [...this.counts].flatMap(([key, count]) => {
      const [field = '', link = '', verdict = ''] = key.split(' ');
      return count > 0 ? [{ field, link: link as LinkAssurance, verdict, count }] : [];
    });
    return outcomeOf(result, fields, this.parents);
  }

  private verdicts(
    coordinate: string,
    isPoliced: boolean,
  ): Readonly<Record<LinkAssurance, { readonly verdict: string; readonly reason: DenialReason }>> {
    const { user, mfa } = this.asker as Asker;
    const isPayment = this.paymentFields.has(coordinate);
    const best = (link: LinkAssurance): string => {
      const most = this.oracle
        .verdicts(user, coordinate, link)
        .reduce((one, other) => (shows(other) > shows(one) ? other : one), 'deny');
      // Without a link nothing of a payment side is anybody's.
      return link === 'NONE' && isPayment && shows(most) > 1 ? 'omit' : most;
    };
    // A service has no second factor.
    const lacks = isPoliced && !mfa && rolesOf(user).some((role) => role !== 'SERVICE');
    const refused = lacks && linkAssurances.some((link) => shows(best(link)) > 1);
    const of = (link: LinkAssurance) =>
      refused ? { verdict: 'deny', reason: 'MFA_REQUIRED' as const } : { verdict: best(link), reason: 'ROLE' as const };
    return { VERIFIED: of('VERIFIED'), MATCHED: of('MATCHED'), NONE: of('NONE') };
  }

  /** What a linked customer's would show, of a customer without a link, to who assists them and is shown that link. */
  private tellsLackOfLink(
    coordinate: string,
    { shown, linkAssurance }: Shown,
    own: Readonly<Record<LinkAssurance, { readonly verdict: string }>>,
    { access }: RequestContext,
  ): boolean {
    return (
      shown.type === 'Customer' &&
      linkAssurance === 'NONE' &&
      this.paymentFields.has(coordinate) &&
      (shows(own.VERIFIED.verdict) > 1 || shows(own.MATCHED.verdict) > 1) &&
      access.covering(shown.customer?.id ?? null) !== undefined &&
      this.verdicts('Customer.link', true).NONE.verdict === 'reveal'
    );
  }

  private count(coordinate: string, { linkAssurance }: Shown, verdict: string, by = 1): void {
    const key = `${coordinate} ${linkAssurance} ${verdict}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  private withoutContacts(coordinate: string, parent: Shown, value: unknown, searched: 'EVERYTHING' | 'ADDRESSES'): unknown {
    const { actor } = this.asker as Asker;
    const verdicts = this.app.services.policy.verdictTable({ roles: actor.roles, mfa: actor.mfa });
    let strictest: string | null = null;
    const each = (text: unknown): unknown => {
      if (typeof text !== 'string') return text;
      const found = withContainedMasked(text, {
        verdicts,
        assurance: parent.shown.underAssistance ? parent.linkAssurance : null,
        known: parent.knownContact ?? null,
        searched,
        tools: this.tools,
      });
      const verdict = found.verdict === null ? null : verdictText(found.verdict);
      if (verdict !== null && (strictest === null || shows(verdict) < shows(strictest))) strictest = verdict;
      return found.text;
    };
    const shown = Array.isArray(value) ? value.map(each) : each(value);
    if (strictest !== null) {
      this.count(coordinate, parent, 'reveal', -1);
      this.count(coordinate, parent, strictest);
    }
    return shown;
  }
}
