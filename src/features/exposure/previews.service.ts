import {
  type DocumentNode,
  type FieldNode,
  type GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { LinkAssurance, Role, SignedInActor } from '../../authz/actor';
import type { Classification } from '../../authz/policy/classification';
import { explain } from '../../authz/policy/explain';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import type { MaskTools } from '../../authz/policy/mask';
import { verdictText } from '../../authz/policy/verdict';
import { ProgrammingError } from '../../failure';
import { Admission } from '../../graphql/admission';
import { ProtectedExecutor } from '../../graphql/executor';
import { defaultLimits } from '../../graphql/limits.section';
import { isList } from '../../graphql/listed';
import { RequestAccess } from '../../graphql/request-access';
import type { ServedFields } from '../../graphql/served-fields';
import { exampleActor, exampleAssistance, exampleRoots, panel } from './preview.ticket';

/** Whose panel it is. */
export interface PreviewedAccess {
  readonly role: Role;
  readonly mfa: boolean;
  /** Of the link between the example's customer and their payment side. */
  readonly link: LinkAssurance;
}

/** One value of the panel as it would be answered. */
export interface PreviewedValue {
  /** Response keys from the root, with places in lists: `ticket.customer.email`, `alerts.nodes.0.rule`. */
  readonly path: string;
  readonly coordinate: string;
  readonly class: string;
  readonly link: LinkAssurance;
  readonly verdict: string;
  /** What is answered, as a text; null where nothing is. */
  readonly value: string | null;
  /** Of what is denied. */
  readonly reason: string | null;
  readonly remedy: string | null;
  readonly decidedBy: string | null;
  readonly line: number | null;
}

/** The graph over objects that hold what they show; see `detachedGraph`. */
interface Detached {
  readonly schema: GraphQLSchema;
  readonly fields: ServedFields;
  readonly classification: Classification;
}

/** What an execution of the example is given: neither services nor loaders, so that nothing can be looked up. */
interface PreviewContext {
  readonly actor: SignedInActor;
  readonly requestId: string;
  readonly roots: Readonly<Record<string, unknown>>;
  readonly at: Date;
  readonly faults: unknown[];
  access: RequestAccess;
}

type Value = Readonly<Record<string, unknown>>;

/**
 * The panel of one class of access over a payload that is made up: planned, cut, executed, masked and restored by what does so for a real
 * one. It reads nothing that is stored and tells the log nothing: there is nobody of whom anything is shown.
 */
export class PolicyPreviews {
  private made: { readonly schema: GraphQLSchema; readonly executor: ProtectedExecutor<PreviewContext> } | undefined;
  private readonly documents: readonly DocumentNode[] = panel.map((text) => parse(text));

  constructor(
    private readonly policy: ExposurePolicy,
    private readonly clock: () => Date,
    private readonly maskTools: MaskTools,
    private readonly graph: () => Detached,
  ) {}

  async panelOf({ role, mfa, link }: PreviewedAccess): Promise<readonly PreviewedValue[]> {
    const { schema, executor } = this.executing();
    const at = this.clock();
    const roots = exampleRoots(link, at);
    const actor = exampleActor(role, mfa, at);
    const values: PreviewedValue[] = [];
    for (const document of this.documents) {
      const faults: unknown[] = [];
      const access = new RequestAccess(new Map(), this.maskTools);
      const context: PreviewContext = { actor, requestId: 'preview', roots, at, faults, access };
      const { data, errors = [] } = await executor.execute({ document, operationName: null, variables: {} }, context);
      const [fault] = faults;
      if (fault !== undefined) throw fault;
      values.push(...new Reading(this.policy, schema, { role, mfa }, errors).of(document, data ?? {}, roots));
    }
    return values;
  }

  /** The graph is made once somebody looks: most processes are never asked. */
  private executing() {
    if (this.made) return this.made;
    const { policy, maskTools } = this;
    const graph = this.graph();
    const executor = new ProtectedExecutor<PreviewContext>(
      {
        ...graph,
        policy,
        maskTools,
        limits: defaultLimits,
        tellUnexpected: () => 'The example could not be shown.',
        // Whoever asks was let in as a whole: this waits for nobody.
        admission: new Admission({ most: 1 }),
      },
      {
        loadAssistances: async (context) => context.access.grantAll([exampleAssistance(context.at)]),
        recordShowing: async () => {},
        recordDenials: async () => {},
        expectWhereAsked: async () => {},
        onFault: ({ faults }, error) => faults.push(error),
      },
    );
    this.made = { schema: graph.schema, executor };
    return this.made;
  }
}

/** Puts what was answered beside what decided it. */
class Reading {
  private readonly values: PreviewedValue[] = [];

  constructor(
    private readonly policy: ExposurePolicy,
    private readonly schema: GraphQLSchema,
    private readonly access: { readonly role: Role; readonly mfa: boolean },
    private readonly errors: readonly GraphQLError[],
  ) {}

  of(document: DocumentNode, data: Value, roots: Value): readonly PreviewedValue[] {
    const [operation] = document.definitions;
    const root = this.schema.getQueryType();
    if (operation?.kind !== Kind.OPERATION_DEFINITION || !root) throw new ProgrammingError('The panel is no query.');
    this.walk(root, operation.selectionSet, data, { linkAssurance: 'NONE', ...roots }, []);
    return this.values;
  }

  /** `example` is what `data` was made of. */
  private walk(type: GraphQLObjectType, set: SelectionSetNode, data: Value, example: Value, path: readonly string[]): void {
    for (const selection of set.selections) {
      if (selection.kind !== Kind.FIELD) throw new ProgrammingError('The panel has no fragments.');
      const name = selection.name.value;
      const own = { of: type, selection, value: data[name], link: linkOf(example), path: [...path, name] };
      if (selection.selectionSet === undefined || own.value === null || own.value === undefined) this.note(own);
      else this.below(own, selection.selectionSet, example[name]);
    }
  }

  private below({ of, selection, value, path }: Told, set: SelectionSetNode, example: unknown): void {
    const field = of.getFields()[selection.name.value];
    const named = field && getNamedType(field.type);
    const each = (item: unknown, of: unknown, at: readonly string[]): void => {
      const { graphType } = of as { graphType?: string };
      const type = isObjectType(named) ? named : this.schema.getType(graphType ?? '');
      if (isObjectType(type)) this.walk(type, set, item as Value, of as Value, at);
    };
    if (field && isList(field)) {
      for (const [index, item] of (value as unknown[]).entries())
        each(item, (example as unknown[])[index], [...path, String(index)]);
    } else each(value, example, path);
  }

  private note({ of, selection, value, link, path }: Told): void {
    const coordinate = `${of.name}.${selection.name.value}`;
    const {
      class: fieldClass,
      verdict,
      decidedBy,
    } = explain(this.policy, coordinate, { roles: [this.access.role], mfa: this.access.mfa }, link);
    const denial = value === null || value === undefined ? this.denialOf(coordinate, path) : undefined;
    this.values.push({
      path: path.join('.'),
      coordinate,
      class: fieldClass,
      link,
      // For want of a link it is left out, and whoever is shown the link is told so.
      verdict: denial && denial.reason !== 'LINK' ? 'deny' : verdictText(verdict),
      value: textOf(value),
      reason: denial?.reason ?? null,
      remedy: denial?.remedy ?? null,
      decidedBy: decidedBy?.path ?? null,
      line: decidedBy?.line ?? null,
    });
  }

  /** One error stands for all items of a list: its path ends at the list. */
  private denialOf(
    coordinate: string,
    path: readonly string[],
  ): { readonly reason: string; readonly remedy: string } | undefined {
    const found = this.errors.find(
      ({ path: at = [], extensions }) =>
        extensions.code === 'DENIED' && extensions.rule === coordinate && at.every((step, index) => String(step) === path[index]),
    );
    return found && { reason: String(found.extensions.reason), remedy: String(found.extensions.remedy) };
  }
}

/** One selection with what was answered for it. */
interface Told {
  readonly of: GraphQLObjectType;
  readonly selection: FieldNode;
  readonly value: unknown;
  readonly link: LinkAssurance;
  readonly path: readonly string[];
}

const linkOf = (example: Value): LinkAssurance => (example.linkAssurance as LinkAssurance | undefined) ?? 'NONE';

const textOf = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join(', ') : String(value);
};
