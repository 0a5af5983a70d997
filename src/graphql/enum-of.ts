/** The enumeration object that type-graphql registers, out of a list of words that is also a TypeScript union. */
export const enumOf = <Name extends string>(names: readonly Name[]): { [N in Name]: N } =>
  Object.fromEntries(names.map((name) => [name, name])) as { [N in Name]: N };
