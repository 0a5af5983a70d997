import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoFragmentCyclesRule,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { measureDocument } from './document-size';
import { extensionsOf, failureIn } from './errors';
import type { OperationLimits } from './limits.section';
import { inOwnTurn } from './work';

/** Longest document, in lexical tokens: parsing one costs time before anything can be decided. */
const mostTokens = 2_000;
/** Bytes of memory that kept documents may take. */
const keptBytes = 16 * 1024 * 1024;
/** Bytes that a node of a document takes, as measured; rounded up. */
const bytesPerNode = 400;

/** A document that fits the graph, or why it isn't served. */
export type Admission = { readonly document: DocumentNode } | { readonly refusal: GraphQLError };

const badRequest = { status: 400 };

const refused = (error: GraphQLError, code: string): Admission => ({
  refusal: new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code, http: badRequest },
    originalError: error,
  }),
});

/**
 * Makes documents of texts: parsed, counted, and only then validated, so that no text of a few lines makes validation compare
 * without end. Those that fit are kept, by their digest and up to so many bytes.
 */
export class Documents {
  private readonly kept = new LRUCache<string, { readonly document: DocumentNode; readonly nodes: number }>({
    maxSize: keptBytes,
    sizeCalculation: ({ nodes }) => 1_000 + nodes * bytesPerNode,
  });

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly options: {
      readonly limits: Pick<OperationLimits, 'listArgument'>;
      readonly introspection: boolean;
      /** Whether a mistake is told with its place: the text is then read again, with positions. */
      readonly tellsPlaces: boolean;
    },
  ) {}

  /** `digest` stands for the text. One mistake is told, however many there are: their number would be an oracle for names. */
  async admit(text: string, digest: string): Promise<Admission> {
    const known = this.kept.get(digest);
    if (known) return known;
    await inOwnTurn();
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: mostTokens, noLocation: true });
    } catch (error) {
      return refused(asGraphQLError(error), 'GRAPHQL_PARSE_FAILED');
    }
    try {
      const { nodes, isCircular } = measureDocument(document, this.options.limits);
      const mistake = this.mistakeIn(document, isCircular);
      if (mistake)
        return refused(this.options.tellsPlaces ? this.placed(text, isCircular, mistake) : mistake, 'GRAPHQL_VALIDATION_FAILED');
      const admitted = { document, nodes };
      this.kept.set(digest, admitted);
      return admitted;
    } catch (error) {
      const failure = failureIn(error);
      if (!failure) throw error;
      const extensions = { ...extensionsOf(failure), http: badRequest };
      return { refusal: new GraphQLError(failure.message, { extensions, originalError: failure }) };
    }
  }

  private mistakeIn(document: DocumentNode, isCircular: boolean): GraphQLError | undefined {
    // A circle can't be walked, and counting it has no end: it is refused by its own rule alone.
    const rules = isCircular
      ? [NoFragmentCyclesRule]
      : [...specifiedRules, ...(this.options.introspection ? [] : [NoSchemaIntrospectionCustomRule])];
    return validate(this.schema, document, rules, { maxErrors: 1, hideSuggestions: !this.options.tellsPlaces })[0];
  }

  private placed(text: string, isCircular: boolean, otherwise: GraphQLError): GraphQLError {
    return this.mistakeIn(parse(text, { maxTokens: mostTokens }), isCircular) ?? otherwise;
  }
}

const asGraphQLError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError(error instanceof Error ? error.message : '');
