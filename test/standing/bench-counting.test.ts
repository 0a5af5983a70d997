import { countersOf, excessOfRaw, least, minus, perRequest, perSecond } from '../../bench/counters';
import { checkAnswer, compareAnswers } from '../../bench/queries';
import { lastLine, type Outcome, ratioByProcessor, ratioOf, tableOf } from '../../bench/results';

const counters = (bytesRead: number, bytesWritten: number, statements: number) => ({ bytesRead, bytesWritten, statements });

describe('what is counted at MariaDB', () => {
  test('the counters are those of a user, and one that is missing is an error', () => {
    const row = { BYTES_SENT: '10', BYTES_RECEIVED: 20, SELECT_COMMANDS: 3, UPDATE_COMMANDS: 2, OTHER_COMMANDS: 1 };
    expect(countersOf(row)).toEqual(counters(10, 20, 6));
    expect(() => countersOf({ ...row, OTHER_COMMANDS: undefined })).toThrow('OTHER_COMMANDS');
    expect(() => countersOf(undefined)).toThrow('BYTES_SENT');
  });

  test('a request doesn’t account for what runs by itself', () => {
    const idle = perSecond(counters(400, 40, 2), 2);
    expect(idle).toEqual(counters(200, 20, 1));
    expect(least([counters(200, 20, 5), counters(300, 10, 1)])).toEqual(counters(200, 10, 1));
    // Ten requests of 1,000, 300 and 5 in four seconds.
    const counted = minus(counters(110_800, 13_080, 1_054), counters(100_000, 10_000, 1_000));
    expect(perRequest(counted, idle, { requests: 10, seconds: 4 })).toEqual(counters(1_000, 300, 5));
  });

  test.each([
    ['context', 10_400, 5, null],
    ['context', 10_401, 5, 'reads 10401 bytes'],
    ['context', 9_000, 5.2, '5.20 statements'],
    ['queue', 75_000, 3, null],
    ['queue', 75_001, 3, 'reads 75001 bytes'],
    ['queue', Number.NaN, 3, 'reads NaN bytes'],
    ['context', 9_000, Number.NaN, 'NaN statements'],
  ] as const)('raw with %s, %d bytes and %d statements: %s', (query, bytesRead, statements, excess) => {
    const found = excessOfRaw(query, { bytesRead, statements });
    if (excess === null) expect(found).toBeNull();
    else expect(found).toContain(excess);
  });
});

describe('what a run ends with', () => {
  const outcome = (perSecond: number, p99: number, counted: Outcome['counted'] = counters(10_000, 2_000, 5)): Outcome => ({
    ...{ requests: perSecond * 3, seconds: 3, perSecond, p50: 1, p99 },
    ...{ serverTime: 1.5, databaseTime: Number.NaN, counted },
  });
  const rounds = (...rates: readonly number[]) => rates.map((rate) => outcome(rate, 10_000 / rate));
  const outcomes = {
    context: { raw: rounds(1_000, 800, 900), counterfoil: rounds(450, 500, 400) },
    queue: { raw: rounds(100, 100, 100), counterfoil: rounds(150, 151, 149) },
  };

  test('a ratio is of the medians, its spread of the rounds', () => {
    expect(ratioOf(outcomes.context.counterfoil, outcomes.context.raw)).toEqual({ ratio: 0.5, least: 400 / 900, most: 0.625 });
  });

  test('the ratio by processor is of a request’s time in the server and in MariaDB, which is one process of an embedded database', () => {
    const used = (serverTime: number, databaseTime: number) => [{ ...outcome(100, 1), serverTime, databaseTime }];
    expect(ratioByProcessor(used(3, 1), used(0.5, 0.5))).toBe(0.25);
    expect(ratioByProcessor(used(3, Number.NaN), used(1.5, Number.NaN))).toBe(0.5);
  });

  test('the last line is our rate over each other one, and the 99th percentile of every one', () => {
    expect(JSON.parse(lastLine(outcomes, ['raw', 'counterfoil']))).toEqual({
      ratios: { context: { raw: 0.5 }, queue: { raw: 1.5 } },
      p99: { context: { raw: 11.1, counterfoil: 22.2 }, queue: { raw: 100, counterfoil: 66.7 } },
    });
  });

  test('the table has a line for each contender and query, and no bytes where nobody counted them', () => {
    const table = tableOf({ ...outcomes, queue: { ...outcomes.queue, raw: [outcome(100, 5, null)] } }, ['raw', 'counterfoil']);
    const lines = table.split('\n').map((line) => line.split(/\s+/));
    expect(lines[1]).toEqual([
      'context',
      'raw',
      '900',
      '800–1000',
      '1.00',
      '11.11',
      '1.50',
      '–',
      '10.0',
      '2.0',
      '5.00',
      '0.50',
      '0.44–0.63',
      '1.00',
    ]);
    expect(lines[2]?.slice(0, 3)).toEqual(['context', 'counterfoil', '450']);
    expect(lines[3]?.slice(8, 11)).toEqual(['–', '–', '–']);
    expect(lines).toHaveLength(5);
  });
});

describe('what the contenders answer', () => {
  const answer = (email: string, id = 'cus_1') =>
    JSON.stringify({ data: { ticketByReference: { id: 'tkt_1', customer: { id, email, displayName: 'Ada' } } } });

  test('an unprotected server answers to the letter, a protected one but for what it masks', () => {
    expect(() => compareAnswers('context', answer('a@b.example'), answer('a@b.example'), false)).not.toThrow();
    expect(() => compareAnswers('context', answer('a@b.example'), answer('c@b.example'), false)).toThrow('answer differently');
    expect(() => compareAnswers('context', answer('a@b.example'), answer('a•••@b•••'), true)).not.toThrow();
    expect(() => compareAnswers('context', answer('a@b.example'), answer('a•••@b•••', 'cus_2'), true)).toThrow('cus_1');
    expect(() => compareAnswers('context', answer('a@b.example'), `${answer('a@b.example')} `, true)).toThrow('masks');
  });

  test('an answer that lacks something is none', () => {
    expect(() => checkAnswer('context', answer('a@b.example'), '1')).toThrow('lacks something');
  });
});
