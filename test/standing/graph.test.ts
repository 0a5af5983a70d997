import { readFileSync } from 'node:fs';
import {
  execute,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  isScalarType,
  parse as parseGraph,
} from 'graphql';
import { buildSchemaSync, FieldResolver, InterfaceType, ObjectType, Query, Resolver } from 'type-graphql';
import { parse } from 'yaml';
import { roles } from '../../src/authz/actor';
import { ceiling, isPoliced } from '../../src/authz/policy/classification';
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import { searchedFor } from '../../src/authz/policy/marks';
import { describeGraph, printGraph, protectGraph } from '../../src/features/schema';
import { Classified, Exposed } from '../../src/graphql/decorators';
import { type GuardError, Guarded, guardFields, guardsOf, open } from '../../src/graphql/guarded';
import { requireListMarks } from '../../src/graphql/listed';
import { markedSchema } from '../support/marked-schema';

const { schema, classification, guards } = describeGraph();
const objectTypes = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
);
const fields = objectTypes.flatMap((type) =>
  Object.values(type.getFields()).map((field) => ({ type, field, coordinate: `${type.name}.${field.name}` })),
);
const isRoot = (type: GraphQLObjectType): boolean => [schema.getQueryType(), schema.getMutationType()].includes(type);
/** Root fields, and fields with a resolver or method of their own, as the slices declare them. */
const resolved = fields.filter(
  ({ type, field }) => isRoot(type) || (field.resolve !== undefined && field.extensions.isGetter !== true),
);

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
          const most = ceiling(classification.fields.get(coordinate)?.classes[assurance] ?? 'SECRET', role, assurance);
          const kind = verdicts?.[assurance].kind;
          if (most === 'deny') expect([coordinate, role, kind]).toEqual([coordinate, role, expect.stringMatching(/deny|omit/)]);
          if (most === 'omit') expect([coordinate, role, kind]).toEqual([coordinate, role, expect.stringMatching(/deny|omit/)]);
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
    expect([...outputs].sort()).toEqual(['Boolean', 'CurrencyCode', 'DateTime', 'Float', 'ID', 'Int', 'SafeInt', 'String']);
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

  it('change when a maximum is missing: a list without one stops the start, as a maximum beside what is no list', () => {
    const broken = describeGraph().schema;
    fieldOf(broken, 'Ticket.credentialUpdates').extensions = {};
    fieldOf(broken, 'Ticket.id').extensions = { listed: { most: 1 } };
    expect(() => requireListMarks(broken)).toThrow(/Ticket.credentialUpdates has no maximum/);
    expect(() => requireListMarks(broken)).toThrow(/Ticket.id is no list/);
    expect(() => requireListMarks(describeGraph().schema)).not.toThrow();
  });

  it('change when a class is missing: a field without one stops the start', () => {
    const broken = describeGraph();
    const email = (broken.schema.getType('Customer') as GraphQLObjectType).getFields().email;
    if (!email) throw new Error('there is an e-mail');
    email.extensions = {};
    expect(() =>
      jest
        .requireActual<typeof import('../../src/authz/policy/classify-schema')>('../../src/authz/policy/classify-schema')
        .classifySchema(broken.schema),
    ).toThrow(/Customer.email has no class/);
  });

  it('don’t start with a policed field that the policy forgot', () => {
    const loaded = ExposurePolicy.load(policyText.replace(/^ {4}phone: .*\n/m, ''), classification);
    expect(loaded).toMatchObject({ ok: false });
    expect(JSON.stringify(loaded)).toContain('Customer.phone');
  });
});

const fieldOf = (of: GraphQLSchema, coordinate: string): GraphQLField<unknown, unknown> => {
  const [type = '', name = ''] = coordinate.split('.');
  const field = (of.getType(type) as GraphQLObjectType | GraphQLInterfaceType).getFields()[name];
  if (!field) throw new Error(`there is no ${coordinate}`);
  return field;
};

describe('the rules beside resolvers', () => {
  const ruleBeside = (field: GraphQLField<unknown, unknown>): unknown => field.extensions.guard;

  it('stand beside every root field and every field with a resolver of its own, and their classes with them', () => {
    expect(resolved.length).toBeGreaterThan(30);
    expect(resolved.map(({ coordinate }) => coordinate)).toEqual(
      expect.arrayContaining(['Mutation.endAssistance', 'Query.viewer', 'Customer.transactions', 'Approval.by']),
    );
    expect(resolved.filter(({ field }) => typeof ruleBeside(field) !== 'function').map(({ coordinate }) => coordinate)).toEqual(
      [],
    );
    expect(resolved.filter(({ field }) => !field.extensions.counterfoil).map(({ coordinate }) => coordinate)).toEqual([]);
  });

  it('are those that fields are guarded by, in a tree that has every field', () => {
    expect([...guards.keys()].sort()).toEqual(fields.map(({ coordinate }) => coordinate).sort());
    for (const [coordinate, rule] of guards)
      expect([coordinate, rule]).toEqual([coordinate, ruleBeside(fieldOf(schema, coordinate)) ?? open]);
  });

  it('guard what leads to a customer, to what they pay, or to what people did', () => {
    const guarded = [...guards].filter(([, rule]) => rule !== open).map(([coordinate]) => coordinate);
    expect(guarded.sort()).toEqual([
      'Alert.customer',
      'Alert.guidance',
      'Alert.holds',
      'Alert.note',
      'Alert.reasons',
      'Alert.resolution',
      'Alert.rule',
      'Alert.severity',
      'AlertReason.transaction',
      'Approval.reason',
      'Assistance.earlier',
      'Assistance.link',
      'Confirmation.demandId',
      'Confirmation.proofs',
      'CredentialUpdate.after',
      'CredentialUpdate.before',
      'CredentialUpdate.failure',
      'CredentialUpdate.needsApproval',
      'CredentialUpdate.needsCode',
      'CredentialUpdate.paymentMethod',
      'CredentialUpdate.reason',
      'CredentialUpdate.riskRules',
      'CredentialUpdateTransition.reason',
      'Customer.paymentMethods',
      'Customer.transactions',
      'Hold.cause',
      'Hold.effects',
      'Hold.moneyAtRisk',
      'Hold.reason',
      'HoldSubject.customer',
      'HoldSubject.customers',
      'HoldSubject.transaction',
      'HoldTransition.reason',
      'Message.author',
      'PaymentMethod.updates',
      'Query.alerts',
      'Query.auditActors',
      'Query.auditCounts',
      'Query.auditEvents',
      'Query.auditInclusionProof',
      'Query.auditReport',
      'Query.brakes',
      'Query.decisionTrail',
      'Query.disclosures',
      'Query.holds',
      'Query.lastExamination',
      'Query.policyDiff',
      'Query.policyInForce',
      'Query.policyVersions',
      'Query.riskRules',
      'Query.webhookDeliveries',
      'Recognition.hold',
      'Recognition.transaction',
      'Subscription.alerts',
      'Ticket.alerts',
      'Ticket.createdBy',
      'Ticket.credentialUpdates',
      'Ticket.customer',
      'Ticket.customerSetBy',
      'Ticket.holds',
      'Ticket.messages',
      'Ticket.recognitions',
      'Ticket.subject',
      'Transaction.paymentMethod',
    ]);
  });

  const described = describeGraph().schema;
  it.each(resolved.map(({ coordinate }) => coordinate))('stop the start where %s has none, and name it', (coordinate) => {
    const field = fieldOf(described, coordinate);
    const { extensions } = field;
    field.extensions = { ...extensions, guard: undefined };
    expect(() => guardsOf(described)).toThrow(`- ${coordinate} has no rule: put @Guarded(rule) beside its resolver.`);
    field.extensions = extensions;
  });

  it('are all asked for in one start', () => {
    const graph = markedSchema('type Query { one: String two: String } type Mutation { three: String }');
    expect(() => guardsOf(graph)).toThrow(/Query\.one has no rule.*Query\.two has no rule.*Mutation\.three has no rule/s);
  });

  it('are asked for where a resolver takes the place of what its object had', () => {
    @ObjectType({ simpleResolvers: true })
    class Thing {
      @Exposed('INTERNAL', () => String)
      property!: string;

      @Exposed('INTERNAL', () => String)
      get getter(): string {
        return 'read';
      }

      @Exposed('INTERNAL', () => String)
      method(): string {
        return 'worked out';
      }

      @Exposed('INTERNAL', () => String)
      plain!: string;
    }
    @Resolver(() => Thing)
    class Things {
      @Query(() => Thing)
      @Classified('INTERNAL')
      @Guarded(open)
      thing(): Thing {
        return new Thing();
      }

      @FieldResolver(() => String)
      property(): string {
        return 'looked up';
      }

      @FieldResolver(() => String)
      @Classified('INTERNAL')
      plain(): string {
        return 'looked up';
      }
    }
    const names = (): readonly string[] => {
      try {
        guardsOf(buildSchemaSync({ resolvers: [Things], validate: false }));
        return [];
      } catch (error) {
        return (error as GuardError).problems.map((problem) => problem.split(' ')[0] as string);
      }
    };
    expect(names()).toEqual(['Thing.property', 'Thing.method', 'Thing.plain']);
  });

  it('let a part without a resolver of its own be followed: its fields have verdicts', () => {
    const parts = fields.filter((each) => !resolved.includes(each) && isCompositeType(getNamedType(each.field.type)));
    const closed = parts.map(({ coordinate }) => coordinate).filter((coordinate) => guards.get(coordinate) !== open);
    expect(parts.map(({ coordinate }) => coordinate)).toContain('Transaction.amount');
    expect(closed.sort()).toEqual(['CredentialUpdate.after', 'CredentialUpdate.before']);
  });

  it('of an interface hold on each of its types, and a type without its interface’s rule is refused by name', () => {
    const rule = () => 'ROLE' as const;
    const only = describeGraph().schema;
    const guardBy = (coordinate: string): void => {
      const field = fieldOf(only, coordinate);
      field.extensions = { ...field.extensions, guard: rule };
    };
    guardBy('MessageAuthor.displayName');
    expect(() => guardsOf(only)).toThrow(/StaffAuthor\.displayName doesn't have the rule of MessageAuthor\.displayName/);
    for (const { name } of only.getPossibleTypes(only.getType('MessageAuthor') as GraphQLInterfaceType))
      guardBy(`${name}.displayName`);
    expect(guardsOf(only).get('StaffAuthor.displayName')).toBe(rule);
  });

  it('written on an interface are written on its types', () => {
    const never = () => 'ROLE' as const;
    @InterfaceType()
    abstract class Named {
      @Exposed('INTERNAL', () => String)
      @Guarded(never)
      get name(): string {
        return 'a name';
      }
    }
    @ObjectType({ implements: Named, simpleResolvers: true })
    class Somebody extends Named {}
    @Resolver()
    class Somebodies {
      @Query(() => Somebody)
      @Classified('INTERNAL')
      @Guarded(open)
      somebody(): Somebody {
        return new Somebody();
      }
    }
    expect(guardsOf(buildSchemaSync({ resolvers: [Somebodies], validate: false })).get('Somebody.name')).toBe(never);
  });

  it('deny what has none, should one come this far', async () => {
    const graph = markedSchema(`
      type Thing { name: String @is(class: "INTERNAL") other: Thing @is(class: "INTERNAL") }
      type Query { thing: Thing @is(class: "INTERNAL") forgotten: String @is(class: "INTERNAL") }
    `);
    const guarded = guardFields(
      graph,
      new Map([
        ['Query.thing', open],
        ['Thing.name', open],
      ]),
    );
    const { data, errors } = await execute({
      schema: guarded,
      document: parseGraph('{ thing { name other { name } } forgotten }'),
      rootValue: { thing: { name: 'a', other: { name: 'b' } }, forgotten: 'c' },
      contextValue: {},
    });
    expect(data).toEqual({ thing: { name: 'a', other: null }, forgotten: null });
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual(['forgotten', 'thing.other']);
  });

  it('answer for each row by itself', async () => {
    const graph = markedSchema(`
      type Thing { name: String @is(class: "INTERNAL") }
      type Query { things: [Thing] @is(class: "INTERNAL") }
    `);
    const isFirst = (_: unknown, thing: { name: string }) => (thing.name === 'first' ? null : ('ROLE' as const));
    const guarded = guardFields(
      graph,
      new Map<string, typeof isFirst | typeof open>([
        ['Query.things', open],
        ['Thing.name', isFirst],
      ]),
    );
    const { data } = await execute({
      schema: guarded,
      document: parseGraph('{ things { name } }'),
      rootValue: { things: [{ name: 'first' }, { name: 'second' }, { name: 'first' }] },
      contextValue: {},
    });
    expect(data).toEqual({ things: [{ name: 'first' }, { name: null }, { name: 'first' }] });
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

describe('a text that says of whom it is', () => {
  it('is free text unless it says otherwise: these do, and contacts in all others are masked as in their own fields', () => {
    const texts = fields.filter(
      ({ coordinate, field }) => getNamedType(field.type).name === 'String' && classification.fields.get(coordinate)?.policed,
    );
    const declared = texts.flatMap(({ coordinate, field }) =>
      searchedFor(field) === 'EVERYTHING' ? [] : `${coordinate} ${(field.extensions.counterfoil as { holds: string }).holds}`,
    );
    expect(declared.sort()).toEqual([
      'Address.postalCode VALUE',
      'CredentialSummary.last4 VALUE',
      'Customer.email VALUE',
      'Customer.phone VALUE',
      'Message.body CONVERSATION',
      'Order.reference REFERENCE',
      'PaymentMethod.last4 VALUE',
      'Transaction.reference VALUE',
    ]);
    for (const coordinate of ['Customer.displayName', 'Ticket.subject', 'Order.description', 'Assistance.reason'])
      expect(texts.some((text) => text.coordinate === coordinate)).toBe(true);
  });

  it('masks by fields that there are', () => {
    for (const coordinate of ['Customer.email', 'Customer.phone', 'PaymentMethod.last4'])
      expect(classification.fields.get(coordinate)?.policed).toBe(true);
  });
});
