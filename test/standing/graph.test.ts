import { readFileSync } from 'node:fs';
import {
  execute,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  isScalarType,
  parse as parseGraph,
} from 'graphql';
import { parse } from 'yaml';
import { roles } from '../../src/authz/actor';
import { ceiling, isPoliced } from '../../src/authz/classification';
import { ExposurePolicy } from '../../src/authz/exposure';
import { allRelations, describeGraph, printGraph, protectGraph } from '../../src/features/schema';
import { guardRelations } from '../../src/graphql/shield';
import { markedSchema } from '../support/marked-schema';

const { schema, classification } = describeGraph();
const objectTypes = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
);
const fields = objectTypes.flatMap((type) =>
  Object.values(type.getFields()).map((field) => ({ type, field, coordinate: `${type.name}.${field.name}` })),
);
const isRoot = (type: GraphQLObjectType): boolean => [schema.getQueryType(), schema.getMutationType()].includes(type);

const policyText = readFileSync('schema/exposure.yaml', 'utf8');
const loadedPolicy = (): ExposurePolicy => {
  const loaded = ExposurePolicy.load(policyText, classification);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.policy;
};

/** The file as a person reads it, sharing nothing with the gateway's reader but the YAML. */
const file = parse(policyText) as { fields: Record<string, Record<string, Record<string, string | Record<string, string>>>> };

describe('the graph and the policy that ship', () => {
  it('have some hundred fields to speak of', () => {
    expect(fields.length).toBeGreaterThan(100);
  });

  it('have a class for every field, and none of it SECRET', () => {
    const known = fields.filter(({ coordinate }) => classification.fields.has(coordinate)).map(({ coordinate }) => coordinate);
    expect(known).toEqual(fields.map(({ coordinate }) => coordinate));
    expect([...classification.fields.values()].filter((field) => field.class === 'SECRET')).toEqual([]);
  });

  it('have a verdict for every field, every role and every assurance, within the ceiling of its class', () => {
    const policy = loadedPolicy();
    const entries = new Map([...policy.entries()].map(({ coordinate, role, verdicts }) => [`${coordinate} ${role}`, verdicts]));
    for (const { coordinate } of fields) {
      for (const role of roles) {
        const verdicts = entries.get(`${coordinate} ${role}`);
        expect([coordinate, role, Object.keys(verdicts ?? {}).sort()]).toEqual([
          coordinate,
          role,
          ['MATCHED', 'NONE', 'VERIFIED'],
        ]);
        for (const assurance of ['VERIFIED', 'MATCHED', 'NONE'] as const) {
          const most = ceiling(classification.fields.get(coordinate)?.classes[assurance] ?? 'SECRET', role);
          const kind = verdicts?.[assurance].kind;
          if (most === 'deny') expect([coordinate, role, kind]).toEqual([coordinate, role, expect.stringMatching(/deny|omit/)]);
          if (most === 'mask') expect([coordinate, role, kind]).not.toEqual([coordinate, role, 'reveal']);
        }
      }
    }
  });

  it('name each policed field itself: no star stands for one', () => {
    const unnamed = [...classification.fields.values()]
      .filter(({ policed, typeName, fieldName }) => policed && file.fields[typeName]?.[fieldName] === undefined)
      .map(({ coordinate }) => coordinate);
    expect(unnamed).toEqual([]);
  });

  it('show no policed field to who operates the gateway', () => {
    const policy = loadedPolicy();
    const shown = [...classification.fields.values()]
      .filter(({ policed }) => policed)
      .flatMap(({ coordinate }) => Object.values(policy.verdicts(coordinate, { roles: ['ADMIN'], mfa: true })))
      .filter(({ kind }) => kind === 'reveal' || kind === 'mask');
    expect(shown).toEqual([]);
  });

  it('keep policed fields nullable, so that one can be withheld alone', () => {
    const rigid = fields.filter(
      ({ coordinate, field }) => classification.fields.get(coordinate)?.policed === true && isNonNullType(field.type),
    );
    expect(rigid.map(({ coordinate }) => coordinate)).toEqual([]);
  });

  it('have scalars of one meaning each: none whose one verdict would cover arbitrary content', () => {
    const outputs = new Set(
      fields
        .map(({ field }) => getNamedType(field.type))
        .filter(isScalarType)
        .map(({ name }) => name),
    );
    expect([...outputs].sort()).toEqual(['Boolean', 'CurrencyCode', 'DateTime', 'ID', 'Int', 'SafeInt', 'String']);
  });

  it('say of every filter by which field it narrows', () => {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isInputObjectType(type) || !type.name.endsWith('Filter')) continue;
      for (const field of Object.values(type.getFields()))
        expect(field.extensions.counterfoil).toEqual({ filters: expect.any(String) as string });
    }
  });

  it('are what schema/schema.graphql says, which is reviewed', () => {
    expect(readFileSync('schema/schema.graphql', 'utf8')).toBe(printGraph());
  });

  it('change when a class is missing: a field without one stops the start', () => {
    const broken = describeGraph();
    const email = (broken.schema.getType('Customer') as GraphQLObjectType).getFields().email;
    if (!email) throw new Error('there is an e-mail');
    email.extensions = {};
    expect(() =>
      jest
        .requireActual<typeof import('../../src/authz/classification')>('../../src/authz/classification')
        .classifySchema(broken.schema),
    ).toThrow(/Customer.email has no class/);
  });

  it('don’t start with a policed field that the policy forgot', () => {
    const loaded = ExposurePolicy.load(policyText.replace(/^ {4}phone: .*\n/m, ''), classification);
    expect(loaded).toMatchObject({ ok: false });
    expect(JSON.stringify(loaded)).toContain('Customer.phone');
  });
});

describe('the rules on relations', () => {
  const relations = allRelations();

  it('are named for every root and every field that leads to an object, and for a subject, which a stale assignment doesn’t show', () => {
    const leading = fields.filter(({ type, field }) => isRoot(type) || isCompositeType(getNamedType(field.type)));
    const named = Object.entries(relations).flatMap(([type, rules]) => Object.keys(rules).map((field) => `${type}.${field}`));
    expect(named.sort()).toEqual(
      [...leading.map(({ coordinate }) => coordinate), 'CredentialUpdate.reason', 'Ticket.subject'].sort(),
    );
  });

  it('guard what leads to a customer, to what they pay, or to what people did', () => {
    const guarded = Object.entries(relations).flatMap(([type, rules]) =>
      Object.entries(rules).flatMap(([field, rule]) => (typeof rule === 'function' ? [`${type}.${field}`] : [])),
    );
    expect(guarded.sort()).toEqual([
      'CredentialUpdate.after',
      'CredentialUpdate.before',
      'CredentialUpdate.paymentMethod',
      'CredentialUpdate.reason',
      'Customer.paymentMethods',
      'Customer.transactions',
      'Message.author',
      'Query.auditCounts',
      'Query.auditEvents',
      'Query.auditInclusionProof',
      'Query.disclosures',
      'Query.policyInForce',
      'Ticket.customer',
      'Ticket.messages',
      'Ticket.subject',
      'Transaction.paymentMethod',
    ]);
  });

  it('deny a relation and a root that nobody named', async () => {
    const graph = markedSchema(`
      type Thing { name: String @is(class: "INTERNAL") other: Thing @is(class: "INTERNAL") }
      type Query { thing: Thing @is(class: "INTERNAL") forgotten: String @is(class: "INTERNAL") }
    `);
    const guarded = guardRelations(graph, { Query: { thing: 'open' } });
    const { data, errors } = await execute({
      schema: guarded,
      document: parseGraph('{ thing { name other { name } } forgotten }'),
      rootValue: { thing: { name: 'a', other: { name: 'b' } }, forgotten: 'c' },
      contextValue: {},
    });
    expect(data).toEqual({ thing: { name: 'a', other: null }, forgotten: null });
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual(['forgotten', 'thing.other']);
  });

  it('refuse a rule for a field that isn’t there', () => {
    expect(() => guardRelations(describeGraph().schema, { Ticket: { custommer: 'open' } })).toThrow(/Ticket.custommer/);
  });
});

describe('the graph that is served', () => {
  it('lets every policed field leave through its verdict', () => {
    const plain = describeGraph();
    const before = new Map<string, unknown>(
      Object.values(plain.schema.getTypeMap()).flatMap((type) =>
        isObjectType(type)
          ? Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field.resolve] as const)
          : [],
      ),
    );
    const served = protectGraph(plain);
    const unwrapped = [...plain.classification.fields.values()]
      .filter(({ class: of, coordinate, typeName, fieldName }) => {
        const resolve = (served.getType(typeName) as GraphQLObjectType).getFields()[fieldName]?.resolve;
        return isPoliced(of) && (resolve === undefined || resolve === before.get(coordinate));
      })
      .map(({ coordinate }) => coordinate);
    expect(unwrapped).toEqual([]);
  });
});
