import type { GraphQLResolveInfo } from 'graphql';
import { CustomerType } from '../features/customers/customer.type';
import { TransactionFilterInput } from '../features/payments/payment.filter';
import { describeGraph } from '../features/schema';
import { callResolvers } from './call-resolvers';
import { fieldsOf } from './served-fields';

const resolversOf = (schema: ReturnType<typeof describeGraph>['schema']) =>
  new Map([...fieldsOf(schema)].map(({ field, coordinate }) => [coordinate, field.resolve]));

describe('methods of resolver classes', () => {
  const { schema } = describeGraph();
  const before = resolversOf(schema);
  const after = resolversOf(callResolvers(schema));
  const changed = [...before.keys()].filter((coordinate) => before.get(coordinate) !== after.get(coordinate));

  it('are called for every query and for fields, and for no mutation', () => {
    const queries = [...before.keys()].filter((coordinate) => coordinate.startsWith('Query.'));
    expect(changed.filter((coordinate) => coordinate.startsWith('Query.'))).toEqual(queries);
    expect(changed).toEqual(expect.arrayContaining(['Customer.transactions', 'Ticket.customer', 'Transaction.paymentMethod']));
    expect(changed.filter((coordinate) => coordinate.startsWith('Mutation.'))).toEqual([]);
  });

  const call = async (parent: unknown, args: object): Promise<unknown> => {
    let seen: unknown;
    const context = {
      actor: 'actor',
      access: { fields: null },
      loaders: { payments: 'loader' },
      services: { payments: { transactionsOf: (...given: unknown[]) => (seen = given) } },
    };
    await after.get('Customer.transactions')?.(parent, args, context, {} as GraphQLResolveInfo);
    return seen;
  };
  const customer = Object.create(CustomerType.prototype) as CustomerType;

  it('are given what type-graphql would give them', async () => {
    expect(await call(customer, { orderBy: 'AMOUNT', first: null })).toEqual([
      'actor',
      'loader',
      customer,
      { filter: undefined, orderBy: 'AMOUNT', first: null, after: undefined, fields: null },
    ]);
  });

  it('are given an input as the object of its class', async () => {
    const given = (await call(customer, { filter: { currency: 'EUR' }, first: 5 })) as [
      unknown,
      unknown,
      unknown,
      { filter: unknown },
    ];
    expect(given[3]).toEqual(expect.objectContaining({ first: 5, orderBy: undefined }));
    expect(given[3].filter).toBeInstanceOf(TransactionFilterInput);
    expect(given[3].filter).toEqual(expect.objectContaining({ currency: 'EUR' }));
  });

  it('are given another object than theirs as type-graphql makes it one of theirs', async () => {
    const given = (await call({ row: { id: 'cus_1' } }, {})) as unknown[];
    expect(given[2]).toBeInstanceOf(CustomerType);
  });
});
