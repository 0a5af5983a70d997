/** One operation as it is sent, with the types of what it takes and gives. */
export interface Operation<Data, Variables> {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly text: string;
  /** For the compiler alone. */
  readonly types?: (variables: Variables) => Data;
}

export const operation = <Data, Variables>(
  kind: Operation<Data, Variables>['kind'],
  text: string,
): Operation<Data, Variables> => ({ kind, text });
