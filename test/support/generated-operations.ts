import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** Numbers from 0 up to below a bound, from a tape that fast-check writes; an empty tape answers 0, the smallest choice. */
export class Choices {
  private at = 0;

  constructor(private readonly tape: readonly number[]) {}

  below(bound: number): number {
    const drawn = this.tape[this.at] ?? 0;
    this.at += 1;
    return bound <= 1 ? 0 : drawn % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** What an attacker has collected so far: ids of every kind, cursors, references. Any of them goes into any argument. */
export interface Loot {
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly cursors: readonly string[];
  readonly references: readonly string[];
  readonly words: readonly string[];
}

export interface GeneratedOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const deepest = 7;
const broken = ['', ' ', '0', '-1', 'null', 'tkt_', 'tkt_01', "' OR 1=1 --", '%', '../..', '​', 'A'.repeat(300), '{"id":1}'];

/** Which roots are worth asking; the rest come up now and then. */
const favourites = ['ticket', 'ticketByReference', 'ticket', 'ticketByReference', 'tickets', 'customer', 'transaction'];
const idsOf: Readonly<Record<string, string>> = {
  ticket: 'tickets',
  beginAssistance: 'tickets',
  explainAccess: 'tickets',
  customer: 'customers',
  transaction: 'transactions',
  approveAssistance: 'assistances',
  rejectAssistance: 'assistances',
  endAssistance: 'assistances',
};
const mutations = [
  ...['beginAssistance', 'beginAssistance', 'beginAssistance', 'beginAssistance'],
  ...['approveAssistance', 'approveAssistance', 'rejectAssistance', 'endAssistance'],
];

/** Writes one operation over the whole schema: what a caller may send who knows the graph and everybody's ids. */
export class OperationWriter {
  private readonly definitions: string[] = [];
  private readonly variables: { declared: string; name: string; value: unknown }[] = [];
  private fragments = 0;
  private aliases = 0;
  private budget = 150;
  private asking = '';

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly choices: Choices,
    private readonly loot: Loot,
    /** Roots that may be asked; all where it isn't given. */
    private readonly roots?: readonly string[],
    private readonly newReason: () => string = () => 'the customer asked about it',
  ) {}

  write(): GeneratedOperation {
    const { choices, schema } = this;
    const isMutation = this.roots === undefined && choices.chance(20);
    const type = isMutation ? schema.getMutationType() : schema.getQueryType();
    if (!type) throw new Error('the schema has no such root');
    const fields = type.getFields();
    const wanted = this.roots ?? (isMutation ? mutations : choices.chance(85) ? favourites : Object.keys(fields));
    const count = 1 + (choices.chance(25) ? choices.below(3) : 0);
    const selections: string[] = [];
    for (let root = 0; root < count; root += 1) {
      const field = fields[choices.of(wanted)];
      if (field) selections.push(this.field(field, 1, new Map(), root > 0));
    }
    if (choices.chance(10)) selections.push(choices.of(['__typename', 't: __typename', '__schema { types { name } }']));
    const declared = this.variables.map(({ declared: text }) => text);
    const variables = Object.fromEntries(
      this.variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    );
    const name = choices.chance(50) ? `Q${choices.below(1_000)}` : '';
    const head = isMutation ? 'mutation' : 'query';
    const query = [
      `${head} ${name}${declared.length > 0 ? `(${declared.join(', ')})` : ''} { ${selections.join(' ')} }`,
      ...this.definitions,
    ].join('\n');
    return { query, variables };
  }

  private field(field: GraphQLField<unknown, unknown>, depth: number, taken: Map<string, string>, mustAlias = false): string {
    const { choices } = this;
    this.budget -= 1;
    this.asking = field.name;
    const args = field.args.flatMap((argument) => this.argument(argument));
    const call = args.length > 0 ? `(${args.join(', ')})` : '';
    const signature = `${field.name}${call}`;
    let key = field.name;
    const clashes = taken.has(key) && taken.get(key) !== signature;
    if ((clashes || mustAlias || choices.chance(12)) && this.aliases < 45) {
      this.aliases += 1;
      // Aliases that look like other fields: a plan that goes by response key would be fooled.
      key = choices.chance(30) && !taken.has('id') ? choices.of(['id', 'reference', 'kind', '_counterfoil']) : `a${this.aliases}`;
      if (taken.has(key) && taken.get(key) !== signature) key = `a${this.aliases}x`;
    }
    taken.set(key, signature);
    const alias = key === field.name ? '' : `${key}: `;
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.selectionSet(named, depth + 1)}` : '';
    return `${alias}${field.name}${call}${this.condition()}${below}`;
  }

  private selectionSet(type: GraphQLCompositeType, depth: number, taken = new Map<string, string>()): string {
    const { choices } = this;
    const parts: string[] = [];
    if (isObjectType(type) || isInterfaceType(type)) {
      const fields = Object.values(type.getFields());
      const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)));
      const branches = fields.filter((field) => !isLeafType(getNamedType(field.type)));
      const all = choices.chance(60);
      for (const leaf of leaves) if (all || choices.chance(40)) parts.push(this.field(leaf, depth, taken));
      if (depth < deepest) {
        // Down every branch most of the time: what nobody asks for can't leak.
        for (const branch of branches)
          if (this.budget > 0 && (branches.length === 1 || choices.chance(75))) parts.push(this.field(branch, depth, taken));
      }
      // The same field once more: one response key, two places.
      const again = leaves.length > 0 && choices.chance(10) ? choices.of(leaves) : undefined;
      if (again && again.args.length === 0 && taken.get(again.name) === again.name) parts.push(again.name);
    }
    if (isAbstractType(type)) {
      for (const implementation of this.schema.getPossibleTypes(type)) {
        if (!choices.chance(60)) continue;
        const inner = this.selectionSet(implementation, depth + 1, new Map(taken));
        parts.push(`... on ${implementation.name}${this.condition()} ${inner}`);
      }
    }
    if (choices.chance(20) && parts.length > 0) {
      const taking = parts.splice(0, 1 + choices.below(parts.length));
      parts.push(`...${choices.chance(50) ? ` on ${type.name}` : ''}${this.condition()} { ${taking.join(' ')} }`);
    }
    if (choices.chance(25) && parts.length > 0) {
      this.fragments += 1;
      const name = `F${this.fragments}`;
      this.definitions.push(`fragment ${name} on ${type.name} { ${parts.splice(0, 1 + choices.below(parts.length)).join(' ')} }`);
      parts.push(`...${name}`);
      if (choices.chance(20)) parts.push(`...${name}`);
    }
    if (parts.length === 0 || choices.chance(10)) parts.push('__typename');
    return `{ ${parts.join(' ')} }`;
  }

  private condition(): string {
    const { choices } = this;
    if (!choices.chance(8)) return '';
    const directive = choices.of(['include', 'skip']);
    if (choices.chance(50)) return ` @${directive}(if: ${choices.of(['true', 'false'])})`;
    const value = choices.of([true, false, undefined]);
    const fallback = value === undefined || choices.chance(30) ? ` = ${choices.of(['true', 'false'])}` : '';
    return ` @${directive}(if: ${this.variable(`Boolean!${fallback}`, value)})`;
  }

  private variable(type: string, value: unknown): string {
    const name = `v${this.variables.length}`;
    this.variables.push({ name, declared: `$${name}: ${type}`, value });
    return `$${name}`;
  }

  private argument(argument: GraphQLArgument): string[] {
    const { choices } = this;
    const required = isNonNullType(argument.type);
    if (!required && argument.name !== 'first' && !choices.chance(25)) return [];
    const value = this.value(argument.name, argument.type);
    if (value === undefined) return [];
    if (choices.chance(40)) {
      const asDefault = !required && choices.chance(30) && typeof value !== 'object';
      const type = String(argument.type);
      const text = asDefault ? `${type} = ${literal(value, argument.type)}` : type;
      return [`${argument.name}: ${this.variable(text, asDefault ? undefined : value)}`];
    }
    return [`${argument.name}: ${literal(value, argument.type)}`];
  }

  private value(name: string, type: GraphQLInputType): unknown {
    const { choices, loot } = this;
    if (isNonNullType(type)) return this.value(name, type.ofType);
    if (isListType(type)) return Array.from({ length: 1 + choices.below(2) }, () => this.value(name, type.ofType));
    if (isInputObjectType(type)) {
      const entries: [string, unknown][] = [];
      for (const field of Object.values(type.getFields())) {
        if (isNonNullType(field.type) || choices.chance(20)) entries.push([field.name, this.value(field.name, field.type)]);
      }
      return Object.fromEntries(entries);
    }
    if (isEnumType(type)) return choices.of(type.getValues()).name;
    if (name === 'first') return choices.chance(5) ? choices.of([0, -1, 101, 2_147_483_647]) : 1 + choices.below(6);
    if (name === 'after') return loot.cursors.length > 0 && choices.chance(70) ? choices.of(loot.cursors) : choices.of(broken);
    if (name === 'source') return choices.chance(90) ? 'demo' : choices.of(['demo-pay', ...loot.words]);
    if (name === 'reference') return choices.chance(85) ? choices.of(loot.references) : choices.of([...broken, ...loot.words]);
    if (name === 'reason') return this.newReason();
    if (name === 'field') return choices.of(['Risk.score', 'Customer.email', 'Address.line1', ...loot.words]);
    if (type.name === 'Int' || type.name === 'SafeInt') return choices.of([0, 1, 50, 640_000, 7_400_000, -5]);
    if (type.name === 'Boolean') return choices.chance(50);
    if (type.name === 'DateTime') return choices.of(['2026-08-11T00:00:00.000Z', '2026-09-02T00:00:00Z', 'yesterday']);
    if (type.name === 'CurrencyCode') return choices.of(['EUR', 'USD', 'euro']);
    if (type.name === 'ID') {
      const kinds = Object.keys(loot.ids).filter((kind) => (loot.ids[kind]?.length ?? 0) > 0);
      if (kinds.length === 0 || choices.chance(5)) return choices.of([...broken, ...loot.words]);
      const fitting = loot.ids[idsOf[this.asking] ?? ''] ?? [];
      if (fitting.length > 0 && choices.chance(80)) return choices.of(fitting);
      return choices.of(loot.ids[choices.of(kinds)] as readonly string[]);
    }
    return choices.of([...loot.words, ...broken]);
  }
}

/** A value as GraphQL writes it. */
const literal = (value: unknown, type: GraphQLInputType): string => {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (value === null || value === undefined) return 'null';
  if (isListType(type)) return `[${(value as unknown[]).map((each) => literal(each, type.ofType)).join(', ')}]`;
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    const entries = Object.entries(value as object).flatMap(([name, each]) => {
      const field = fields[name];
      return field ? [`${name}: ${literal(each, field.type)}`] : [];
    });
    return `{ ${entries.join(', ')} }`;
  }
  return isEnumType(type) ? String(value) : JSON.stringify(value);
};
