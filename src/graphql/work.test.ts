import { buildSchema, execute, type GraphQLObjectType, parse } from 'graphql';
import { paceFields } from './pace-fields';
import { nextTurn, Work } from './work';

const limits = { objects: 10_000, answerBytes: 1_000 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the work of an operation', () => {
  test('is over past any of its bounds, and says which', () => {
    const past = (spend: (work: Work) => void): string | null => {
      const work = new Work(limits);
      spend(work);
      return work.over?.code === 'RATE_LIMITED' ? work.over.message : null;
    };
    expect(past((work) => work.addObjects(10_000))).toBeNull();
    expect(past((work) => work.addObjects(10_001))).toMatch(/10000 objects/);
    expect(past((work) => work.addText('x'.repeat(1_000)))).toBeNull();
    expect(past((work) => work.addText('x'.repeat(1_001)))).toMatch(/1000 bytes of answer/);
    expect(past((work) => work.addRead(4_001))).toMatch(/4000 bytes of texts read/);
  });

  test('waits once it is large, three at a time go on, and one that ends lets the next one in', async () => {
    const works = Array.from({ length: 5 }, () => new Work(limits));
    const going = new Set<number>();
    for (const [at, work] of works.entries()) {
      expect(work.mustWait).toBe(false);
      work.addObjects(2_001);
      expect(work.mustWait).toBe(true);
      void work.turn().then(() => going.add(at));
    }
    for (let time = 0; time < 10; time += 1) await turn();
    expect([...going]).toEqual([0, 1, 2]);
    works[0]?.end();
    for (let time = 0; time < 10; time += 1) await turn();
    expect([...going]).toEqual([0, 1, 2, 3]);
    // One that ends while it waits keeps no place.
    works[4]?.end();
    for (const work of works) work.end();
    const next = new Work(limits);
    next.addObjects(2_001);
    await next.turn();
    next.end();
  });

  test('gives each turn to one that waits, in their order', async () => {
    const order: string[] = [];
    void nextTurn().then(() => order.push('one'));
    void nextTurn().then(() => order.push('two'));
    setImmediate(() => order.push('somebody else'));
    for (let time = 0; time < 5; time += 1) await turn();
    expect(order).toEqual(['one', 'somebody else', 'two']);
  });
});

describe('fields that are paced', () => {
  const schema = buildSchema('type Query { list: [Item!]! } type Item { id: ID name: String parts: [String!] }');
  const mark = (type: string, field: string, most: number) => {
    const own = (schema.getType(type) as GraphQLObjectType).getFields()[field];
    if (own) own.extensions = { listed: { most } };
  };
  mark('Query', 'list', 50);
  mark('Item', 'parts', 3);
  paceFields(schema);
  const run = (list: unknown, work = new Work(limits)) =>
    execute({ schema, document: parse('{ list { id parts } }'), rootValue: { list }, contextValue: { access: { work } } });
  const items = (length: number, parts = ['x']) => Array.from({ length }, (_, id) => ({ id, parts }));

  test('a list that is longer than it declares is a fault, and none of it leaves', async () => {
    expect(await run(items(50))).not.toHaveProperty('errors');
    const { data, errors } = await run(items(51));
    expect([data, errors?.[0]?.originalError?.message]).toEqual([null, 'Query.list has 51 items and declares 50 at most.']);
    const inner = await run(items(1, ['a', 'b', 'c', 'd']));
    expect([inner.data, inner.errors?.length]).toEqual([{ list: [{ id: '0', parts: null }] }, 1]);
  });

  test('of many root fields four begin at once, and each of the others when the one before has its rows', async () => {
    let under = 0;
    let most = 0;
    let made = 0;
    const list = async () => {
      under += 1;
      most = Math.max(most, under);
      await turn();
      under -= 1;
      made += 1;
      if (made === 10) throw new Error('one that fails keeps none of the others');
      return items(1);
    };
    const query = `{ ${Array.from({ length: 20 }, (_, at) => `a${at}: list { id }`).join(' ')} }`;
    const contextValue = { access: { work: new Work(limits) } };
    const { errors } = await execute({ schema, document: parse(query), rootValue: { list }, contextValue });
    // The answer is one error by then.
    for (let time = 0; time < 100 && made < 20; time += 1) await turn();
    expect([most, made, errors?.length]).toEqual([5, 20, 1]);
  });

  test('root fields that are answered while nobody else is heard give way to others', async () => {
    let heard = 0;
    let isDone = false;
    const listen = (): void => {
      heard += 1;
      if (!isDone) setImmediate(listen);
    };
    const list = () => {
      for (const until = performance.now() + 5; performance.now() < until; ) Math.sqrt(2);
      return items(1);
    };
    setImmediate(listen);
    const query = `{ ${Array.from({ length: 40 }, (_, at) => `a${at}: list { id }`).join(' ')} }`;
    const contextValue = { access: { work: new Work(limits) } };
    await execute({ schema, document: parse(query), rootValue: { list }, contextValue });
    isDone = true;
    expect(heard).toBeGreaterThan(10);
  });

  test('nothing more is made once the work is over', async () => {
    const work = new Work({ objects: 20, answerBytes: 1_000 });
    expect(await run(items(21), work)).toEqual({ data: { list: [] } });
    expect(work.over?.code).toBe('RATE_LIMITED');
  });
});
