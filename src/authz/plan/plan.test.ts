import { type DocumentNode, execute, parse, print, validate } from 'graphql';
import { markedSchema } from '../../../test/support/marked-schema';
import { Failure, ProgrammingError } from '../../failure';
import type { AccessClass } from '../actor';
import { classifySchema } from '../policy/classify-schema';
import { ExposurePolicy } from '../policy/exposure';
import { describeProblem } from '../policy/file';
import { type AccessPlan, planAccess } from './plan';

const schema = markedSchema(`
  directive @client(note: String) repeatable on FIELD | INLINE_FRAGMENT | FRAGMENT_SPREAD | QUERY
  interface Node { id: ID! @is(class: "PUBLIC") label: String @is(class: "PERSONAL") }
  type Customer implements Node {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "PERSONAL")
    email: String @is(class: "PERSONAL", matched: "CREDENTIAL")
    phone: String @is(class: "PERSONAL")
    hidden: String @is(class: "PERSONAL")
    rank: Int! @is(class: "INTERNAL")
    ticket: Ticket @is(class: "INTERNAL")
    transactions(filter: TransactionFilter, order: TransactionOrder = AMOUNT, search: String): [Transaction!] @is(class: "INTERNAL")
    notes(ascending: [NoteOrder!]): [[Note]!] @is(class: "INTERNAL")
  }
  type Ticket implements Node {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "PERSONAL")
    customer: Customer @is(class: "INTERNAL")
  }
  type Note { body: String @is(class: "PERSONAL") author: String @is(class: "INTERNAL") }
  type Transaction { id: ID! @is(class: "PUBLIC") amount: Int @is(class: "PAYMENT") status: String @is(class: "PAYMENT") }
  union Hit = Customer | Ticket
  input Range { from: Int to: Int }
  input TransactionFilter {
    amount: Range @filters(by: ["Transaction.amount"])
    status: String @filters(by: ["Transaction.status"])
    and: [TransactionFilter!]
    either: SomeFilter
  }
  input SomeFilter { status: String = "any" @filters(by: ["Transaction.status"]) }
  enum TransactionOrder { AMOUNT @sorts(by: ["Transaction.amount"]) STATUS @sorts(by: ["Transaction.status"]) ID @sorts(by: ["Transaction.id"]) }
  enum NoteOrder { BODY @sorts(by: ["Note.body"]) AUTHOR @sorts(by: ["Note.author"]) }
  type Query {
    node: Node @is(class: "PUBLIC")
    customer(id: ID): Customer @is(class: "PUBLIC")
    tickets: [Ticket!]! @is(class: "PUBLIC")
    hits: [Hit] @is(class: "PUBLIC")
    audit: String! @is(class: "INTERNAL")
    transactions(filter: TransactionFilter): [Transaction!] @is(class: "PUBLIC")
  }
  type Mutation { rename(id: ID): Customer @is(class: "PUBLIC") forget(id: ID): Customer @is(class: "PUBLIC") }
  type Subscription { renamed: Customer @is(class: "PUBLIC") forgotten: Customer @is(class: "PUBLIC") }
`);
const classification = classifySchema(schema);

const policyOf = (changes: Record<string, string> = {}): ExposurePolicy => {
  const denied = new Set([
    'Customer.email',
    'Ticket.label',
    'Note.body',
    'Query.audit',
    'Mutation.forget',
    'Subscription.forgotten',
  ]);
  const fields: Record<string, Record<string, unknown>> = {};
  for (const field of classification.fields.values()) {
    const usual = field.coordinate === 'Customer.hidden' ? 'omit' : 'reveal';
    const verdict = changes[field.coordinate] ?? (denied.has(field.coordinate) ? 'deny' : usual);
    fields[field.typeName] = { ...fields[field.typeName], [field.fieldName]: { AGENT: JSON.parse(`"${verdict}"`), '*': 'deny' } };
  }
  fields.Customer = {
    ...fields.Customer,
    phone: { AGENT: { VERIFIED: 'mask:phone', MATCHED: 'omit', NONE: 'deny' }, '*': 'deny' },
  };
  const assistance = {
    automatic: [],
    lifetimeMinutes: 1,
    quota: { customersPerHour: 1 },
    onRequest: { approvalFor: [], lifetimeMinutes: 1 },
  };
  const filters = { 'Transaction.amount': [], 'Transaction.status': ['AGENT'] };
  const sorts = {
    'Transaction.amount': ['AGENT'],
    'Transaction.status': [],
    'Transaction.id': ['AGENT'],
    'Note.body': [],
    'Note.author': ['AGENT'],
  };
  const updates = {
    kinds: {},
    linkHours: 1,
    approvalHours: 1,
    quota: { perCustomerPerDay: 1 },
    highRisk: { strength: 'link', contactWindowDays: 1, rules: [] },
  };
  const loaded = ExposurePolicy.load(
    JSON.stringify({ version: 1, assistance, scope: {}, updates, fields, filters, sorts }),
    classification,
  );
  if (!loaded.ok) throw new Error(loaded.problems.map(describeProblem).join('\n'));
  return loaded.policy;
};
const policy = policyOf();
const agent: AccessClass = { roles: ['AGENT'], mfa: true };

const planOf = (
  text: string,
  options: { access?: AccessClass; policy?: ExposurePolicy; operationName?: string } = {},
): AccessPlan => {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const plan = planAccess({ schema, classification, policy, document, access: agent, ...options });
  expect(validate(schema, plan.document)).toEqual([]);
  return plan;
};
const flat = (document: DocumentNode): string => print(document).replace(/\s+/g, ' ');
const cutOf = (text: string): string => flat(planOf(text).document);

const customer = { __typename: 'Customer', id: 'c1', label: 'Ada', email: 'ada@example.com', phone: '1', hidden: 'h', rank: 1 };
const ticket = { __typename: 'Ticket', id: 't1', label: 'Broken', customer };
const source = {
  node: customer,
  customer: {
    ...customer,
    notes: [[{ body: 'b1', author: 'a1' }, null], []],
    transactions: [{ id: 'x', amount: 1, status: 's' }],
  },
  tickets: [ticket, { ...ticket, id: 't2', customer: null }],
  hits: [ticket, null, customer],
  audit: 'audit',
};
const answer = (text: string, variables: Record<string, unknown> = {}, root: object = source) => {
  const plan = planOf(text);
  const result = execute({ schema, document: plan.document, rootValue: root, variableValues: variables });
  if (result instanceof Promise) throw new Error('expected synchronous execution');
  const restored = plan.restore(result.data, variables);
  return {
    data: JSON.parse(JSON.stringify(restored.data)),
    errors: [...(result.errors ?? []), ...restored.errors].map((error) => `${error.path?.join('.')} ${error.extensions.rule}`),
  };
};

describe('what is denied is cut before anything is fetched:', () => {
  it.each<[string, string, string]>([
    ['a field', '{ customer { id email } }', '{ customer { id } }'],
    ['a field under another name', '{ customer { id: email rank } }', '{ customer { rank } }'],
    ['a field twice', '{ customer { email email rank a: email } }', '{ customer { rank } }'],
    ['in an inline fragment', '{ customer { ... { email rank } } }', '{ customer { ... { rank } } }'],
    ['all of an inline fragment', '{ customer { ... on Customer { email } rank } }', '{ customer { rank } }'],
    [
      'in a named fragment',
      '{ customer { ...F } } fragment F on Customer { email rank }',
      '{ customer { ...F } } fragment F on Customer { rank }',
    ],
    [
      'all of a named fragment',
      '{ customer { id ...F } } fragment F on Customer { email ...G } fragment G on Customer { hidden }',
      '{ customer { id } }',
    ],
    ['whatever directives it has', '{ customer { id email @client(note: "x") @client } }', '{ customer { id } }'],
    ['an emptied parent stays', '{ customer { email } }', '{ customer { _counterfoil: __typename } }'],
    ['an emptied root stays', '{ audit }', '{ _counterfoil: __typename }'],
    [
      'a variable goes with the only field that used it',
      'query ($x: Boolean!, $y: ID) { customer(id: $y) { id email @include(if: $x) } }',
      'query ($y: ID) { customer(id: $y) { id } }',
    ],
    ['one type of an interface', '{ node { id label } }', '{ node { id ... on Customer { label } _counterfoil: __typename } }'],
    [
      'one type of an interface in a fragment on it',
      '{ customer { ...F } } fragment F on Node { label }',
      '{ customer { ...F } } fragment F on Node { ... on Customer { label } }',
    ],
    [
      'through a union',
      '{ hits { ... on Customer { email rank } ... on Ticket { id } } }',
      '{ hits { ... on Customer { rank } ... on Ticket { id } _counterfoil: __typename } }',
    ],
    [
      'through a fragment on an interface, in a union',
      '{ hits { ... on Node { label } } }',
      '{ hits { ... on Node { ... on Customer { label } } _counterfoil: __typename } }',
    ],
    ['what depends on the link stays', '{ customer { phone } }', '{ customer { phone } }'],
    [
      'a key of ours that is taken',
      '{ customer { email } _counterfoil: __typename }',
      '{ customer { _counterfoil_: __typename } _counterfoil: __typename }',
    ],
    [
      'introspection passes',
      '{ __typename __type(name: "Customer") { name } customer { __typename email } }',
      '{ __typename __type(name: "Customer") { name } customer { __typename } }',
    ],
  ])('%s', (_, text, expected) => {
    expect(cutOf(text)).toBe(flat(parse(expected)));
  });

  it('a denied field of one type cannot be reached by way of another', () => {
    const called: string[] = [];
    const plan = planOf(`{
      tickets { customer { ...F } }
      hits { ... on Ticket { customer { e: email } } ...F ... on Node { label ... on Customer { email } } }
      node { ... on Ticket { label } ...F ... on Node { ... on Customer { x: email } } }
    } fragment F on Customer { y: email ticket { label customer { email rank } } }`);
    execute({
      schema,
      document: plan.document,
      rootValue: source,
      fieldResolver: (parent, _given, _context, { parentType, fieldName }) => {
        called.push(`${parentType.name}.${fieldName}`);
        return parent[fieldName];
      },
    });
    expect(called).toContain('Customer.label');
    expect(called).not.toContain('Customer.email');
    expect(called).not.toContain('Ticket.label');
  });

  it('an unknown access, or none, gets nothing but introspection', () => {
    for (const access of [
      { roles: [], mfa: true },
      { roles: ['ADMIN'], mfa: true },
    ] as const) {
      expect(flat(planOf('{ customer { id } __typename }', { access }).document)).toBe('{ __typename }');
    }
  });

  it('nothing is touched where nothing is denied', () => {
    const document = parse('query A { customer { id rank } } query B { customer { email } }');
    const plan = planAccess({ schema, classification, policy, document, operationName: 'A', access: agent });
    expect(plan.document).toBe(document);
    const data = { customer: { id: 'c1', rank: 1 } };
    expect(plan.restore(data, {}).data).toBe(data);
    const other = planAccess({ schema, classification, policy, document, operationName: 'B', access: agent });
    expect(flat(other.document)).toBe('query B { customer { _counterfoil: __typename } }');
  });

  it('an operation that the document does not name is refused', () => {
    const document = parse('query A { audit } query B { audit }');
    for (const operationName of [undefined, null, '', 'C']) {
      expect(() => planAccess({ schema, classification, policy, document, operationName, access: agent })).toThrow(Failure);
    }
  });
});

describe('the answer has the shape of uncut execution:', () => {
  it('null in its place, and one error', () => {
    expect(answer('{ customer { a: email rank email } }')).toEqual({
      data: { customer: { a: null, rank: 1, email: null } },
      errors: ['customer.a Customer.email', 'customer.email Customer.email'],
    });
    expect(Object.keys(answer('{ customer { a: email rank email } }').data.customer)).toEqual(['a', 'rank', 'email']);
  });

  it('null without an error where it is left out', () => {
    expect(answer('{ customer { hidden rank } }')).toEqual({ data: { customer: { hidden: null, rank: 1 } }, errors: [] });
  });

  it('an absent parent stays absent, without an error', () => {
    expect(answer('{ customer { email } }', {}, { customer: null })).toEqual({ data: { customer: null }, errors: [] });
  });

  it('one error for all items of a list, at the list', () => {
    expect(answer('{ tickets { id label customer { email } } }')).toEqual({
      data: {
        tickets: [
          { id: 't1', label: null, customer: { email: null } },
          { id: 't2', label: null, customer: null },
        ],
      },
      errors: ['tickets Ticket.label', 'tickets Customer.email'],
    });
    expect(answer('{ tickets { label } }', {}, { tickets: [] })).toEqual({ data: { tickets: [] }, errors: [] });
  });

  it('lists of lists with nulls in them', () => {
    expect(answer('{ customer { notes { body author } } }')).toEqual({
      data: { customer: { notes: [[{ body: null, author: 'a1' }, null], []] } },
      errors: ['customer.notes Note.body'],
    });
  });

  it('each item of a union by its type', () => {
    expect(answer('{ hits { ... on Customer { email rank } ... on Ticket { label } ... on Node { id } } }')).toEqual({
      data: { hits: [{ label: null, id: 't1' }, null, { email: null, rank: 1, id: 'c1' }] },
      errors: ['hits Customer.email', 'hits Ticket.label'],
    });
  });

  it('only for the type that came', () => {
    expect(answer('{ node { label ... on Customer { rank } } }')).toEqual({
      data: { node: { label: 'Ada', rank: 1 } },
      errors: [],
    });
    expect(answer('{ node { label } }', {}, { node: ticket })).toEqual({
      data: { node: { label: null } },
      errors: ['node Ticket.label'.replace('node', 'node.label')],
    });
  });

  it('conditions by variable, default and literal', () => {
    const text = `query ($with: Boolean = false, $without: Boolean!) {
      customer { email @include(if: $with) rank email @skip(if: $without) ... @include(if: false) { e: email } }
    }`;
    const keys = (variables: Record<string, unknown>) => Object.keys(answer(text, variables).data.customer);
    expect(keys({ with: true, without: true })).toEqual(['email', 'rank']);
    expect(keys({ without: false })).toEqual(['rank', 'email']);
    expect(keys({ without: true })).toEqual(['rank']);
    expect(answer(text, { without: true }).errors).toEqual([]);
  });

  it('a denied field that is never null takes the nearest nullable ancestor with it', () => {
    expect(answer('{ audit customer { id } }')).toEqual({ data: null, errors: ['audit Query.audit'] });
    const strict = policyOf({ 'Customer.rank': 'deny', 'Transaction.id': 'deny' });
    const plan = planOf('{ customer { id rank } hits { ... on Customer { rank } } t: customer { transactions { id } } }', {
      policy: strict,
    });
    const restored = plan.restore(
      {
        customer: { id: 'c1' },
        hits: [null, { _counterfoil: 'Customer' }, { _counterfoil: 'Ticket' }],
        t: { transactions: [{ _counterfoil: 'Transaction' }] },
      },
      {},
    );
    expect(restored.data).toEqual({ customer: null, hits: [null, null, {}], t: { transactions: null } });
  });

  it('an error says what was denied, why, and what would lift it', () => {
    const plan = planOf('{ customer { phone email } }', { access: { roles: ['AGENT'], mfa: false } });
    const { errors } = plan.restore({ customer: {} }, {});
    expect(errors.map((error) => error.toJSON())).toEqual([
      {
        message: 'Denied (MFA_REQUIRED).',
        path: ['customer', 'phone'],
        extensions: {
          code: 'DENIED',
          rule: 'Customer.phone',
          reason: 'MFA_REQUIRED',
          remedy: 'Sign in again with a second factor.',
        },
      },
      {
        message: 'Denied (ROLE).',
        path: ['customer', 'email'],
        extensions: { code: 'DENIED', rule: 'Customer.email', reason: 'ROLE', remedy: expect.stringContaining('exposure.yaml') },
      },
    ]);
  });

  it('denied fields of the root are told of even where another error took all data', () => {
    expect(planOf('{ audit tickets { id } }').restore(null, {}).errors).toHaveLength(1);
    expect(planOf('{ audit tickets { id } }').restore(undefined, {})).toEqual({ data: undefined, errors: [] });
  });

  it('an object whose type did not come back is a fault, not a guess', () => {
    const plan = planOf('{ hits { ... on Customer { email } } }');
    expect(() => plan.restore({ hits: [{}] }, {})).toThrow(ProgrammingError);
    expect(() => plan.restore({ hits: [{ _counterfoil: 'Nothing' }] }, {})).toThrow(ProgrammingError);
  });

  it('quickly: 50 rows of 5 objects in far less than a millisecond', () => {
    const plan = planOf(
      '{ tickets { id label customer { id email rank label notes { body author } transactions { id amount } } } }',
    );
    const notes = [[{ author: 'a' }, { author: 'b' }]];
    const row = { id: 't', customer: { id: 'c', rank: 1, label: 'l', notes, transactions: [{ id: 'x', amount: 1 }] } };
    const data = { tickets: Array.from({ length: 50 }, () => row) };
    const times = Array.from({ length: 200 }, () => {
      const began = performance.now();
      plan.restore(data, {});
      return performance.now() - began;
    });
    expect(times.sort((a, b) => a - b)[50]).toBeLessThan(1);
  });
});

describe('the plan', () => {
  it('lists the policed fields that stay, with their verdicts', () => {
    const plan = planOf('query ($x: Boolean!) { customer { id rank email phone @include(if: $x) } node { label } }');
    expect(plan.policedFields).toEqual([
      { coordinate: 'Customer.label', class: 'PERSONAL', verdicts: policy.verdicts('Customer.label', agent) },
      { coordinate: 'Customer.phone', class: 'PERSONAL', verdicts: policy.verdicts('Customer.phone', agent) },
    ]);
    expect(plan.denials).toEqual([
      { coordinate: 'Customer.email', reason: 'ROLE', path: ['customer', 'email'] },
      { coordinate: 'Ticket.label', reason: 'ROLE', path: ['node', 'label'] },
    ]);
    expect(plan.operationType).toBe('query');
    expect(plan.refusal).toBeNull();
  });

  it('counts only what can be read in its place', () => {
    const plan = planOf('{ customer { ...F } } fragment F on Node { label }');
    expect(plan.policedFields.map(({ coordinate }) => coordinate)).toEqual(['Customer.label']);
    expect(plan.denials).toEqual([]);
  });

  it('has a digest of operation, access and policy, in which no literal takes part', () => {
    const digest = (text: string, access = agent, of = policy) => planOf(text, { access, policy: of }).digest;
    const text = '{ customer(id: "c1") { id transactions(filter: { status: "s" }) { id } } }';
    expect(digest(text)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(text.replace('"c1"', '"c2"').replace('{ status: "s" }', '{ status: "t", and: [] }'))).toBe(digest(text));
    expect(digest(text.replace('{ id trans', '{\n  id # x\n  trans'))).toBe(digest(text));
    expect(digest(text.replace('{ id }', '{ id status }'))).not.toBe(digest(text));
    expect(digest(text, { roles: ['AGENT', 'AUDITOR'], mfa: true })).not.toBe(digest(text));
    expect(digest(text, agent, policyOf({ 'Customer.hidden': 'deny' }))).not.toBe(digest(text));
    const fragments = '{ customer { ...F } } fragment F on Customer { id }';
    expect(digest(fragments.replace('{ id }', '{ rank }'))).not.toBe(digest(fragments));
  });

  it('refuses a mutation or a subscription with a root field that is denied, whole', () => {
    const refused = planOf('mutation { rename { id } x: forget { id } }').refusal;
    expect(refused).toMatchObject({ code: 'DENIED', details: { reason: 'ROLE', rule: 'Mutation.forget' } });
    const overlooked = planOf('mutation { rename { id } forget { id } }');
    expect(flat(overlooked.document)).toBe('{ __typename }');
    expect(overlooked.restore({ __typename: 'Query' }, {})).toEqual({ data: null, errors: [] });
    expect(
      planOf('mutation ($x: Boolean!) { rename { id } ...F } fragment F on Mutation { forget @skip(if: $x) { id } }').refusal,
    ).not.toBeNull();
    expect(planOf('subscription { forgotten { id } }').refusal).toMatchObject({ details: { rule: 'Subscription.forgotten' } });
    expect(planOf('mutation { rename { id email } }').refusal).toBeNull();
    expect(planOf('subscription { renamed { email } }').refusal).toBeNull();
    expect(planOf('{ audit }').refusal).toBeNull();
  });
});

describe('filters and sorts', () => {
  const ruleOf = (text: string, variables: Record<string, unknown> = {}): string | null => {
    const refusal = planOf(text).refuseArguments(variables);
    return refusal && `${refusal.details.reason ?? refusal.code} ${refusal.details.rule ?? refusal.details.argument}`;
  };
  const filterable = 'query ($f: TransactionFilter) { customer { transactions(filter: $f) { id } } }';
  const amount = 'NOT_FILTERABLE Transaction.amount';
  const status = 'NOT_SORTABLE Transaction.status';

  it.each<[string, string, Record<string, unknown>, string | null]>([
    ['a literal', '{ customer { transactions(filter: { amount: { from: 1 } }) { id } } }', {}, amount],
    ['a literal that is granted', '{ customer { transactions(filter: { status: "x" }) { id } } }', {}, null],
    ['a literal null', '{ customer { transactions(filter: { amount: null }) { id } } }', {}, null],
    ['an empty range', '{ customer { transactions(filter: { amount: {} }) { id } } }', {}, amount],
    [
      'a nested literal',
      '{ customer { transactions(filter: { and: [{ status: "x" }, { and: { amount: {} } }] }) { id } } }',
      {},
      amount,
    ],
    ['a variable', filterable, { f: { amount: { to: 3 } } }, amount],
    ['a nested variable', filterable, { f: { and: [{ and: [{ amount: {} }] }] } }, amount],
    ['a single value where a list is accepted', filterable, { f: { and: { amount: {} } } }, amount],
    ['a variable that is granted', filterable, { f: { status: 'x' } }, null],
    ['a variable that is null', filterable, { f: null }, null],
    ['a variable that is absent', filterable, {}, null],
    ['a field of a variable that is null', filterable, { f: { amount: null } }, null],
    [
      'a variable inside a literal',
      'query ($r: Range) { customer { transactions(filter: { amount: $r }) { id } } }',
      { r: {} },
      amount,
    ],
    [
      'an absent variable inside a literal',
      'query ($r: Range) { customer { transactions(filter: { amount: $r }) { id } } }',
      {},
      null,
    ],
    [
      'a default of a variable',
      'query ($r: Range = { from: 1 }) { customer { transactions(filter: { amount: $r }) { id } } }',
      {},
      amount,
    ],
    [
      'null instead of a default',
      'query ($r: Range = { from: 1 }) { customer { transactions(filter: { amount: $r }) { id } } }',
      { r: null },
      null,
    ],
    [
      'a list variable inside a literal',
      'query ($l: [TransactionFilter!]) { customer { transactions(filter: { and: $l }) { id } } }',
      { l: [{ amount: {} }] },
      amount,
    ],
    [
      'an item variable inside a list',
      'query ($i: TransactionFilter!) { customer { transactions(filter: { and: [$i] }) { id } } }',
      { i: { amount: {} } },
      amount,
    ],
    ['an alias', '{ c: customer { t: transactions(filter: { amount: {} }) { id } } }', {}, amount],
    ['a fragment', '{ hits { ...F } } fragment F on Customer { transactions(filter: { amount: {} }) { id } }', {}, amount],
    [
      'a field that a variable skips',
      'query ($x: Boolean!) { customer { transactions(filter: { amount: {} }) @skip(if: $x) { id } id } }',
      { x: true },
      amount,
    ],
    ['a sort', '{ customer { transactions(order: STATUS) { id } } }', {}, status],
    ['a sort that is granted', '{ customer { transactions(order: ID) { id } } }', {}, null],
    [
      'a sort by variable',
      'query ($o: TransactionOrder) { customer { transactions(order: $o) { id } } }',
      { o: 'STATUS' },
      status,
    ],
    ['a sort by default', 'query ($o: TransactionOrder = STATUS) { customer { transactions(order: $o) { id } } }', {}, status],
    ['a sort in a list', '{ customer { notes(ascending: [AUTHOR, BODY]) { author } } }', {}, 'NOT_SORTABLE Note.body'],
    [
      'a sort in a list variable',
      'query ($n: [NoteOrder!]) { customer { notes(ascending: $n) { author } } }',
      { n: ['BODY'] },
      'NOT_SORTABLE Note.body',
    ],
    [
      'a sort as a single value',
      'query ($n: [NoteOrder!]) { customer { notes(ascending: $n) { author } } }',
      { n: 'BODY' },
      'NOT_SORTABLE Note.body',
    ],
    ['what stands in a field that is cut', '{ audit customer { id } }', {}, null],
  ])('%s', (_, text, variables, expected) => {
    expect(ruleOf(text, variables)).toBe(expected);
  });

  it('the default of an argument and of an input field counts as given', () => {
    const bare = { roles: ['AGENT'], mfa: false } as const;
    const plan = planOf('{ customer { transactions { id } } }', { access: bare });
    expect(plan.refuseArguments({})).toMatchObject({ details: { reason: 'MFA_REQUIRED', rule: 'Transaction.amount' } });
    const inner = planOf('query ($f: TransactionFilter) { transactions(filter: $f) { id } }', { access: bare });
    expect(inner.refuseArguments({ f: { either: {} } })).toMatchObject({ details: { rule: 'Transaction.status' } });
    expect(inner.refuseArguments({ f: { either: { status: null } } })).toBeNull();
    expect(inner.refuseArguments({})).toBeNull();
  });

  it('values of any depth end in a refusal, not in a fault', () => {
    let value: Record<string, unknown> = {};
    for (let depth = 0; depth < 20_000; depth += 1) value = { and: [value] };
    expect(ruleOf(filterable, { f: value })).toBe('INVALID variables');
  });
});

describe('a hostile document', () => {
  const planned = (text: string) => () => planAccess({ schema, classification, policy, document: parse(text), access: agent });

  it('with fragments in a circle is refused', () => {
    expect(planned('{ customer { ...A } } fragment A on Customer { ...B } fragment B on Customer { email ...A }')).toThrow(
      Failure,
    );
    expect(planned('{ customer { ...A } } fragment A on Customer { ticket { customer { ...A } } }')).toThrow(Failure);
    expect(planned('{ customer { ...Missing } }')).toThrow(Failure);
  });

  it('with a chain of thousands of fragments is refused', () => {
    const links = Array.from({ length: 5000 }, (_, index) => `fragment F${index} on Customer { ...F${index + 1} }`);
    expect(planned(`{ customer { ...F0 } } ${links.join(' ')} fragment F5000 on Customer { email }`)).toThrow(Failure);
  });

  it('that is nested hundreds deep is refused', () => {
    expect(planned(`{ customer { ${'ticket { customer { '.repeat(300)} email ${'} }'.repeat(300)} } }`)).toThrow(Failure);
    expect(planned(`{ customer { ${'... { '.repeat(500)} email ${'}'.repeat(500)} } }`)).toThrow(Failure);
  });

  it('whose fragments multiply is refused in moments', () => {
    const doubling = Array.from(
      { length: 40 },
      (_, index) =>
        `fragment F${index} on Customer { a: ticket { customer { ...F${index + 1} } } b: ticket { customer { ...F${index + 1} } } }`,
    );
    // Processor time: what else the machine does meanwhile is no matter of the plan's.
    const began = process.cpuUsage();
    expect(planned(`{ customer { ...F0 } } ${doubling.join(' ')} fragment F40 on Customer { email id }`)).toThrow(Failure);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1_000).toBeLessThan(2000);
  });

  it('whose fragments multiply below a list is planned once for each selection', () => {
    const doubling = Array.from(
      { length: 12 },
      (_, index) =>
        `fragment F${index} on Ticket { a: customer { ticket { ...F${index + 1} } } b: customer { ticket { ...F${index + 1} } } }`,
    );
    const plan = planned(`{ tickets { ...F0 } } ${doubling.join(' ')} fragment F12 on Ticket { label }`)();
    expect(plan.denials).toEqual([
      { coordinate: 'Ticket.label', reason: 'ROLE', path: ['tickets'] },
      { coordinate: 'Ticket.label', reason: 'ROLE', path: ['tickets'] },
    ]);
  });

  it('that would answer under __proto__ is refused', () => {
    expect(planned('{ customer { __proto__: email } }')).toThrow(Failure);
    expect(planned('{ customer { ...F } } fragment F on Customer { __proto__: rank }')).toThrow(Failure);
  });
});
