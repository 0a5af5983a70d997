/** The log's public keys as its own events say them: the word of who serves the log. */
export const offeredKeys = ({
  nodes,
}: {
  readonly nodes: readonly { readonly changes: readonly { readonly name: string; readonly after: string | null }[] | null }[];
}): readonly string[] =>
  nodes.flatMap(({ changes }) => (changes ?? []).flatMap(({ name, after }) => (name === 'key' && after !== null ? [after] : [])));
