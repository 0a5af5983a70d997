import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isIntrospectionType,
  Kind,
  type OperationTypeNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { denialRemedies, Failure, ProgrammingError } from '../../failure';
import { type AccessClass, accessClassKey, linkAssurances } from '../actor';
import type { Classification, FieldClass } from '../policy/classification';
import type { ExposurePolicy } from '../policy/exposure';
import type { Verdicts } from '../policy/verdict';
import { ArgumentGuard } from './arguments';
import { cutDocument } from './cut';
import { Restorations } from './restorations';
import {
  compileRestoration,
  type DeniedSelection,
  type FieldDecision,
  holdsList,
  pathBelow,
  type RestorationTree,
  restoreTree,
} from './restore';
import {
  Allowance,
  collectFields,
  identities,
  inventoryOf,
  isIntrospection,
  isRead,
  type Operation,
  operationOf,
  possibleTypes,
  subselections,
} from './selection';

/** A policed field that the operation reads, for its disclosure record. */
export interface PolicedField {
  readonly coordinate: string;
  readonly class: FieldClass;
  readonly verdicts: Verdicts;
}

export interface AccessPlanInput {
  readonly schema: GraphQLSchema;
  readonly classification: Classification;
  readonly policy: ExposurePolicy;
  /** Validated against `schema`. */
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly access: AccessClass;
  /** Where restorations are kept, for all plans together. */
  readonly restorations?: Restorations;
}

export interface RestoredResult {
  readonly data: Record<string, unknown> | null | undefined;
  /** One error for each denied selection that uncut execution would have met, to be added to the executor's own. */
  readonly errors: readonly GraphQLError[];
}

/**
 * What one class of access gets of one operation, decided once for each field and independent of variables' values:
 * cacheable by (document, operationName, accessClassKey, policy digest).
 */
export interface AccessPlan {
  /** To be executed instead of the original: without the fields that are denied or left out under every link assurance. */
  readonly document: DocumentNode;
  readonly operationType: OperationTypeNode;
  /** SHA-256 (hexadecimal) of operation, access class and policy. Literals of the document take no part: they may be personal. */
  readonly digest: string;
  /** Policed fields that stay, by coordinate; also those whose `@include` or `@skip` depends on a variable. */
  readonly policedFields: readonly PolicedField[];
  /** Fields that stay, policed or not, as `Type.field`; also those whose `@include` or `@skip` depends on a variable. */
  readonly fields: ReadonlySet<string>;
  /** Selections that were cut and will be errors wherever they would have been reached. */
  readonly denials: readonly DeniedSelection[];
  /** The variables that decide `@include` and `@skip`. */
  readonly conditions: readonly string[];
  /** Set if nothing may run: a mutation or subscription with a root field that isn't granted. `document` then does nothing. */
  readonly refusal: Failure | null;
  /** Why nothing may run with these variables (as sent, before coercion): a filter or a sort that isn't granted; null if it may. */
  refuseArguments(variables: Readonly<Record<string, unknown>>): Failure | null;
  /** Turns what the cut document returned into what the original would have; the identity if nothing was cut. */
  restore(data: Record<string, unknown> | null | undefined, variables: Readonly<Record<string, unknown>>): RestoredResult;
}

const shows = (verdicts: Verdicts): boolean =>
  linkAssurances.some((each) => verdicts[each].kind === 'reveal' || verdicts[each].kind === 'mask');

/** Decides a field by the types it is on. Nothing shown under any link: cut; an error if any link would have one. */
const decisionOf = (verdicts: Verdicts | undefined): FieldDecision => {
  if (!verdicts) return { kept: false, reason: 'ROLE' };
  if (shows(verdicts)) return { kept: true };
  for (const each of linkAssurances) {
    const verdict = verdicts[each];
    if (verdict.kind === 'deny') return { kept: false, reason: verdict.reason };
  }
  return { kept: false, reason: null };
};

interface Survey {
  readonly fields: ReadonlySet<string>;
  readonly policed: readonly PolicedField[];
  readonly denials: readonly DeniedSelection[];
}

/** Walks the operation as execution could, whatever the variables: each field on each type that it can be read from. */
const survey = (
  operation: Operation,
  decide: (typeName: string, fieldName: string) => FieldDecision,
  classification: Classification,
  verdictTable: ReadonlyMap<string, Verdicts>,
  guard: ArgumentGuard,
): Survey => {
  const allowance = new Allowance();
  const fields = new Set<string>();
  const policed = new Map<string, PolicedField>();
  const denials: DeniedSelection[] = [];
  const identityOf = identities();
  const walked = new Set<string>();
  const walk = (
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    path: readonly string[],
    ended: boolean,
    depth: number,
  ): void => {
    const identity = `${type.name} ${path.join('.')} ${identityOf(sets)}`;
    if (walked.has(identity)) return;
    walked.add(identity);
    for (const [key, nodes] of collectFields(operation, type, sets, () => undefined, depth, allowance)) {
      const [node] = nodes;
      if (!node || isIntrospection(node) || isIntrospectionType(type)) continue;
      const name = node.name.value;
      const field = type.getFields()[name];
      if (!field) throw new ProgrammingError(`The document was not validated: ${type.name} has no field ${name}.`);
      const coordinate = `${type.name}.${name}`;
      const decision = decide(type.name, name);
      if (!decision.kept) {
        if (decision.reason !== null) denials.push({ coordinate, reason: decision.reason, path: pathBelow(path, ended, key) });
        continue;
      }
      fields.add(coordinate);
      const classified = classification.fields.get(coordinate);
      const verdicts = verdictTable.get(coordinate);
      if (classified?.policed && verdicts) policed.set(coordinate, { coordinate, class: classified.class, verdicts });
      // Merged fields have equal arguments, so the first speaks for all.
      guard.add(node, field);
      const named = getNamedType(field.type);
      if (!isCompositeType(named)) continue;
      for (const inner of possibleTypes(operation.schema, named)) {
        walk(inner, subselections(nodes), pathBelow(path, ended, key), ended || holdsList(field.type), depth + 1);
      }
    }
  };
  walk(operation.root, [operation.definition.selectionSet], [], false, 0);
  const byCoordinate = (a: PolicedField, b: PolicedField) => (a.coordinate < b.coordinate ? -1 : 1);
  return { fields, policed: [...policed.values()].sort(byCoordinate), denials };
};

/** A mutation or a subscription runs as asked or not at all. */
const refusalOf = (operation: Operation, verdictTable: ReadonlyMap<string, Verdicts>): Failure | null => {
  if (isRead(operation)) return null;
  const sets = [operation.definition.selectionSet];
  for (const [, [node]] of collectFields(operation, operation.root, sets, () => undefined, 0, new Allowance())) {
    if (!node || isIntrospection(node)) continue;
    const coordinate = `${operation.root.name}.${node.name.value}`;
    const verdicts = verdictTable.get(coordinate);
    for (const each of linkAssurances) {
      const verdict = verdicts?.[each];
      if (!verdict || verdict.kind === 'omit') return Failure.denied('ROLE', coordinate);
      if (verdict.kind === 'deny') return Failure.denied(verdict.reason, coordinate);
    }
  }
  return null;
};

const literals: ReadonlySet<unknown> = new Set([Kind.INT, Kind.FLOAT, Kind.STRING, Kind.LIST, Kind.OBJECT]);

/** The operation and its fragments without literals: a value may be personal, and a digest of it could be guessed. */
const digestOf = (operation: Operation, access: AccessClass, policy: ExposurePolicy): string => {
  const { fragments: used } = inventoryOf(operation.definition.selectionSet);
  for (const name of used) {
    const fragment = operation.fragments.get(name);
    if (fragment) for (const each of inventoryOf(fragment.selectionSet).fragments) used.add(each);
  }
  const fragments = [...used].sort().map((name) => operation.fragments.get(name));
  const meaning = [operation.definition, fragments, accessClassKey(access), policy.mfaRequired, policy.digest];
  const text = JSON.stringify(meaning, (key, value: unknown) => {
    if (key === 'loc') return undefined;
    return typeof value === 'object' && value !== null && 'kind' in value && literals.has(value.kind) ? value.kind : value;
  });
  return createHash('sha256').update(text).digest('hex');
};

/** The variables that decide `@include` and `@skip`, with their defaults. */
const conditionVariables = (operation: Operation): ReadonlyMap<string, boolean> => {
  const defaults = new Map<string, boolean>();
  for (const { variable, defaultValue } of operation.definition.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (operation.inventory.conditions.has(name)) defaults.set(name, defaultValue?.kind === Kind.BOOLEAN && defaultValue.value);
  }
  return defaults;
};

/** What stands for a refused operation, so that a caller who overlooks the refusal runs nothing of it. */
const doesNothing = parse('{ __typename }', { noLocation: true });

const deniedError = ({ coordinate, reason, path }: DeniedSelection): GraphQLError =>
  new GraphQLError(`Denied (${reason}).`, {
    path,
    extensions: { code: 'DENIED', rule: coordinate, reason, remedy: denialRemedies[reason] },
  });

/**
 * Decides one operation for one class of access.
 * @throws Failure `INVALID` for an unknown operation name, and for a document too large to plan.
 */
export const planAccess = (input: AccessPlanInput): AccessPlan => {
  const { schema, classification, policy, access } = input;
  const operation = operationOf(schema, input.document, input.operationName);
  const verdictTable = policy.verdictTable(access);
  const decisions = new Map<string, FieldDecision>();
  const decide = (typeName: string, fieldName: string): FieldDecision => {
    const coordinate = `${typeName}.${fieldName}`;
    const known = decisions.get(coordinate);
    if (known) return known;
    const decision = decisionOf(verdictTable.get(coordinate));
    decisions.set(coordinate, decision);
    return decision;
  };
  const cut = cutDocument(operation, input.document, (typeName, fieldName) => decide(typeName, fieldName).kept);
  const guard = new ArgumentGuard(schema, policy, access, operation.definition.variableDefinitions ?? []);
  const { fields, policed, denials } = survey(operation, decide, classification, verdictTable, guard);
  const untouched = cut.document === input.document;

  const conditions = conditionVariables(operation);
  const kept = (input.restorations ?? new Restorations()).ofPlan();
  const treeFor = (variables: Readonly<Record<string, unknown>>): RestorationTree => {
    const values = new Map<string, boolean>();
    let key = '';
    for (const [name, fallback] of conditions) {
      const sent = Object.hasOwn(variables, name) ? variables[name] : undefined;
      const value = sent === undefined ? fallback : sent === true;
      values.set(name, value);
      key += value ? '1' : '0';
    }
    return kept(key, () => compileRestoration(operation, decide, cut.touched, cut.hiddenKey, (name) => values.get(name)));
  };

  const refusal = refusalOf(operation, verdictTable);
  return {
    document: refusal ? doesNothing : cut.document,
    operationType: operation.definition.operation,
    digest: digestOf(operation, access, policy),
    policedFields: policed,
    fields,
    denials,
    conditions: [...conditions.keys()],
    refusal,
    refuseArguments: (variables) => guard.refuse(variables),
    restore: (data, variables) => {
      if (refusal) return { data: null, errors: [] };
      if (untouched || data === undefined) return { data, errors: [] };
      const restored = restoreTree(treeFor(variables), data);
      return { data: restored.data, errors: restored.denials.map(deniedError) };
    },
  };
};
