import { createHash } from 'node:crypto';
import type { StreamSettings } from '../../bench/stream/acts';
import { generate } from '../../bench/stream/generate';
import type { Labels } from '../../bench/stream/labels';
import { misses, ratiosOf, rulesOf, textOf } from '../../bench/stream/report';
import { score, type Verdict, verdictIn } from '../../bench/stream/score';
import { signalSchema, signalTypes } from '../../src/risk/signal';
import { filesUnder, importsIn, textOf as sourceOf } from '../support/source-files';

interface Line {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly subjects: Readonly<Record<string, string>>;
  readonly facts?: Readonly<Record<string, unknown>>;
}

const streamOf = (settings: StreamSettings): { lines: string[]; labels: Labels } => {
  const lines: string[] = [];
  const stream = generate(settings);
  for (;;) {
    const day = stream.next();
    if (day.done) return { lines, labels: day.value };
    lines.push(...day.value);
  }
};
const digestOf = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex');
const nameOf = ({ source, id }: Pick<Line, 'source' | 'id'>): string => `${source}/${id}`;

describe('the labelled stream is by another hand than the rules', () => {
  const files = ['bench/stream.ts', ...filesUnder('bench/stream')];
  const foreign = (file: string, text: string): string[] =>
    importsIn(file, text).filter((path) => !path.startsWith('bench/stream/'));

  test('it imports nothing but itself, so nothing of the rules', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => foreign(file, sourceOf(file)))).toEqual([]);
    expect(foreign('bench/stream/acts.ts', "import { signalTypes } from '../../src/risk/signal';")).toEqual(['src/risk/signal']);
  });

  test('nothing that is served imports it', () => {
    const importing = filesUnder('src').filter((file) =>
      importsIn(file, sourceOf(file)).some((path) => path.startsWith('bench/')),
    );
    expect(importing).toEqual([]);
  });
});

describe('a stream', () => {
  const settings: StreamSettings = { seed: 6, customers: 2_000, warmUpDays: 14, scoredDays: 42, times: 10 };
  const { lines, labels } = streamOf(settings);
  const told = lines.map((line) => JSON.parse(line) as Line);
  const first = new Map<string, { line: Line; index: number }>();
  told.forEach((line, index) => {
    if (!first.has(nameOf(line))) first.set(nameOf(line), { line, index });
  });
  const signals = [...first.values()].map(({ line }) => line);
  const ofCampaigns = new Set(labels.campaigns.flatMap((campaign) => campaign.signals.map(({ name }) => name)));
  const innocent = signals.filter((line) => !ofCampaigns.has(nameOf(line)));
  /** What happened a day and 10,000 customers, over the whole stream. */
  const perDay = (count: number): number => count / (settings.warmUpDays + settings.scoredDays) / (settings.customers / 10_000);

  test('is the same for the same seed, and another for another', () => {
    const short = { ...settings, warmUpDays: 3, scoredDays: 12 };
    const once = streamOf(short);
    const again = streamOf(short);
    expect(digestOf(again.lines)).toBe(digestOf(once.lines));
    expect(again.labels).toEqual(once.labels);
    expect(digestOf(streamOf({ ...short, seed: 7 }).lines)).not.toBe(digestOf(once.lines));
  });

  test('is of signals as a sender words them, of types that rules know', () => {
    const wrong = told.filter((line) => !signalSchema.safeParse(line).success);
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(
      [...new Set(told.map(({ type }) => type))].filter((type) => !(signalTypes as readonly string[]).includes(type)),
    ).toEqual([]);
  });

  test('tells some twice and the same again, some late and some out of order', () => {
    const again = told.filter((line, index) => first.get(nameOf(line))?.index !== index);
    expect(again.length / signals.length).toBeGreaterThan(0.006);
    expect(again.length / signals.length).toBeLessThan(0.02);
    for (const line of again) expect(line).toEqual(first.get(nameOf(line))?.line);
    let newest = 0;
    let [behind, late] = [0, 0];
    for (const { occurredAt } of signals) {
      const at = Date.parse(occurredAt);
      if (at < newest) behind += 1;
      if (at < newest - 3_600_000) late += 1;
      newest = Math.max(newest, at);
    }
    expect(behind / signals.length).toBeGreaterThan(0.01);
    expect(late).toBeGreaterThan(10);
    expect(late / signals.length).toBeLessThan(0.05);
  });

  test('has labels of lines that are there, and each line of at most one', () => {
    const labelled = [
      ...labels.lookAlikes.flatMap((each) => each.signals),
      ...labels.campaigns.flatMap((each) => each.signals.map(({ name }) => name)),
    ];
    expect(labelled.filter((name) => !first.has(name))).toEqual([]);
    expect(new Set(labelled).size).toBe(labelled.length);
    for (const { signals: own, successes } of labels.campaigns) {
      for (const { name, occurredAt, arrivedAt } of own) {
        expect(Date.parse(first.get(name)?.line.occurredAt ?? '')).toBe(occurredAt);
        expect(arrivedAt).toBeGreaterThanOrEqual(occurredAt);
        expect(occurredAt).toBeGreaterThanOrEqual(labels.scoredFrom);
      }
      expect([...successes].sort((a, b) => a - b)).toEqual(successes);
    }
  });

  test('has payments as successes where a campaign is about payments', () => {
    const payments = labels.campaigns.filter(({ kind }) =>
      /card testing|domain|decline|volume|retries|recovery|change/.test(kind),
    );
    expect(payments.length).toBeGreaterThan(2);
    for (const { successes, signals: own } of payments) {
      const paid = own.filter(({ name }) => first.get(name)?.line.type === 'payment.attempt.succeeded');
      expect(paid.map(({ occurredAt }) => occurredAt).sort((a, b) => a - b)).toEqual(successes);
    }
  });

  // Ten times what is declared for a day and 10,000 customers.
  test.each([
    ['recoveries', 100, (line: Line) => line.type === 'account.recovery'],
    ['changes of a card', 200, (line: Line) => line.type === 'credential.changed' && line.facts?.change === 'card'],
    [
      'changes of an address',
      50,
      (line: Line) => line.type === 'credential.changed' && /address/.test(String(line.facts?.change)),
    ],
  ])('has the %s that are declared: %d', (_, expected, is) => {
    const found = perDay(innocent.filter(is).length);
    expect(found / expected).toBeGreaterThan(0.85);
    expect(found / expected).toBeLessThan(1.15);
  });

  test('has a third of the recoveries followed within 72 hours', () => {
    const recovered = labels.lookAlikes.filter(({ kind }) => kind === 'recovered their account');
    const followed = recovered.filter(({ signals: own }) => {
      const times = own.map((name) => first.get(name)?.line).map((line) => Date.parse(line?.occurredAt ?? ''));
      return times.length > 1 && Math.min(...times.slice(1)) - (times[0] as number) <= 72 * 3_600_000;
    });
    expect(followed.length / recovered.length).toBeGreaterThan(0.28);
    expect(followed.length / recovered.length).toBeLessThan(0.38);
  });

  test('has the travellers and the VPNs that are declared', () => {
    const kinds = new Map(labels.lookAlikes.flatMap(({ kind, signals: own }) => own.map((name) => [name, kind] as const)));
    const attempts = innocent.filter(({ type, subjects }) => type.startsWith('payment.attempt') && subjects.device);
    const shareOf = (kind: string) => attempts.filter((line) => kinds.get(nameOf(line)) === kind).length / attempts.length;
    expect(shareOf('traveller')).toBeGreaterThan(0.12);
    expect(shareOf('traveller')).toBeLessThan(0.27);
    const behind = new Set(attempts.filter((line) => kinds.get(nameOf(line)) === 'vpn').map(({ subjects }) => subjects.customer));
    const all = new Set(attempts.map(({ subjects }) => subjects.customer));
    expect(behind.size / all.size).toBeGreaterThan(0.05);
    expect(behind.size / all.size).toBeLessThan(0.13);
  });

  test('has two campaigns a week, which begin after the warm-up and end before the stream', () => {
    // Five of six weeks have some: the last nine days have none begin.
    expect(labels.campaigns.length).toBeGreaterThanOrEqual(8);
    expect(labels.campaigns.length).toBeLessThanOrEqual(12);
  });
});

describe('streams', () => {
  // So much of what is rare that each kind of it comes.
  const { labels } = streamOf({ seed: 1, customers: 800, warmUpDays: 77, scoredDays: 35, times: 400 });
  const kindsOf = (list: readonly { readonly kind: string }[]): string[] => [...new Set(list.map(({ kind }) => kind))].sort();

  test('have campaigns of every kind, of the three ways to go about it', () => {
    expect(kindsOf(labels.campaigns)).toEqual([
      'agent changes much',
      'agent looks at many',
      'agent reads without work',
      'card testing on a customer',
      'card testing on a device',
      'change against history',
      'claims against the record',
      'decline loop',
      'domain burst',
      'moved session',
      'recovery then payment',
      'retries from elsewhere',
      'volume spike',
    ]);
    expect([...new Set(labels.campaigns.map(({ variant }) => variant))].sort()).toEqual(['careful', 'hidden', 'plain']);
  });

  test('have innocent people of every kind', () => {
    expect(kindsOf(labels.lookAlikes)).toEqual([
      'bargain hunter',
      'borrowed card',
      'buys all day',
      'crowd of new customers',
      'family tablet',
      'finance department',
      'incident',
      'mistypes the code',
      'moved house',
      'network changes',
      'new firm',
      'outreach to customers',
      'public machine',
      'quality review',
      'recovered their account',
      'remembered it wrong',
      'renewal tried again',
      'renewal tried every few hours',
      'students of one university',
      'trainee',
      'traveller',
      'traveller who writes to support',
      'tries every device',
      'vpn',
      'works at two machines',
    ]);
  });
});

describe('the score', () => {
  const start = Date.UTC(2026, 0, 1);
  const minute = 60_000;
  const at = (minutes: number): string => new Date(start + minutes * minute).toISOString();
  const signal = (name: string, minutes: number, late = 0) => ({
    name,
    occurredAt: start + minutes * minute,
    arrivedAt: start + (minutes + late) * minute,
    isAfter: false,
  });
  const success = (...minutes: readonly number[]) => minutes.map((each) => start + each * minute);
  const labels: Labels = {
    customers: 20_000,
    scoredFrom: start,
    scoredDays: 2,
    campaigns: [
      {
        ...{ id: 'one', kind: 'testing', variant: 'plain', successes: success(10, 20, 30, 40, 50, 60) },
        signals: ['a', 'b', 'c'].map((name, index) => signal(name, index * 10)),
      },
      {
        ...{ id: 'two', kind: 'takeover', variant: 'careful', successes: success(100) },
        signals: [signal('d', 95), signal('e', 100, 200), { ...signal('f', 3_000), isAfter: true }],
      },
      { id: 'three', kind: 'browsing', variant: 'hidden', successes: [], signals: [signal('g', 5)] },
    ],
    lookAlikes: [{ id: 'family-1', kind: 'family', signals: ['x', 'y'] }],
  };
  const verdict = (
    rule: string,
    minutes: number,
    signals: readonly string[],
    effect: unknown = 'alert',
    subjects: object = { customer: signals[0] },
  ): Verdict => verdictIn(JSON.stringify({ rule, at: at(minutes), subjects, signals, effect })) as Verdict;
  const found = (verdicts: readonly Verdict[]) =>
    Object.fromEntries(score(verdicts, labels).campaigns.map(({ id, isFound }) => [id, isFound]));

  test('a campaign is found by what is said before its fifth success', () => {
    expect(found([verdict('CARD_TESTING', 49, ['a', 'b'])])).toEqual({ one: true, two: false, three: false });
    expect(found([verdict('CARD_TESTING', 50, ['a', 'b'])]).one).toBe(false);
    expect(score([verdict('CARD_TESTING', 25, ['a'])], labels).campaigns[0]?.successesBefore).toBe(2);
  });

  test('with fewer successes it is found until it ends, which its owner’s own word doesn’t delay', () => {
    expect(found([verdict('X', 290, ['d'])]).two).toBe(true);
    expect(found([verdict('X', 301, ['d'])]).two).toBe(false);
    expect(found([verdict('X', 3_001, ['f'])]).two).toBe(false);
  });

  test('nobody is found by what hasn’t arrived', () => {
    const late: Labels = {
      ...labels,
      campaigns: [{ ...(labels.campaigns[0] as Labels['campaigns'][number]), signals: [signal('a', 1, 60)] }],
    };
    expect(score([verdict('X', 1, ['a'])], late).campaigns[0]?.isFound).toBe(false);
  });

  test('a verdict is about a campaign where a third of what it rests on is', () => {
    expect(ratiosOf([score([verdict('X', 1, ['a', 'x', 'y'])], labels)]).alerts).toBe(1);
    expect(ratiosOf([score([verdict('X', 1, ['a', 'x', 'y', 'z'])], labels)]).alerts).toBe(0);
    expect(ratiosOf([score([verdict('X', 1, [])], labels)]).alerts).toBe(0);
  });

  test('what a rule says again of the same within a day is one alarm, by what it is about or by what it rests on', () => {
    const alarms = (...verdicts: readonly Verdict[]) => score(verdicts, labels).alarms.length;
    const same = { device: 'd' };
    expect(alarms(verdict('X', 1, ['q'], 'alert', same), verdict('X', 9, ['r'], 'alert', same))).toBe(1);
    expect(alarms(verdict('X', 1, ['q', 's'], 'alert', { card: '1' }), verdict('X', 9, ['s'], 'alert', { card: '2' }))).toBe(1);
    expect(alarms(verdict('X', 1, ['q'], 'alert', same), verdict('X', 1_500, ['r'], 'alert', same))).toBe(2);
    expect(alarms(verdict('X', 1, ['q'], 'alert', same), verdict('Y', 1, ['q'], 'alert', same))).toBe(2);
  });

  test('alerts, holds and challenges are counted each by itself, and the wrong ones say whom they are about', () => {
    const scored = score(
      [
        verdict('CARD_TESTING', 1, ['a'], ['alert', 'challenge']),
        verdict('CARD_TESTING', 2, ['x', 'y'], 'alert, challenge'),
        verdict('RECOVERY_THEN_PAYMENT', 96, ['d'], ['hold', 'challenge']),
        verdict('RECOVERY_THEN_PAYMENT', 97, ['k'], 'hold proposed'),
        verdict('CHANGE_AGAINST_HISTORY', 98, ['l'], 'orders held'),
        verdict('CHANGE_AGAINST_HISTORY', 99, ['m'], 'challenge'),
      ],
      labels,
    );
    expect(ratiosOf([scored])).toMatchObject({
      ...{ alerts: 0.5, holds: 0.333, challenges: 0.5, falseHolds: 0.5, falseAlerts: 0.25, falseChallenges: 0.5 },
      ...{ found: 0.667, alarmed: 0.667, foundOfVisible: 1 },
    });
    expect(rulesOf([scored])).toEqual([
      { rule: 'card-testing', right: 1, wrong: 1, falseHolds: 0, innocents: [['family', 1]] },
      { rule: 'change-against-history', right: 0, wrong: 2, falseHolds: 1, innocents: [['ordinary', 2]] },
      { rule: 'recovery-then-payment', right: 1, wrong: 1, falseHolds: 1, innocents: [['ordinary', 1]] },
    ]);
    expect(textOf(new Map([[6, scored]]))).toContain('missed: 6/three (never)');
  });

  test('the warm-up and what is only due count neither way', () => {
    const scored = score(
      [verdict('CARD_TESTING', -10, ['x']), verdict('PROVIDER_DEADLINE', 5, ['x']), verdict('CARD_EXPIRING', 5, ['a'])],
      labels,
    );
    expect(scored.alarms).toEqual([]);
    expect(ratiosOf([scored])).toMatchObject({ found: 0, alerts: null, holds: null });
  });

  test('who says nothing meets no aim, and who says everything right meets all', () => {
    expect(misses(ratiosOf([score([], labels)])).length).toBe(3);
    const right = ['a', 'd', 'g'].map((name, index) => verdict('X', [0, 95, 5][index] as number, [name], 'alert hold'));
    expect(misses(ratiosOf([score(right, labels)]))).toEqual([]);
    const wrong = Array.from({ length: 5 }, (_, index) => verdict('X', index, [`n${index}`], 'alert hold'));
    expect(misses(ratiosOf([score([...right, ...wrong], labels)]))).toEqual([
      'precision of alerts: 0.375, not 0.5',
      'precision of holds: 0.375, not 0.8',
      'false holds a day and 10,000 customers: 1.25, not 1',
    ]);
  });

  test('a line that is no verdict is passed over, one that isn’t JSON is an error', () => {
    expect(verdictIn('{"summary":{"card-testing":3}}')).toBeNull();
    expect(() => verdictIn('rules: 3')).toThrow();
    expect(() => verdictIn('{"rule":"X","at":"soon","signals":[]}')).toThrow('no time');
  });
});
