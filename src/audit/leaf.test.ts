import fc from 'fast-check';
import { ulid } from '../ulid';
import { type CanonicalValue, canonicalize } from './canonical';
import { type EventDraft, finalizeEvent } from './event';
import { expectExactLeaf, glanceAtLeaf, readLeaf, timeOfId } from './leaf';
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

/** What a reader that parses finds, in the same form. */
const parsed = (leaf: Buffer) => {
  const { action, at, id, ordinal, tx } = readLeaf(leaf.toString('utf8'));
  return { action, at, id, ordinal, tx };
};

describe('a glance at a leaf', () => {
  test('finds what parsing finds, or nothing', () => {
    let glances = 0;
    fc.assert(
      fc.property(draft, name, fc.nat(), instant, (facts, transaction, ordinal, at) => {
        const { leaf } = finalizeEvent(facts, transaction, ordinal, at);
        const glance = glanceAtLeaf(leaf);
        if (glance === undefined) return;
        glances += 1;
        const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
        const { action, at: time, id, ordinal: position, tx } = parsed(leaf);
        expect(glance).toEqual({ action: bytes(action), at: bytes(time), id: bytes(id), ordinal: position, tx: bytes(tx) });
      }),
      { numRuns: 1_000 },
    );
    expect(glances).toBeGreaterThan(100);
  });

  test('is enough for the leaves that are written', () => {
    const leaf = eventOf({
      ticketId: 'tkt_1',
      subject: { type: 'Ticket', id: 'tkt_1' },
      detail: { fields: { 'Customer.email': 'mask' } },
    });
    expect(glanceAtLeaf(leaf)).toEqual(parsed(leaf));
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
  ])('never takes another for the one that parsing finds: %s', (_what, change) => {
    const text = change(eventOf().toString('utf8'));
    const facts = parsed(Buffer.from(text, 'utf8'));
    expect(glanceAtLeaf(Buffer.from(text, 'utf8')) ?? facts).toEqual(facts);
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
    fc.assert(fc.property(instant, (at) => expect(timeOfId(`evt_${ulid(at.getTime())}`)).toBe(at.getTime())));
    for (const id of ['', 'evt_', 'evt_01K4', 'evt_U000000000', 'atx_01K4ZJ0000', 'evt_01k4zj0000'])
      expect(timeOfId(id)).toBeNaN();
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
