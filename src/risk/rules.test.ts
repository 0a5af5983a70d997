import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Evaluator } from './evaluator';
import { effectsText } from './open-verdicts';
import { type RuleName, ruleNames, type Verdict } from './rule';
import { parseRules, type RulesFile } from './rules-file';
import { type Signal, type SignalType, type Subjects, signalName, signalSchema, signalTypes } from './signal';
import { StreamHistory } from './stream-history';
import { Trial } from './trial';

const text = readFileSync('schema/rules.yaml', 'utf8');
const fileOf = (yaml: string): RulesFile => {
  const parsed = parseRules(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.file;
};
const shipped = fileOf(text);

const noon = Date.parse('2026-09-15T12:00:00Z');
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Streams that are judged again. */
const mostJudged = 400;

let ids = 0;
beforeEach(() => {
  ids = 0;
});
/** A signal `at` so many milliseconds from noon. */
const signal = (at: number, type: SignalType, subjects: Subjects, facts: Record<string, unknown> = {}): Signal => {
  ids += 1;
  return signalSchema.parse({
    source: 'shop',
    id: String(ids).padStart(4, '0'),
    type,
    occurredAt: new Date(noon + at).toISOString(),
    subjects,
    facts,
  });
};
const declined = 'payment.attempt.declined';
const succeeded = 'payment.attempt.succeeded';
const eur = (minorUnits: number) => ({ amount: { minorUnits, currency: 'EUR' } });

/** What was judged before, each stream with its rules. */
const judged: { readonly signals: readonly Signal[]; readonly file: RulesFile }[] = [];
const verdictsOf = (signals: readonly Signal[], file = shipped): Verdict[] => {
  if (judged.length < mostJudged) judged.push({ signals, file });
  const trial = new Trial(file);
  return signals.flatMap((each) => [...trial.take(each)]);
};
const found = (signals: readonly Signal[], file?: RulesFile) =>
  verdictsOf(signals, file).map(({ rule, effects }) => `${rule}: ${effectsText(effects)}`);

/** Customers of ten days that come from a domain, a minute apart. */
const newcomers = (count: number, domain: string, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    signal(
      from + index * minute,
      declined,
      { customer: `new-${index}`, emailDomain: domain },
      { customerSince: '2026-09-05T00:00:00Z' },
    ),
  );
const cards = (count: number, subjects: Subjects, at = 0) =>
  Array.from({ length: count }, (_, index) => signal(at + index * minute, declined, { ...subjects, card: `card-${index}` }));

describe('retries-elsewhere', () => {
  const customer = 'c-1';
  const tries = () => [
    signal(0, declined, { customer }, { country: 'DE' }),
    signal(10 * minute, declined, { customer }, { country: 'DE' }),
    signal(20 * minute, succeeded, { customer }, { country: 'BR' }),
  ];
  it.each([
    ['a contact before', () => [signal(-day, 'ticket.contact', { customer, ticket: 't' }), ...tries()], 1],
    ['a contact after', () => [...tries(), signal(30 * minute, 'ticket.contact', { customer, ticket: 't' })], 1],
    ['no contact', tries, 0],
    ['a contact long before', () => [signal(-15 * day, 'ticket.contact', { customer, ticket: 't' }), ...tries()], 0],
    [
      'a ticket that was closed',
      () => [
        signal(-day, 'ticket.contact', { customer, ticket: 't' }),
        signal(-hour, 'ticket.closed', { customer, ticket: 't' }),
        ...tries(),
      ],
      0,
    ],
    [
      'one attempt less',
      () => [signal(-day, 'ticket.contact', { customer }), ...tries().slice(1), signal(3 * hour, declined, { customer })],
      0,
    ],
    [
      'one country, three devices',
      () => [
        signal(-day, 'ticket.contact', { customer }),
        ...['a', 'b', 'c'].map((device) => signal(0, declined, { customer, device }, { country: 'DE' })),
      ],
      1,
    ],
    [
      'no decline',
      () => [
        signal(-day, 'ticket.contact', { customer }),
        ...['DE', 'BR', 'US'].map((country) => signal(0, succeeded, { customer }, { country })),
      ],
      0,
    ],
  ])('with %s', (_, signals, count) => {
    expect(found(signals()).filter((each) => each === 'retries-elsewhere: alert, challenge')).toHaveLength(count);
  });
});

describe('card-testing', () => {
  it('fires at the fourth card of a customer, and not again within the window', () => {
    expect(found(cards(5, { customer: 'c-1' }))).toEqual(['card-testing: alert, challenge']);
    expect(found(cards(3, { customer: 'c-1' }))).toEqual([]);
  });

  it('fires on a device, whoever uses it', () => {
    const tries = Array.from({ length: 4 }, (_, index) =>
      signal(index * minute, declined, { customer: `c-${index}`, device: 'd', card: `card-${index}` }),
    );
    expect(verdictsOf(tries)).toEqual([
      expect.objectContaining({ subject: { name: 'device', value: 'd' }, counts: { cards: 4, attempts: 4, declines: 4 } }),
    ]);
  });

  it('leaves out cards that paid on an earlier day: the device is a family’s or an office’s', () => {
    const known = Array.from({ length: 4 }, (_, index) =>
      signal(-5 * day, succeeded, { customer: `c-${index}`, card: `card-${index}` }),
    );
    expect(found([...known, ...cards(4, { device: 'd' })])).toEqual([]);
  });

  it('counts an hour and not more', () => {
    const tries = Array.from({ length: 5 }, (_, index) =>
      signal(index * 21 * minute, declined, { customer: 'c', card: `card-${index}` }),
    );
    expect(found(tries)).toEqual([]);
  });
});

describe('decline-loop', () => {
  it('fires at the eighth decline of a card within a day', () => {
    const declines = (count: number) =>
      Array.from({ length: count }, (_, index) => signal(index * 2 * hour, declined, { card: 'k' }));
    expect([found(declines(7)), found(declines(8))]).toEqual([[], ['decline-loop: alert']]);
  });

  it('fires at a retry after "do not try again"', () => {
    const first = signal(0, declined, { card: 'k' }, { advice: 'do_not_try_again' });
    expect(found([first, signal(hour, succeeded, { card: 'k' })])).toEqual(['decline-loop: alert']);
    expect(found([first, signal(25 * hour, succeeded, { card: 'k' })])).toEqual([]);
    expect(found([first, signal(hour, succeeded, { card: 'other' })])).toEqual([]);
  });

  it('takes what tells of no device, such as a renewal, for the customer’s in their own country only', () => {
    const first = signal(
      0,
      declined,
      { customer: 'c', card: 'k', device: 'home' },
      { country: 'DE', advice: 'do_not_try_again' },
    );
    const renewed = (country?: string) => signal(hour, declined, { customer: 'c', card: 'k' }, country ? { country } : {});
    expect(found([...history(), first, renewed('DE')])).toEqual([]);
    expect(found([...history(), first, renewed('BR')])).toEqual(['decline-loop: alert']);
    expect(found([...history(), first, renewed()])).toEqual(['decline-loop: alert']);
    // Of somebody of whom nothing is known, no country is theirs.
    expect(found([first, renewed('DE')])).toEqual(['decline-loop: alert']);
  });
});

describe('decline-loop of a customer', () => {
  const advised = (subjects: Subjects, facts = {}) =>
    signal(0, declined, { customer: 'c', card: 'k', ...subjects }, { advice: 'do_not_try_again', ...facts });
  const again = (subjects: Subjects, facts = {}, type: SignalType = declined) =>
    signal(minute, type, { customer: 'c', card: 'k', ...subjects }, facts);
  const fired = ['decline-loop: alert'];

  it('takes the same purchase in one country for the same person’s, on whichever device', () => {
    expect(found([advised({ order: 'o' }), again({ order: 'o' })])).toEqual([]);
    expect(
      found([advised({ device: 'a', order: 'o' }, { country: 'DE' }), again({ device: 'b', order: 'o' }, { country: 'DE' })]),
    ).toEqual([]);
    expect(found([advised({}, eur(900)), again({}, eur(900))])).toEqual([]);
    expect(found([advised({}, eur(900)), again({}, eur(901))])).toEqual(fired);
    expect(found([advised({ order: 'o' }, { country: 'DE' }), again({ order: 'o' }, { country: 'BR' })])).toEqual(fired);
    expect(found([advised({ order: 'o' }), again({ order: 'p' })])).toEqual(fired);
    expect(found([advised({ order: 'o' }), again({ customer: 'd', order: 'o' })])).toEqual(fired);
  });

  it('takes a card that paid before for its holder’s, where nothing that is told isn’t theirs', () => {
    expect(found([...history(), advised({}), again({})])).toEqual([]);
    expect(found([...history(), advised({}), again({}, { country: 'BR' })])).toEqual(fired);
    expect(found([...history(), advised({}), again({ device: 'new' })])).toEqual(fired);
    expect(found([...history(), advised({ device: 'home' }), again({}, {}, succeeded)])).toEqual([]);
    expect(found([...history(), advised({ device: 'home' }), again({}, {}, declined)])).toEqual(fired);
    // One that paid yesterday may be whoever's got into the account.
    const yesterday = signal(-day, succeeded, { customer: 'c', card: 'k2' });
    expect(found([...history(), yesterday, advised({ card: 'k2' }), again({ card: 'k2' })])).toEqual(fired);
  });
});

describe('domain-burst', () => {
  it('fires at the fifth new customer of a domain', () => {
    expect(found(newcomers(5, 'fresh.example'))).toEqual(['domain-burst: challenge, propose-group-hold']);
    expect(found(newcomers(4, 'fresh.example'))).toEqual([]);
  });

  it('leaves out shared mail providers, in any case', () => {
    expect(found(newcomers(9, 'GMail.com'))).toEqual([]);
  });

  it('leaves out a domain with an old customer who has paid', () => {
    const old = signal(-day, succeeded, { customer: 'old', emailDomain: 'firm.example' }, { customerSince: '2024-01-01' });
    expect(found([old, ...newcomers(9, 'firm.example')])).toEqual([]);
  });

  it('takes colleagues who begin together for what they are, one of them away, one declined until it works', () => {
    const alone = 'domain-burst: challenge';
    const hold = 'domain-burst: challenge, propose-group-hold';
    const colleagues = (away: number, refused: number) =>
      Array.from({ length: 5 }, (_, index) =>
        [...(index < refused ? [declined, declined] : []), succeeded].map((type, turn) =>
          signal(
            index * hour + turn * minute,
            type as SignalType,
            { customer: `new-${index}`, emailDomain: 'firm.example' },
            { country: index < away ? 'RO' : 'DE', customerSince: '2026-09-15' },
          ),
        ),
      ).flat();
    expect([found(colleagues(0, 0)), found(colleagues(1, 1))]).toEqual([[alone], [alone]]);
    expect([found(colleagues(2, 0)), found(colleagues(0, 2))]).toEqual([[hold], [hold]]);
  });

  it('lets one of four colleagues be declined, however many begin', () => {
    const begin = (count: number, refused: number) =>
      Array.from({ length: count }, (_, index) =>
        signal(
          index * minute,
          index >= count - refused ? declined : succeeded,
          { customer: `new-${index}`, emailDomain: 'firm.example' },
          { country: 'DE', customerSince: '2026-09-15' },
        ),
      );
    const alone = 'domain-burst: challenge';
    expect([found(begin(12, 2)), found(begin(12, 3))]).toEqual([[alone], [alone, `${alone}, propose-group-hold`]]);
  });

  it('counts no customer of unknown age', () => {
    const unknown = newcomers(9, 'fresh.example').map((each) => ({ ...each, facts: {} as Signal['facts'] }));
    expect(found(unknown)).toEqual([]);
  });
});

describe('volume-spike', () => {
  const attempts = (count: number, at: number) =>
    Array.from({ length: count }, (_, index) => signal(at + index, succeeded, { customer: 'c' }));
  it('fires at six attempts in a day that are more than half as many again as ever in 28 days', () => {
    expect(found([...attempts(3, -5 * day), ...attempts(6, 0)])).toEqual(['volume-spike: alert, outreach-ticket']);
    expect(found([...attempts(4, -5 * day), ...attempts(6, 0)])).toEqual([]);
    expect(found([...attempts(4, -30 * day), ...attempts(6, 0)])).toEqual(['volume-spike: alert, outreach-ticket']);
  });

  it('takes a day that is paid with a card that paid before for a busy one, where nothing that is told is new', () => {
    const bought = (of: (index: number) => { card?: string; device?: string; country?: string; type?: SignalType }) =>
      Array.from({ length: 10 }, (_, index) => {
        const { card = 'k', device, country, type = succeeded } = of(index);
        return signal(index, type, { customer: 'c', card, device, order: `o-${index}` }, country ? { country } : {});
      });
    const fired = ['volume-spike: alert, outreach-ticket'];
    const foundAfter = (of: Parameters<typeof bought>[0]) => found([...history(), ...bought(of)]);
    expect(foundAfter(() => ({}))).toEqual([]);
    expect(foundAfter(() => ({ device: 'home' }))).toEqual([]);
    // On a journey, with what is theirs.
    expect(foundAfter(() => ({ device: 'home', country: 'BR' }))).toEqual([]);
    expect(foundAfter(() => ({ country: 'BR' }))).toEqual(fired);
    expect(foundAfter(() => ({ device: 'new', country: 'DE' }))).toEqual(fired);
    expect(foundAfter(() => ({ card: 'other' }))).toEqual(fired);
    const declining = (count: number) => foundAfter((index) => ({ type: index < count ? declined : succeeded }));
    expect([declining(1), declining(2)]).toEqual([[], fired]);
  });

  it('knows no most of a day of who was a customer before anything is known of them', () => {
    const first = (since: string | undefined, countries = ['DE']) =>
      found(
        Array.from({ length: 8 }, (_, index) =>
          signal(
            index,
            succeeded,
            { customer: 'c', card: `k-${index % 3}`, device: 'd' },
            { country: countries[index % countries.length], customerSince: since },
          ),
        ),
      );
    const fired = ['volume-spike: alert, outreach-ticket'];
    expect(first('2024-01-01')).toEqual([]);
    expect([first('2026-09-10'), first(undefined), first('2024-01-01', ['DE', 'BR'])]).toEqual([fired, fired, fired]);
  });

  it('counts one order that is tried again where it was as one, an amount that is tried again within the hour where no order is told', () => {
    const tries = (of: (index: number) => { order?: string; minorUnits: number; at: number; device?: string }) =>
      Array.from({ length: 7 }, (_, index) => {
        const { order, minorUnits, at, device } = of(index);
        return signal(at, declined, { customer: 'c', device, order }, { country: 'DE', ...eur(minorUnits) });
      });
    const fired = ['volume-spike: alert, outreach-ticket'];
    const same = (index: number) => ({ minorUnits: 2_000, at: index * minute });
    expect(found(tries((index) => ({ ...same(index), order: 'o', device: 'new' })))).toEqual([]);
    expect(found(tries((index) => ({ ...same(index), order: 'o', device: `new-${index}` })))).toEqual(fired);
    expect(found(tries(same))).toEqual([]);
    expect(found(tries((index) => ({ ...same(index), minorUnits: 2_000 + index })))).toEqual(fired);
    expect(found(tries((index) => ({ ...same(index), at: (index - 4) * 61 * minute })))).toEqual(fired);
  });
});

const history = (count = 4) =>
  Array.from({ length: count }, (_, index) =>
    signal((index - 40) * day, succeeded, { customer: 'c', device: 'home', card: 'k' }, { country: 'DE', ...eur(2_000) }),
  );

describe('change-against-history', () => {
  const change = (at: number, device: string, country: string, facts = {}) =>
    signal(at, 'credential.changed', { customer: 'c', device }, { country, ...facts });
  const undisclosed = (at: number, facts = {}) => signal(at, 'credential.changed', { customer: 'c' }, facts);
  const high = 'change-against-history: high-risk-update';
  it.each([
    ['from home', () => [change(0, 'home', 'DE')], []],
    ['from a new country', () => [change(0, 'home', 'BR')], []],
    ['from a new device', () => [change(0, 'other', 'DE')], []],
    ['from a new country and device', () => [change(0, 'other', 'BR')], [`${high}, hold-orders`]],
    ['a card from a new country and device', () => [change(0, 'other', 'BR', { change: 'card' })], [high]],
    ['for the second time', () => [change(-10 * day, 'home', 'DE'), change(0, 'home', 'DE')], []],
    ['for the second time, from who knows where', () => [undisclosed(-10 * day), undisclosed(0)], [high]],
    [
      'for the second time, from a new device',
      () => [change(-hour, 'other', 'DE'), change(0, 'other', 'DE')],
      [`${high}, hold-orders`],
    ],
    ['after a contact', () => [undisclosed(-10 * day, { change: 'contact' }), undisclosed(0)], [high]],
    [
      'both addresses at once, from a new device',
      () => [
        change(0, 'other', 'DE', { change: 'shipping-address' }),
        change(minute, 'other', 'DE', { change: 'billing-address' }),
      ],
      [],
    ],
    [
      'both addresses, one after the other, from a new device',
      () => [
        change(0, 'other', 'DE', { change: 'shipping-address' }),
        change(2 * hour, 'other', 'DE', { change: 'billing-address' }),
      ],
      [`${high}, hold-orders`],
    ],
    [
      'what is a card by its subject, from a new country and device',
      () => [signal(0, 'credential.changed', { customer: 'c', device: 'other', card: 'k2' }, { country: 'BR' })],
      [high],
    ],
    [
      'card and address at once',
      () => [change(0, 'home', 'DE', { change: 'card' }), change(minute, 'home', 'DE', { change: 'billing-address' })],
      [],
    ],
  ])('%s', (_, changes, expected) => {
    expect(found([...history(), ...changes()])).toEqual(expected);
  });

  it('takes one that tells of an own device or country alone for two signs, too', () => {
    const twice = (subjects: Subjects, facts: Record<string, unknown>) => [
      signal(-10 * day, 'credential.changed', { customer: 'c' }),
      signal(0, 'credential.changed', { customer: 'c', ...subjects }, facts),
    ];
    expect(found([...history(), ...twice({ device: 'home' }, {})])).toEqual([]);
    expect(found([...history(), ...twice({}, { country: 'DE' })])).toEqual([]);
    expect(found([...history(), ...twice({ device: 'new' }, {})])).toEqual([high]);
    expect(found([...history(), ...twice({}, {})])).toEqual([high]);
  });

  it('stops no orders of a customer who was seen twice', () => {
    const both = () => [change(-hour, 'other', 'DE'), change(0, 'other', 'DE')];
    expect([found([...history(2), ...both()]), found([...history(3), ...both()])]).toEqual([[high], [`${high}, hold-orders`]]);
  });

  it('doesn’t take what began within three days for the customer’s own', () => {
    const yesterday = signal(-day, succeeded, { customer: 'c', device: 'other' }, { country: 'BR', ...eur(2_000) });
    expect(found([...history(), yesterday, change(0, 'other', 'BR')])).toEqual([`${high}, hold-orders`]);
  });

  it('holds nothing against a customer of whom nothing is known', () => {
    expect(found([change(0, 'other', 'BR')])).toEqual([]);
  });
});

describe('recovery-then-payment', () => {
  const recovery = (device?: string) => signal(0, 'account.recovery', { customer: 'c', device }, { country: 'DE' });
  const pay = (at: number, minorUnits: number, device?: string, country = 'DE') =>
    signal(at, succeeded, { customer: 'c', device }, { country, ...eur(minorUnits) });
  const concern = () => signal(0, 'ticket.concern', { customer: 'c', ticket: 't' });
  const challenge = 'recovery-then-payment: challenge';
  it.each([
    ['a usual payment', () => [recovery(), pay(hour, 3_000)], []],
    ['a large payment', () => [recovery(), pay(hour, 3_001)], [challenge]],
    ['a large payment later', () => [recovery(), pay(73 * hour, 9_000)], []],
    ['a large payment on a new device', () => [recovery(), pay(hour, 3_001, 'new')], [challenge]],
    [
      'a large payment on a new device abroad',
      () => [recovery(), pay(hour, 3_001, 'new', 'BR')],
      ['recovery-then-payment: challenge, propose-hold'],
    ],
    ['a large payment with the customer’s device, in their country', () => [recovery('home'), pay(hour, 9_000, 'home')], []],
    ['a large payment with the customer’s device, abroad', () => [recovery('home'), pay(hour, 9_000, 'home', 'BR')], [challenge]],
    ['a change', () => [recovery(), signal(hour, 'credential.changed', { customer: 'c' }, { country: 'DE' })], [challenge]],
    [
      'a large payment on a new device that is declined and tried again',
      () => [
        recovery('new'),
        ...[declined, succeeded].map((type, index) =>
          signal(hour + index * minute, type as SignalType, { customer: 'c', device: 'new' }, { country: 'DE', ...eur(9_000) }),
        ),
      ],
      [challenge],
    ],
    [
      'two large payments on a new device',
      () => [recovery('new'), pay(hour, 9_000, 'new'), pay(2 * hour, 9_000, 'new')],
      [challenge, `${challenge}, propose-hold`],
    ],
    [
      'a contact, from who knows where',
      () => [recovery(), signal(hour, 'credential.changed', { customer: 'c' }, { country: 'DE', change: 'contact' })],
      [challenge],
    ],
    [
      'a contact on a new device',
      () => [
        recovery(),
        signal(hour, 'credential.changed', { customer: 'c', device: 'new' }, { country: 'DE', change: 'contact' }),
      ],
      [challenge],
    ],
    [
      'a contact on a new device, and then a large payment',
      () => [
        recovery('new'),
        signal(hour, 'credential.changed', { customer: 'c', device: 'new' }, { country: 'DE', change: 'contact' }),
        pay(2 * hour, 9_000, 'new'),
      ],
      [challenge, `${challenge}, propose-hold`],
    ],
    [
      'two large payments, one of them on the customer’s device, after a recovery on a new one',
      () => [recovery('new'), pay(hour, 9_000, 'home'), pay(2 * hour, 9_000, 'new')],
      [challenge],
    ],
    [
      'a large payment with the customer’s device abroad, after a recovery on a new one at home',
      () => [recovery('new'), pay(hour, 9_000, 'home', 'BR')],
      [challenge],
    ],
    [
      'a large payment with the customer’s device, of which no country is told',
      () => [recovery(), signal(hour, succeeded, { customer: 'c', device: 'home' }, eur(9_000))],
      [],
    ],
    [
      'a large payment at home after a recovery of which no place is told',
      () => [signal(0, 'account.recovery', { customer: 'c' }), pay(hour, 9_000, 'home')],
      [],
    ],
    ['a large payment at home after a recovery in the customer’s country', () => [recovery(), pay(hour, 9_000, 'home')], []],
    [
      'a large payment with the customer’s device abroad, after a recovery of which no device is told',
      () => [recovery(), pay(hour, 9_000, 'home', 'BR')],
      [challenge],
    ],
    ['a large payment before', () => [pay(-hour, 9_000), recovery()], []],
    ['a large payment that was received first', () => [pay(minute, 9_000), recovery()], [challenge]],
    ['a large payment after a concern', () => [concern(), pay(hour, 3_001)], [challenge]],
    ['a large payment after a concern, at home', () => [concern(), pay(hour, 9_000, 'home')], []],
    [
      'a large payment after a concern, abroad on a new device',
      () => [concern(), pay(hour, 3_001, 'new', 'BR')],
      ['recovery-then-payment: challenge, propose-hold'],
    ],
    ['a usual payment after a concern', () => [concern(), pay(hour, 3_000)], []],
  ])('%s', (_, signals, expected) => {
    expect(found([...history(), ...signals()])).toEqual(expected);
  });

  it.each(['BR', undefined])('proposes a hold for a contact on a new device where the country of it is %s', (country) => {
    const contact = signal(hour, 'credential.changed', { customer: 'c', device: 'new' }, { country, change: 'contact' });
    expect(found([...history(), recovery(), contact])).toContain(`${challenge}, propose-hold`);
  });

  it('proposes no hold for two payments that are larger than one or two before', () => {
    const two = () => [recovery('new'), pay(hour, 9_000, 'new'), pay(2 * hour, 9_000, 'new')];
    expect([found([...history(2), ...two()]), found([...history(3), ...two()])]).toEqual([
      [challenge],
      [challenge, `${challenge}, propose-hold`],
    ]);
  });
});

describe('rules over one signal', () => {
  it.each([
    ['ticket.claim', { outcome: 'contradicted' }, ['claim-against-record: alert']],
    ['ticket.claim', { outcome: 'matched' }, []],
    ['ticket.claim', { outcome: 'unmatched' }, []],
    ['payment.review', {}, ['provider-deadline: alert']],
    ['payment.authorization', { deadline: '2026-09-16T11:00:00Z' }, ['provider-deadline: alert']],
    ['payment.authorization', { deadline: '2026-09-16T13:00:00Z' }, []],
    ['card.expiring', { deadline: '2026-10-01T00:00:00Z' }, ['card-expiring: invite-replace-card']],
    ['card.expiring', { deadline: '2026-11-01T00:00:00Z' }, []],
    ['something.else', {}, []],
  ])('%s %j', (type, facts, expected) => {
    expect(found([signal(0, type as SignalType, { customer: 'c', payment: 'p' }, facts)])).toEqual(expected);
  });
});

describe('claim-against-record', () => {
  const claim = (at: number) => signal(at, 'ticket.claim', { customer: 'c', ticket: 't' }, { outcome: 'unmatched' });
  const contradicted = (at: number, payment: string) =>
    signal(at, 'ticket.claim', { customer: 'c', ticket: 't', payment }, { outcome: 'contradicted' });
  const one = 'claim-against-record: alert';
  it.each([
    ['two contradictions of one payment', () => [contradicted(0, 'p'), contradicted(hour, 'p')], [one]],
    [
      'contradictions of two payments',
      () => [contradicted(0, 'p'), contradicted(hour, 'q'), contradicted(2 * hour, 'p')],
      [one, one],
    ],
    ['what fits none after a contradiction', () => [contradicted(0, 'p'), claim(hour), claim(2 * hour)], [one, one]],
    ['a second claim', () => [claim(0), claim(hour)], ['claim-against-record: alert']],
    ['a second claim much later', () => [claim(0), claim(4 * day)], []],
    [
      'a claim after a recovery',
      () => [signal(0, 'account.recovery', { customer: 'c' }), claim(hour)],
      ['claim-against-record: alert'],
    ],
  ])('%s', (_, signals, expected) => {
    expect(found(signals())).toEqual(expected);
  });
});

describe('who is at home', () => {
  const at = (ms: number, order: string, type: SignalType = succeeded) =>
    signal(ms, type, { customer: 'c', device: 'home', card: 'k', order }, { country: 'DE', ...eur(2_000) });
  it('may buy a lot in a day', () => {
    expect(found([...history(), ...Array.from({ length: 8 }, (_, index) => at(index, `o-${index}`))])).toEqual([]);
    const someDeclined = Array.from({ length: 8 }, (_, index) => at(index, `o-${index}`, index < 2 ? declined : succeeded));
    expect(found([...history(), ...someDeclined])).toEqual(['volume-spike: alert, outreach-ticket']);
    const paidThen = someDeclined.slice(0, 2).map(({ subjects }, index) => at(index + 20, subjects.order!));
    expect(found([...history(), ...someDeclined.slice(0, 2), ...paidThen, ...someDeclined.slice(2)])).toEqual([]);
  });

  it('is there with what tells of no device, where other attempts of the day do', () => {
    const tries = (country: string, device?: string) =>
      Array.from({ length: 8 }, (_, index) =>
        signal(index, succeeded, { customer: 'c', device: index % 4 ? undefined : device, order: `o-${index}` }, { country }),
      );
    const fired = ['volume-spike: alert, outreach-ticket'];
    expect(found([...history(), ...tries('DE', 'home')])).toEqual([]);
    expect([found([...history(), ...tries('DE')]), found([...history(), ...tries('BR', 'home')])]).toEqual([fired, fired]);
  });

  it('may try one order again', () => {
    expect(found([...history(), ...Array.from({ length: 7 }, (_, index) => at(index, 'o', declined))])).toEqual([]);
  });

  it('may press the button again after "do not try again"', () => {
    const first = { ...at(0, 'o', declined), facts: { country: 'DE', advice: 'do_not_try_again' } };
    expect(found([...history(), first, at(minute, 'o')])).toEqual([]);
    const elsewhere = signal(minute, succeeded, { customer: 'c', device: 'other', card: 'k' }, { country: 'DE' });
    expect(found([...history(), first, elsewhere])).toEqual(['decline-loop: alert']);
  });

  it('may try all of their devices for one order while a ticket is open', () => {
    const contact = signal(-day, 'ticket.contact', { customer: 'c', ticket: 't' });
    const tries = (order: (index: number) => string) =>
      ['home', 'home', 'tv', 'car'].map((device, index) =>
        signal(index, declined, { customer: 'c', device, order: order(index) }, { country: 'DE' }),
      );
    expect(found([...history(), contact, ...tries(() => 'o')])).toEqual([]);
    expect(found([...history(), contact, ...tries((index) => `o-${index}`)])).toEqual(['retries-elsewhere: alert, challenge']);
  });
});

describe('rules about agents', () => {
  const shown = (count: number, staff: string, at = 0, team = 't') =>
    Array.from({ length: count }, (_, index) =>
      signal(at + index * minute, 'staff.disclosure', { staff, team, customer: `c-${index}`, ticket: `t-${at}-${index}` }),
    );
  it('agent-breadth fires at 20 customers in an hour', () => {
    expect([found(shown(19, 'eve')), found(shown(20, 'eve'))]).toEqual([[], ['agent-breadth: brake']]);
  });

  it('agent-breadth is measured by the team, once there is enough of it', () => {
    const team = Array.from({ length: 30 }, (_, index) =>
      Array.from({ length: 8 }, (_, agent) => shown(12, `agent-${agent}`, (index - 30) * day)).flat(),
    ).flat();
    expect(found([...team, ...shown(24, 'eve')])).toEqual([]);
    expect(found([...team, ...shown(25, 'eve')])).toEqual(['agent-breadth: brake']);
  });

  it('agent-breadth leaves out an hour in which the desk is busy', () => {
    const desk = ['ana', 'ben'].flatMap((staff) => shown(12, staff));
    expect(found([...desk, ...shown(20, 'eve')])).toEqual([]);
    expect(found([...desk.slice(0, 12), ...shown(20, 'eve')])).toEqual(['agent-breadth: brake']);
  });

  it('agent-thin-work counts tickets that were left as they were', () => {
    const answered = (each: Signal) => signal(noonOf(each) + minute, 'staff.reply', each.subjects);
    const noonOf = ({ occurredAt }: Signal) => occurredAt.getTime() - noon;
    const read = shown(11, 'eve');
    const later = signal(hour, 'staff.disclosure', { staff: 'eve', team: 't', ticket: 't-later' });
    const other = signal(-day, 'staff.reply', { staff: 'ana', team: 't', ticket: 'x' });
    expect(found([other, ...read, later])).toEqual(['agent-thin-work: brake']);
    expect(found([other, ...read, ...read.slice(0, 2).map(answered), later])).toEqual([]);
    // Where nothing tells of replies, none is missing.
    expect(found([...read, later])).toEqual([]);
  });

  it('agent-thin-work is measured by the team, where nothing tells of replies', () => {
    const team = Array.from({ length: 30 }, (_, index) =>
      Array.from({ length: 8 }, (_, agent) => shown(4, `agent-${agent}`, (index - 30) * day)).flat(),
    ).flat();
    const later = signal(hour, 'staff.disclosure', { staff: 'eve', team: 't', customer: 'c-0', ticket: 't-later' });
    expect(found([...team, ...shown(12, 'eve'), later])).toEqual([]);
    expect(found([...team, ...shown(13, 'eve'), later])).toEqual(['agent-thin-work: brake']);
  });

  it('agent-interventions counts updates, holds and questions of a day', () => {
    const types = ['staff.update', 'staff.hold', 'staff.question'] as const;
    const updates = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        signal(index * minute, types[index % types.length] as SignalType, {
          staff: 'eve',
        }),
      );
    expect([found(updates(9)), found(updates(10))]).toEqual([[], ['agent-interventions: brake']]);
  });

  it('session-moved ends a session that moves between devices; of networks it alerts', () => {
    const use = (place: 'device' | 'key' | 'ip', ...values: string[]) =>
      values.map((value, index) => signal(index * 3 * minute, 'staff.session', { staff: 'ana', [place]: value }));
    expect(found(use('device', 'a', 'b', 'a'))).toEqual(['session-moved: end-session']);
    expect(found(use('ip', 'a', 'b', 'a'))).toEqual(['session-moved: alert']);
    expect(found(use('key', 'a', 'b', 'a'))).toEqual(['session-moved: end-session']);
    expect(found(use('key', 'a', 'b', 'b', 'c'))).toEqual([]);
    // One key, wherever its device is just now; and two on one device.
    const held = (subjects: Partial<Record<'device' | 'key' | 'ip', readonly string[]>>) =>
      [0, 1, 2].map((index) =>
        signal(index * minute, 'staff.session', {
          staff: 'ana',
          ...Object.fromEntries(Object.entries(subjects).map(([name, values]) => [name, values[index]])),
        }),
      );
    expect(found(held({ key: ['k', 'k', 'k'], ip: ['a', 'b', 'a'] }))).toEqual([]);
    expect(found(held({ key: ['k', 'l', 'k'], device: ['a', 'a', 'a'], ip: ['a', 'a', 'a'] }))).toEqual([
      'session-moved: end-session',
    ]);
    // Two devices, each with a session of its own.
    const both = ['a', 'b', 'a', 'b'].map((device, index) =>
      signal(index * minute, 'staff.session', { staff: 'ana', device, session: `of ${device}` }),
    );
    expect(found(both)).toEqual([]);
    const taken = ['a', 'b', 'a'].map((device, index) =>
      signal(index * minute, 'staff.session', { staff: 'ana', device, session: 's' }),
    );
    expect(found([...both, ...taken])).toEqual(['session-moved: end-session']);
    expect(found(use('device', 'a', 'b', 'b', 'c'))).toEqual([]);
    expect(found(use('device', 'a', 'b', 'b', 'b', 'a'))).toEqual([]);
    const shownOn = ['a', 'b', 'a'].map((device, index) =>
      signal(index * minute, 'staff.disclosure', { staff: 'eve', team: 't', customer: 'c-0', ticket: 't', device }),
    );
    expect(found(shownOn)).toEqual(['session-moved: end-session']);
  });
});

describe('what is told long afterwards', () => {
  const shown = (count: number, at = 0) =>
    Array.from({ length: count }, (_, index) =>
      signal(at + index * minute, 'staff.disclosure', { staff: 'eve', team: 't', customer: `c-${index}`, ticket: `t-${index}` }),
    );
  const fires: Readonly<Record<RuleName, () => readonly Signal[]>> = {
    'retries-elsewhere': () => [
      signal(-day, 'ticket.contact', { customer: 'c', ticket: 't-0' }),
      ...['DE', 'BR', 'US'].map((country, index) =>
        signal(index * minute, declined, { customer: 'c', device: 'new', order: 'o' }, { country }),
      ),
    ],
    'card-testing': () => cards(4, { customer: 'c', device: 'new' }),
    'decline-loop': () => [
      signal(0, declined, { customer: 'c', card: 'card-0', device: 'home' }, { country: 'DE', advice: 'do_not_try_again' }),
      signal(hour, succeeded, { customer: 'c', card: 'card-0', device: 'new' }, { country: 'BR' }),
    ],
    'domain-burst': () => newcomers(5, 'fresh.example'),
    'volume-spike': () =>
      Array.from({ length: 6 }, (_, at) => signal(at, succeeded, { customer: 'c', device: 'new' }, { country: 'BR' })),
    'change-against-history': () => [
      ...history(),
      signal(0, 'credential.changed', { customer: 'c', device: 'new' }, { country: 'BR', change: 'billing-address' }),
    ],
    'recovery-then-payment': () => [
      ...history(),
      signal(0, 'account.recovery', { customer: 'c', device: 'new' }, { country: 'BR' }),
      signal(hour, succeeded, { customer: 'c', device: 'new' }, { country: 'BR', ...eur(9_000) }),
    ],
    'claim-against-record': () => [signal(0, 'ticket.claim', { customer: 'c', ticket: 't-0' }, { outcome: 'contradicted' })],
    'provider-deadline': () => [signal(0, 'payment.review', { customer: 'c', payment: 'p' })],
    'card-expiring': () => [signal(0, 'card.expiring', { customer: 'c', card: 'card-0' }, { deadline: '2026-10-01T00:00:00Z' })],
    'agent-breadth': () => shown(20),
    'agent-thin-work': () => [
      signal(-day, 'staff.reply', { staff: 'ana', team: 't', ticket: 'x' }),
      ...shown(11),
      signal(hour, 'staff.disclosure', { staff: 'eve', team: 't', ticket: 't-later' }),
    ],
    'agent-interventions': () =>
      Array.from({ length: 10 }, (_, index) => signal(index * minute, 'staff.update', { staff: 'eve', team: 't' })),
    'session-moved': () =>
      ['a', 'b', 'a'].map((device, index) => signal(index * minute, 'staff.session', { staff: 'eve', device })),
  };
  type Told = { [name in 'ago' | 'ticket' | 'card' | 'amount']: number } & {
    [name in 'staff' | 'country' | 'device']: string;
  } & {
    type: SignalType;
  };
  const past: fc.Arbitrary<Told> = fc.record({
    // In minutes; the least is what a sender's section may allow.
    ago: fc.oneof(fc.integer({ min: 60, max: 24 * 60 }), fc.integer({ min: 60, max: 190 * 24 * 60 })),
    type: fc.constantFrom(...signalTypes),
    staff: fc.constantFrom('eve', 'ana', 'ben', 'cyd', 'dan', 'fay', 'gus', 'hal', 'ida'),
    ticket: fc.integer({ min: 0, max: 12 }),
    card: fc.integer({ min: 0, max: 3 }),
    country: fc.constantFrom('DE', 'BR', 'US'),
    device: fc.constantFrom('home', 'new', 'a'),
    amount: fc.integer({ min: 1, max: 100_000 }),
  });
  /** Whatever a sender may say of long ago, of all whom the scenes are about. */
  const backdated = ({ ago, type, staff, ticket, card, country, device, amount }: Told): Signal => ({
    ...signal(
      -ago * minute,
      type,
      {
        customer: 'c',
        card: `card-${card}`,
        device,
        emailDomain: 'fresh.example',
        ticket: `t-${ticket}`,
        staff,
        team: 't',
        order: `o-${amount}`,
      },
      { country, ...eur(amount), customerSince: '2015-01-01' },
    ),
    isBackdated: true,
  });
  it.each(ruleNames)('keeps %s from nothing', (rule) => {
    const scene = fires[rule]();
    const judged = (before: readonly Signal[]) => {
      const evaluator = new Evaluator(shipped.settings, { isSharedMailDomain: () => false });
      const stream = new StreamHistory(evaluator.needs);
      for (const each of before) stream.add(each);
      const verdicts = scene.flatMap((each) => (stream.add(each) ? evaluator.judge(each, false, stream.answer) : []));
      return new Set(verdicts.flatMap(({ effects, ...of }) => effects.map((each) => `${of.rule} ${of.subject.value} ${each}`)));
    };
    const without = [...judged([])].filter((each) => each.startsWith(`${rule} `));
    expect(without).not.toEqual([]);
    fc.assert(
      fc.property(fc.array(past, { maxLength: 300, size: 'max' }), (told) => {
        const found = judged(told.map(backdated));
        expect(without.filter((each) => !found.has(each))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a stream', () => {
  it('has each signal once, by source and id', () => {
    const [first, second, third] = cards(3, { customer: 'c-1' }) as [Signal, Signal, Signal];
    const again = { ...first, subjects: { ...first.subjects, card: 'another' } };
    expect(found([first, second, third, again])).toEqual([]);
    expect(found([first, second, third, { ...again, source: 'other' }])).toEqual(['card-testing: alert, challenge']);
  });

  it('only alerts of what came more than an hour late', () => {
    const [a, b, c, d] = cards(4, { customer: 'c-1' }) as [Signal, Signal, Signal, Signal];
    const later = (ms: number) => signal(ms, 'ticket.contact', { customer: 'somebody' });
    expect(found([a, b, c, later(3 * minute + hour), d])).toEqual(['card-testing: alert, challenge']);
    expect(found([a, b, c, later(3 * minute + hour + 1), d])).toEqual(['card-testing: alert']);
  });

  it('adds effects to an open verdict once they are right', () => {
    const [a, b, c, d, e] = cards(5, { customer: 'c-1' }) as [Signal, Signal, Signal, Signal, Signal];
    const later = signal(4 * minute + hour, 'ticket.contact', { customer: 'somebody' });
    expect(found([a, b, c, later, d, e])).toEqual(['card-testing: alert', 'card-testing: alert, challenge']);
  });

  /** What several rules find in, with something beside it. */
  const busy = () => [
    ...history(),
    ...cards(6, { customer: 'c-1', device: 'd' }),
    ...newcomers(6, 'fresh.example', 5 * minute),
    signal(minute, 'account.recovery', { customer: 'c', device: 'new' }, { country: 'BR' }),
    signal(2 * minute, succeeded, { customer: 'c', device: 'new' }, { country: 'BR', ...eur(90_000) }),
    signal(-2 * day, 'ticket.contact', { customer: 'c-1', ticket: 't' }),
  ];
  const namesOf = (verdicts: readonly Verdict[]) =>
    new Set(verdicts.map(({ rule, subject }) => `${rule} ${subject.name} ${subject.value}`));

  it('has the same found in whatever order it is received', () => {
    const signals = busy();
    const inOrder = namesOf(verdictsOf([...signals].sort((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime())));
    expect(inOrder.size).toBeGreaterThanOrEqual(4);
    fc.assert(
      fc.property(fc.shuffledSubarray(signals, { minLength: signals.length }), (shuffled) => {
        // Without its history nothing is unusual, so that what was first is received first.
        const order = [
          ...shuffled.filter(({ occurredAt }) => noon - occurredAt.getTime() > 10 * day),
          ...shuffled.filter(({ occurredAt }) => noon - occurredAt.getTime() <= 10 * day),
        ];
        expect(namesOf(verdictsOf(order))).toEqual(inOrder);
      }),
      { numRuns: 100 },
    );
  });

  it('says in each verdict what it counted and what it rests on, in a sentence without a value of anybody’s', () => {
    for (const { sentence, evidence, counts } of verdictsOf(busy())) {
      expect(sentence).toMatch(/^[A-Z\d].*\.$/);
      expect(sentence).not.toMatch(/c-1|new-|example|BR|card-\d/);
      expect(evidence.map(signalName).every((name) => /^shop\/\d+$/.test(name))).toBe(true);
      expect(Object.values(counts).every(Number.isSafeInteger)).toBe(true);
    }
  });

  it('forgets what no window reaches', () => {
    const past = new StreamHistory(new Evaluator(shipped.settings, { isSharedMailDomain: () => false }).needs);
    const window = (at: number) => ({
      subject: 'card' as const,
      value: 'k',
      types: [declined] as const,
      from: new Date(noon + at - hour),
      to: new Date(noon + at),
    });
    past.add(signal(0, declined, { card: 'k' }));
    const kept = () => past.answer({ signals: [window(0)], days: [] }).signals[0]?.length;
    expect(kept()).toBe(1);
    for (let index = 0; index < 16_384; index += 1) past.add(signal(10 * day + index, 'ticket.closed', { order: 'o' }));
    expect(kept()).toBe(0);
  });

  // The last test of all: every stream that those before it judged.
  it('is judged alike by what answers at once and by what is read, whatever the rules', async () => {
    const rules = new Set<string>();
    for (const { signals, file } of judged) {
      const evaluator = new Evaluator(file.settings, { isSharedMailDomain: (domain) => file.sharedMailDomains.has(domain) });
      const past = new StreamHistory(evaluator.needs);
      for (const each of signals) {
        if (!past.add(each)) continue;
        const atOnce = evaluator.judge(each, false, past.answer);
        // What is read is nobody's object: neither the signal that is judged nor that of another window.
        const read = await evaluator.judgeBy(each, false, {
          signals: async (signals) => structuredClone(past.answer({ signals, days: [] }).signals),
          days: async (days) => structuredClone(past.answer({ signals: [], days }).days),
        });
        expect(read).toEqual(atOnce);
        for (const { rule } of read) rules.add(rule);
      }
    }
    expect([...rules].sort()).toEqual([...ruleNames].sort());
  });
});
