import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getNamedType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { Failure } from '../../failure';
import { Documents } from '../../graphql/documents';
import { checkLimits } from '../../graphql/limits';
import type { OperationLimits } from '../../graphql/limits.section';
import { hashIn, operationHash } from './operation-hash';

/** Longest text, in bytes: what its column holds, and far more than 2,000 lexical tokens take. */
const longestText = 60_000;

/** A document as somebody offers it. */
export interface OfferedDocument {
  /** Where it was found, for messages: a file, and its name there. */
  readonly from: string;
  /** By which the manifest calls it; null in a plain file, where it is the hash of the text. */
  readonly id: string | null;
  /** As Apollo's manifests say of their documents; null where nothing is said. */
  readonly name: string | null;
  readonly type: string | null;
  readonly text: string;
}

/** One that fits the graph and its bounds. */
export interface ExaminedDocument {
  readonly id: string;
  readonly text: string;
  readonly kinds: readonly string[];
  /** Kind and name of each, `query Context`. */
  readonly operations: readonly string[];
}

const placed = ({ message, locations }: GraphQLError): string => {
  const [place] = locations ?? [];
  return place ? `${message} (line ${place.line}, column ${place.column})` : message;
};

const operationsOf = ({ definitions }: DocumentNode): readonly OperationDefinitionNode[] =>
  definitions.flatMap((definition) => (definition.kind === Kind.OPERATION_DEFINITION ? [definition] : []));

const called = ({ operation, name }: OperationDefinitionNode): string => (name ? `${operation} ${name.value}` : operation);

/** Holds documents against the graph, by the rules that a text is held against when it is sent, and the bounds of operations. */
export class DocumentExaminer {
  private readonly documents: Documents;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly limits: OperationLimits,
    introspection: boolean,
  ) {
    // Whoever operates the gateway may know the graph.
    this.documents = new Documents(schema, { limits, introspection, tellsPlaces: true });
  }

  /** The document, or in a sentence why it can't be registered. */
  async examine({ id, name, type, text }: OfferedDocument): Promise<ExaminedDocument | string> {
    const hash = operationHash(text);
    const bytes = Buffer.byteLength(text);
    if (bytes > longestText) return `expected at most ${longestText} bytes, found ${bytes}`;
    if (Buffer.from(text).toString() !== text) return 'expected a text of whole Unicode characters';
    if (id !== null && hashIn(id) !== hash)
      return `its id isn’t the SHA-256 of its text, which is ${hash}: have the tool hash with sha256 what it writes down`;
    const unfit = await this.unfit(text);
    if (typeof unfit === 'string') return unfit;
    const operations = operationsOf(unfit);
    if (name !== null && !operations.some((each) => each.name?.value === name)) return `its text has no operation of this name`;
    if (type !== null && !operations.every(({ operation }) => operation === type)) return `its text isn’t a ${type}`;
    return {
      id: hash,
      text,
      kinds: [...new Set(operations.map(({ operation }) => String(operation)))].sort(),
      operations: operations.map(called),
    };
  }

  /** The document of a text; or why it isn't served. */
  async unfit(text: string): Promise<DocumentNode | string> {
    const admission = await this.documents.admit(text, operationHash(text));
    if ('refusal' in admission) return placed(admission.refusal);
    const operations = operationsOf(admission.document);
    if (operations.length === 0) return 'expected an operation, found fragments only';
    for (const operation of operations) {
      if (operation.operation === 'subscription') return `${called(operation)}: expected a query or a mutation`;
      try {
        checkLimits(this.schema, admission.document, operation, this.least(operation), this.limits);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return `${called(operation)}: ${error.message}`;
      }
    }
    return admission.document;
  }

  /** Variables under which an operation costs least: how long its lists are is known when it is sent, and counted then. */
  private least({ variableDefinitions = [] }: OperationDefinitionNode): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      variableDefinitions
        .filter(({ type }) => getNamedType(typeFromAST(this.schema, type as never))?.name === 'Int')
        .map(({ variable }) => [variable.name.value, 1]),
    );
  }
}
