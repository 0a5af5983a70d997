/**
 * What urql takes of `@0no-co/graphql.web`, in whose place the build puts this. The operations of the console were parsed and checked against the
 * schema when it was made (scripts/console-operations.mjs): in the browser nothing of them is needed but their kind, their name and their text.
 */

export const Kind = { OPERATION_DEFINITION: 'OperationDefinition' } as const;

interface Document {
  readonly kind: 'Document';
  readonly definitions: readonly unknown[];
  readonly loc: { readonly source: { readonly body: string } };
}

/** A document of one operation, which stands before its fragments and has a name. */
export const parse = (body: string): Document => {
  const [, operation, value] = /^(query|mutation|subscription) (\w+)/.exec(body) ?? [];
  if (operation === undefined) throw new TypeError('an operation of the console has a name');
  return {
    kind: 'Document',
    definitions: [{ kind: Kind.OPERATION_DEFINITION, operation, name: { kind: 'Name', value } }],
    loc: { source: { body } },
  };
};

export const print = ({ loc }: Document): string => loc.source.body;

/** One of `errors` in an answer, where the gateway's own form is missing: what stands between may answer anything. */
export class GraphQLError extends Error {
  readonly path: readonly (string | number)[] | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    _nodes?: unknown,
    _source?: unknown,
    _positions?: unknown,
    path?: readonly (string | number)[],
    _original?: unknown,
    extensions: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.path = path;
    this.extensions = extensions;
  }
}
