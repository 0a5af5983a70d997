import fc from 'fast-check';
import { ulid } from '../ulid';
import { citedPlan } from './access-plan';
import { partOf } from './bytes';
import { type CanonicalValue, canonicalize } from './canonical';
import { type EventDraft, finalizeEvent } from './event';
import { glanceAtLeaf, type LeafFacts } from './glance';
import { expectExactLeaf, type Leaf, LeafInvalid, readLeaf, readStored, timeOf, timeOfId } from './leaf';
import { Lines, LineTooLong } from './lines';

const name = fc.string({ unit: 'grapheme', maxLength: 12 });
const value = fc.jsonValue({ maxDepth: 3 }).map((each) => JSON.parse(JSON.stringify(each)) as CanonicalValue);
const ours = fc.constantFrom('id', 'at', 'tx', 'v', 'ordinal', 'action', 'notes', ',"id":"evt_');
const draft: fc.Arbitrary<EventDraft> = fc.record(
  {
    action: fc.oneof(name, fc.constant('log.time')),
    outcome: fc.constantFrom('ALLOWED', 'DENIED'),
    actor: fc.record({ id: name, kind: name, roles: fc.array(name, { maxLength: 3 }) }),
    ticketId: name,
    assistanceId: name,
    subject: fc.record({ type: name, id: name }),
    detail: fc.dictionary(fc.oneof(name, ours), value),
  },
  { requiredKeys: ['action', 'outcome', 'actor'] },
);
// The library takes time 0 for now.
const instant = fc.date({ min: new Date(1), max: new Date(2 ** 47), noInvalidDate: true });

const eventOf = (facts: Partial<EventDraft> = {}): Buffer =>
  finalizeEvent(
    { action: 'disclosure', outcome: 'ALLOWED', actor: { id: 'act_1', kind: 'staff', roles: ['AGENT'] }, ...facts },
    'atx_1',
    7,
    new Date(1),
  ).leaf;

const plan = 'a'.repeat(64);
/** A leaf of each shape that is written, and some of none. */
const shapes: readonly string[] = [
  { detail: { fields: [['Customer.email', 'mask:email', 3]], objects: { Ticket: ['tkt_1', 'tkt_2'] }, rate: -12 } },
  { version: 2 as const, detail: { counts: { NONE: [0, 1], VERIFIED: [2, 0] }, linked: {}, plan, tickets: ['tkt_1'] } },
  { version: 2 as const, detail: { fields: [], plan } },
  { version: 2 as const, action: 'plan.register', detail: { fields: [['Customer.email', 'omit']], links: [] } },
  { action: 'log.time', detail: {} },
  { action: 'denial', ticketId: 'tkt_1', assistanceId: 'ast_1', subject: { type: 'Ticket', id: 'tkt_1' }, detail: { on: true } },
  { detail: { text: 'Zoë said "no" \\', deep: [[[[{ a: [null, false, 1.5e300] }]]]], id: 'evt_2', tx: '"', v: 1 } },
].map((facts) => eventOf(facts).toString('latin1'));

interface Facts {
  readonly action: string;
  readonly at: number;
  readonly id: string;
  readonly ordinal: number;
  readonly tx: string;
  readonly plan: string | undefined;
}

const textOf = ({ bytes, start, end }: LeafFacts['id']): string => Buffer.from(bytes.subarray(start, end)).toString('utf8');
const glanced = (leaf: Buffer): Facts | undefined => {
  const facts = glanceAtLeaf(leaf);
  return facts && { ...facts, id: textOf(facts.id), tx: textOf(facts.tx) };
};
/** What a reader that parses finds, in the same form; null for what is no leaf. */
const parsed = (leaf: Buffer): Facts | null => {
  let found: Leaf;
  try {
    found = readStored(leaf);
  } catch (error) {
    if (!(error instanceof LeafInvalid)) throw error;
    return null;
  }
  const { action, at, id, ordinal, tx } = found;
  return { action, at: timeOf(at), id, ordinal, tx, plan: citedPlan(found) };
};

describe('a glance at a leaf', () => {
  test('finds what parsing finds, or nothing', () => {
    let glances = 0;
    fc.assert(
      fc.property(draft, name, fc.nat(), instant, (facts, transaction, ordinal, at) => {
        const { leaf } = finalizeEvent(facts, transaction, ordinal, at);
        const glance = glanced(leaf);
        if (glance === undefined) return;
        glances += 1;
        expect(glance).toEqual(parsed(leaf));
      }),
      { numRuns: 1_000 },
    );
    expect(glances).toBeGreaterThan(100);
  });

  test('finds what parsing finds, or nothing, whatever was done to the leaf', () => {
    const pieces = fc.constantFrom(
      ...[
        '"',
        '\\',
        '\\u0061',
        '{',
        '}',
        '[',
        ']',
        '{}',
        '[]',
        ',',
        ':',
        ' ',
        '\t',
        '\0',
        'é',
        '0',
        '1',
        '-',
        '.5',
        'e9',
        'null',
        'true',
      ],
      ...[
        '"at":"2030-01-01T00:00:00.000Z",',
        '"id":"evt_2",',
        ',"v":1',
        ',"v":2',
        '"plan":"b",',
        `"plan":"${plan}"`,
        '"fields":[]',
      ],
      ...['2026-02-30', 'T24:00:00', 'T23:59:60', '+002026', 'plan.register', 'disclosure', '9007199254740993', '"":0,'],
    );
    const edits = fc.array(fc.record({ at: fc.nat(), length: fc.nat({ max: 4 }), piece: pieces }), {
      minLength: 1,
      maxLength: 3,
    });
    const isFound = { glance: 0, otherwise: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...shapes), edits, (shape, all) => {
        let text = shape;
        for (const { at, length, piece } of all) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + Buffer.from(piece, 'utf8').toString('latin1') + text.slice(place + length);
        }
        const leaf = Buffer.from(text, 'latin1');
        const glance = glanced(leaf);
        isFound[glance === undefined ? 'otherwise' : 'glance'] += 1;
        if (glance !== undefined) expect(glance).toEqual(parsed(leaf));
      }),
      { numRuns: 10_000 },
    );
    expect(isFound.glance).toBeGreaterThan(200);
    expect(isFound.otherwise).toBeGreaterThan(1_000);
  });

  test('is enough for the leaves that are written', () => {
    const isEnough = shapes.map((shape) => glanced(Buffer.from(shape, 'latin1')));
    const expected = shapes.map((shape) => parsed(Buffer.from(shape, 'latin1')));
    expect(isEnough).toEqual([...expected.slice(0, 2), undefined, ...expected.slice(3, 6), undefined]);
    expect(expected[1]?.plan).toBe(plan);
  });

  test('isn’t led astray by what the leaf before had in the place of its day', () => {
    const leaf = eventOf();
    // A colon comes after nine.
    const odd = Buffer.from(leaf.toString('utf8').replace('"at":"1970-', '"at":"196:-'), 'utf8');
    expect(glanced(eventOf({ action: 'log.time' }))?.at).toBe(1);
    glanced(Buffer.from(leaf.toString('utf8').replace('"at":"1970-01-01', '"at":"1971-01-01'), 'utf8'));
    expect(glanced(odd)).toBeUndefined();
    expect(glanced(leaf)).toEqual(parsed(leaf));
  });

  test.each<[string, (leaf: string) => string]>([
    ['a second time', (leaf) => leaf.replace('"customers":', '"at":"2030-01-01T00:00:00.000Z","customers":')],
    [
      'a second time, spelled otherwise',
      (leaf) => leaf.replace('"customers":', '"\\u0061t":"2030-01-01T00:00:00.000Z","customers":'),
    ],
    ['a second id', (leaf) => leaf.replace('"detail":{', '"id":"evt_2","detail":{')],
    ['an id in its detail', (leaf) => leaf.replace('"detail":{', '"detail":{"id":"evt_2"')],
    ['a transaction behind the version', (leaf) => leaf.replace('"v":1}', '"v":1,"tx":"atx_2"}')],
    [
      'a part that looks like the end',
      (leaf) => leaf.replace('"detail":{', `"detail":{"x":{"y":1${leaf.slice(leaf.indexOf(',"id":"evt_'))}`),
    ],
    ['a bracket in a role', (leaf) => leaf.replace('"AGENT"', '"AGENT]}"')],
    ['a day that there isn’t', (leaf) => leaf.replace('1970-01-01T', '1970-02-31T')],
    ['the end of a day', (leaf) => leaf.replace(/T\d\d:\d\d:\d\d\.\d{3}/, 'T24:00:00.000')],
  ])('never takes another for the one that parsing finds: %s', (_what, change) => {
    const before = eventOf().toString('utf8');
    const leaf = Buffer.from(change(before), 'utf8');
    expect(leaf.toString('utf8')).not.toBe(before);
    const facts = parsed(leaf);
    expect(glanced(leaf) ?? facts).toEqual(facts);
  });
});

describe('a leaf', () => {
  test('that is written is exact, whatever is in it', () => {
    fc.assert(
      fc.property(draft, instant, (facts, at) => {
        const { leaf } = finalizeEvent({ ...facts, action: 'disclosure' }, 'atx_1', 0, at);
        expect(() => expectExactLeaf(readLeaf(leaf.toString('utf8')), leaf)).not.toThrow();
        expect(leaf.toString('utf8')).toBe(canonicalize(JSON.parse(leaf.toString('utf8'))));
      }),
    );
  });

  test('has its time in its id', () => {
    fc.assert(fc.property(instant, (at) => expect(timeOfId(partOf(`evt_${ulid(at.getTime())}`))).toBe(at.getTime())));
    for (const id of ['', 'evt_', 'evt_01K4', 'evt_U000000000', 'atx_01K4ZJ0000', 'evt_01k4zj0000'])
      expect(timeOfId(partOf(id))).toBeNaN();
  });
});

describe('lines', () => {
  test('that would fill the memory are refused', () => {
    const lines = new Lines((into) => into.fill(0x61).length);
    expect(() => lines.next()).toThrow(LineTooLong);
  });

  test('are counted, and the last one may lack its end', () => {
    const bytes = Buffer.from('a\n\nb');
    let at = 0;
    const lines = new Lines((into) => {
      const count = bytes.copy(into, 0, at, at + 1);
      at += count;
      return count;
    });
    const all: [string, number, boolean][] = [];
    for (let line = lines.next(); line !== undefined; line = lines.next())
      all.push([line.toString(), lines.number, lines.isEnded]);
    expect(all).toEqual([
      ['a', 1, true],
      ['', 2, true],
      ['b', 3, false],
    ]);
  });
});
