import { type GraphQLObjectType, type GraphQLOutputType, getNamedType, isInterfaceType, isLeafType, isObjectType } from 'graphql';
import { Selection } from '../../src/db/table';
import { servedGraph } from '../../src/features/schema';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, Updates } from '../support/credentials';

/** A policy by which an agent gets whatever can be got of payments. */
const policy = policyWith(
  ['score: { SUPERVISOR', 'score: { AGENT: reveal, SUPERVISOR'],
  ['signals: { SUPERVISOR', 'signals: { AGENT: reveal, SUPERVISOR'],
  ['token: { AGENT: omit', 'token: { AGENT: reveal'],
  ['line1: { AGENT: omit', 'line1: { AGENT: "mask:initial"'],
  ['line2: { AGENT: omit', 'line2: { AGENT: "mask:initial"'],
);

/** Root fields that lead to rows, and what each is asked for. */
const rootsOf = ({ reference, ticketId, customerId }: Case, ids: { transaction: string; update: string }) => ({
  ticketByReference: `source: "demo", reference: "${reference}"`,
  ticket: `id: "${ticketId}"`,
  tickets: 'first: 4',
  customer: `id: "${customerId}"`,
  transaction: `id: "${ids.transaction}"`,
  credentialUpdate: `id: "${ids.update}"`,
  credentialUpdates: 'first: 4',
});

/** Types on the way to a leaf. What leads on from a ticket is the same whichever root led to it. */
const deepestBelow: Readonly<Record<string, number>> = { ticketByReference: 6 };

/** A selection of one leaf: the fields on the way to it, with the types that they are on. */
type Way = readonly { readonly field: string; readonly on: string | null; readonly arguments: string }[];

const listed = new Set(['messages', 'transactions']);

/** Each leaf that can be selected below a type, without going through a type twice, nor beyond `deepest` of them. */
const waysBelow = (type: GraphQLObjectType, passed: readonly string[], deepest: number): Way[] => {
  const { schema } = servedGraph();
  return Object.values(type.getFields()).flatMap((field): Way[] => {
    const named = getNamedType(field.type);
    const step = { field: field.name, on: type.name, arguments: listed.has(field.name) ? '(first: 3)' : '' };
    if (isLeafType(named)) return [[step]];
    if (passed.length >= deepest || passed.includes(named.name)) return [];
    const within = isObjectType(named) ? [named] : isInterfaceType(named) ? schema.getImplementations(named).objects : [];
    return within.flatMap((each) => waysBelow(each, [...passed, named.name], deepest).map((way): Way => [step, ...way]));
  });
};

const textOf = (way: Way): string =>
  way.reduceRight(
    (inner, step) => `... on ${step.on} { ${step.field}${step.arguments} ${inner === '' ? '' : `{ ${inner} }`} }`,
    '',
  );

/** Sealed anew each time. */
const cursors = new Set(['cursor', 'startCursor', 'endCursor']);
const comparable = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, each: unknown) => (cursors.has(key) && each !== null ? 'a cursor' : each)));

describe('what is read for an operation', () => {
  let test: TestApp;
  let roots: ReturnType<typeof rootsOf>;
  let selections: { readonly root: string; readonly text: string }[];
  beforeAll(async () => {
    test = await TestApp.start({ policy });
    const updates = new Updates(test);
    const of = await updates.next();
    const { id } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const { data } = await test.as('ana', 'query ($id: ID!) { customer(id: $id) { transactions { nodes { id } } } }', {
      id: of.customerId,
    });
    roots = rootsOf(of, { transaction: data.customer.transactions.nodes[0].id as string, update: id });
    const fields = servedGraph().schema.getQueryType()?.getFields() ?? {};
    selections = Object.keys(roots).flatMap((root) => {
      const type = getNamedType(fields[root]?.type as GraphQLOutputType) as GraphQLObjectType;
      // Of those that end alike the shortest.
      const shortest = new Map<string, Way>();
      for (const way of waysBelow(type, [type.name], deepestBelow[root] ?? 2)) {
        const end = way.slice(-2).map(({ on, field }) => `${on}.${field}`);
        const known = shortest.get(end.join(' '));
        if (!known || way.length < known.length) shortest.set(end.join(' '), way);
      }
      return [...shortest.values()].map((way) => ({ root, text: textOf(way) }));
    });
  });
  afterAll(() => test.stop());

  const ask = async (query: string) => comparable(told(await test.as('ana', query)));
  const askedWhole = async (query: string) => {
    const narrowing = jest.spyOn(Selection.prototype, 'for').mockImplementation(function (this: Selection<object>) {
      return this;
    });
    try {
      return await ask(query);
    } finally {
      narrowing.mockRestore();
    }
  };
  const part = ({ root, text }: { readonly root: string; readonly text: string }, alias = root): string =>
    `${alias}: ${root}(${roots[root as keyof typeof roots]}) { ${text} }`;

  it('answers each field by itself as if everything had been read', async () => {
    expect(selections.length).toBeGreaterThan(200);
    for (const selection of selections) {
      const query = `{ ${part(selection)} }`;
      const answer = await ask(query);
      expect([query, answer]).toEqual([query, await askedWhole(query)]);
      expect([query, JSON.stringify(answer)]).toEqual([query, expect.not.stringMatching(/INTERNAL/)]);
    }
  });

  it('answers pairs of fields under aliases as if everything had been read', async () => {
    // Of each four one, beside one that is far from it.
    for (const [index, one] of selections.entries()) {
      if (index % 4 !== 0) continue;
      const other = selections[(index * 7 + 311) % selections.length] as (typeof selections)[number];
      const query = `{ ${part(one, 'a')} ${part(other, 'b')} }`;
      expect([query, await ask(query)]).toEqual([query, await askedWhole(query)]);
    }
  });

  it('is less where less is asked for: nothing sealed but what is shown, and no key for what isn’t opened', async () => {
    const statementsOf = async (query: string): Promise<string> => {
      const before = test.statements.length;
      expect((await ask(query)) as object).toMatchObject({ errors: [] });
      return test.statements.slice(before).join('\n');
    };
    const outline = await statementsOf(
      `{ ${part({ root: 'ticketByReference', text: 'customer { transactions(first: 3) { nodes { id status } } paymentMethods { brand } } messages(first: 3) { nodes { id channel } }' })} }`,
    );
    expect(outline.match(/\w+_sealed/g) ?? []).toEqual(['phone_sealed']);
    expect(outline.match(/k\.wrapped/g)).toHaveLength(1);
    const details = await statementsOf(
      `{ ${part({ root: 'ticketByReference', text: 'subject customer { paymentMethods { billingAddress { city } } transactions(first: 3) { nodes { order { description } } } } messages(first: 3) { nodes { body } }' })} }`,
    );
    expect([...new Set(details.match(/\w+_sealed/g))].sort()).toEqual([
      'billing_address_sealed',
      'body_sealed',
      'order_description_sealed',
      'phone_sealed',
      'subject_sealed',
    ]);
    // Once with the ticket, whose customer and messages it is for; and once for the payment side.
    expect(details.match(/k\.wrapped/g)).toHaveLength(2);
  });
});
