import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { Failure } from '../failure';
import type { OperationLimits } from './limits.section';
import { checkLiteral } from './values';

/**
 * Selections once fragments are spread out, over all operations of a document: validation, planning and execution
 * walk them where they are spread. Queries of real clients have a few hundred.
 */
const mostSelections = 2_000;
/** Pairs of fields under one response key, and of fragments. Validation compares each with each; a thousand take a millisecond. */
const mostPairs = 10_000;
/** Fields within fields. The usual query about the graph itself has fifteen. */
const deepest = 40;
const mostOperations = 20;
const mostVariables = 100;
const mostDirectives = 200;

/** How large a document is, for whoever decides what it may cost. */
export interface DocumentSize {
  /** Nodes of the tree that stay in memory while the document is kept. */
  readonly nodes: number;
  /** Selections once fragments are spread out. */
  readonly selections: number;
  /** A fragment spreads itself: it is no document that can be walked, and validation says which one it is. */
  readonly isCircular: boolean;
}

const refuse = (most: number, of: string): Failure => Failure.invalid('query', `more than ${most} ${of}; ask for less at a time`);

/** What stands in a document, counted where it stands. */
class Inventory {
  nodes = 0;
  private directives = 0;

  constructor(private readonly limits: Pick<OperationLimits, 'listArgument'>) {}

  /** Also adds to `spreads` the fragments that the set spreads at any depth. */
  add(set: SelectionSetNode, spreads: Set<string>): void {
    for (const node of set.selections) {
      this.nodes += 2;
      this.addDirectives(node);
      if (node.kind === Kind.FRAGMENT_SPREAD) spreads.add(node.name.value);
      if (node.kind === Kind.FIELD)
        for (const { name, value } of node.arguments ?? []) this.nodes += 2 + checkLiteral(name.value, value, this.limits);
      if (node.kind !== Kind.FRAGMENT_SPREAD && node.selectionSet) this.add(node.selectionSet, spreads);
    }
  }

  addOperation({ variableDefinitions = [], ...operation }: OperationDefinitionNode): void {
    if (variableDefinitions.length > mostVariables) throw refuse(mostVariables, 'variables of an operation');
    this.addDirectives(operation);
    for (const definition of variableDefinitions) {
      this.nodes += 4;
      this.addDirectives(definition);
      const { variable, defaultValue } = definition;
      if (defaultValue) this.nodes += checkLiteral(`$${variable.name.value}`, defaultValue, this.limits);
    }
  }

  addDirectives({ directives = [] }: Pick<SelectionNode, 'directives'>): void {
    this.directives += directives.length;
    if (this.directives > mostDirectives) throw refuse(mostDirectives, 'directives');
    for (const directive of directives) {
      this.nodes += 2;
      for (const { name, value } of directive.arguments ?? []) this.nodes += 2 + checkLiteral(name.value, value, this.limits);
    }
  }
}

/** Whether a fragment reaches itself. */
const isCircular = (spreads: ReadonlyMap<string, ReadonlySet<string>>): boolean => {
  const done = new Set<string>();
  const within = new Set<string>();
  const reachesItself = (name: string): boolean => {
    if (within.has(name)) return true;
    if (done.has(name)) return false;
    within.add(name);
    for (const each of spreads.get(name) ?? []) if (reachesItself(each)) return true;
    within.delete(name);
    done.add(name);
    return false;
  };
  return [...spreads.keys()].some(reachesItself);
};

/**
 * Counts a document before it is validated, in time that grows with its length and with what it spreads out to, up to the bound
 * of each. Throws `INVALID` with the bound that it is over.
 */
export const measureDocument = (document: DocumentNode, limits: Pick<OperationLimits, 'listArgument'>): DocumentSize => {
  const inventory = new Inventory(limits);
  const fragments = new Map<string, FragmentDefinitionNode>();
  const spreads = new Map<string, Set<string>>();
  const operations: SelectionSetNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION && definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const spread = new Set<string>();
    inventory.add(definition.selectionSet, spread);
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      inventory.addDirectives(definition);
      fragments.set(definition.name.value, definition);
      spreads.set(definition.name.value, spread);
    } else {
      operations.push(definition.selectionSet);
      if (operations.length > mostOperations) throw refuse(mostOperations, 'operations');
      inventory.addOperation(definition);
    }
  }
  const { nodes } = inventory;
  if (isCircular(spreads)) return { nodes, selections: 0, isCircular: true };

  let selections = 0;
  // Fragments are compared with each other once, wherever they are spread.
  let pairs = (fragments.size * (fragments.size - 1)) / 2;
  const reached = new Set<string>();
  // As execution merges fields: all that stand under one key, at one place.
  const walk = (merged: readonly SelectionSetNode[], depth: number): void => {
    if (depth > deepest) throw refuse(deepest, 'levels of fields');
    const byKey = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    const collect = (set: SelectionSetNode): void => {
      for (const node of set.selections) {
        selections += 1;
        if (selections > mostSelections) throw refuse(mostSelections, 'selections, fragments counted at each spread');
        if (node.kind === Kind.FIELD) {
          const key = node.alias?.value ?? node.name.value;
          const same = byKey.get(key);
          pairs += same?.length ?? 0;
          if (same) same.push(node);
          else byKey.set(key, [node]);
        } else if (node.kind === Kind.INLINE_FRAGMENT) {
          collect(node.selectionSet);
        } else if (!spread.has(node.name.value)) {
          spread.add(node.name.value);
          const fragment = fragments.get(node.name.value);
          if (!fragment) continue;
          reached.add(node.name.value);
          collect(fragment.selectionSet);
        }
      }
    };
    for (const set of merged) collect(set);
    if (pairs > mostPairs) throw refuse(mostPairs, 'pairs of fields under one response key, or of fragments');
    for (const nodes of byKey.values()) {
      const below = nodes.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
      if (below.length > 0) walk(below, depth + 1);
    }
  };
  for (const set of operations) walk([set], 1);
  // What nothing spreads is refused by validation, which has compared it by then.
  for (const [name, { selectionSet }] of fragments) if (!reached.has(name)) walk([selectionSet], 1);
  return { nodes, selections, isCircular: false };
};
