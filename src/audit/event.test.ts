import { randomBytes } from 'node:crypto';
import { auditDigest, matchesAuditDigest } from '../privacy/digests';
import { KeyDestroyed } from '../privacy/sealing';
import { canonicalize } from './canonical';
import { type EventDraft, finalizeEvent, hashLeaf, leafVersion } from './event';

const at = new Date('2026-09-01T09:00:00.123Z');
const draft: EventDraft = {
  action: 'disclosure',
  outcome: 'ALLOWED',
  actor: { id: 'act_1', kind: 'staff', roles: ['SUPERVISOR', 'AGENT'] },
};
const leafOf = (facts: Partial<EventDraft> = {}) =>
  JSON.parse(finalizeEvent({ ...draft, ...facts }, 'atx_1', 3, at).leaf.toString('utf8')) as Record<string, unknown>;

describe('a leaf', () => {
  test('is hashed as RFC 6962, 2.1 has it', () => {
    expect(hashLeaf(Buffer.alloc(0))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(hashLeaf(Buffer.from('L123456'))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
  });

  test('says everything that happened in its final form', () => {
    const event = finalizeEvent(
      { ...draft, ticketId: 'tkt_1', assistanceId: 'ast_1', subject: { type: 'Ticket', id: 'tkt_1' }, detail: { count: 2 } },
      'atx_1',
      3,
      at,
    );
    expect(JSON.parse(event.leaf.toString('utf8'))).toEqual({
      v: leafVersion,
      id: event.id,
      tx: 'atx_1',
      ordinal: 3,
      at: '2026-09-01T09:00:00.123Z',
      action: 'disclosure',
      outcome: 'ALLOWED',
      actor: { id: 'act_1', kind: 'staff', roles: ['AGENT', 'SUPERVISOR'] },
      ticket: 'tkt_1',
      assistance: 'ast_1',
      subject: { type: 'Ticket', id: 'tkt_1' },
      salt: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      customers: [],
      notes: {},
      detail: { count: 2 },
    });
    expect(event.leaf.toString('utf8')).toBe(canonicalize(JSON.parse(event.leaf.toString('utf8'))));
    expect(event.leafHash).toBe(hashLeaf(event.leaf));
  });

  test('has the same members whatever is absent', () => {
    expect(Object.keys(leafOf())).toEqual(Object.keys(leafOf({ ticketId: 'tkt_1', detail: { a: 1 } })));
  });

  test('is another each time, so that two records of one thing cannot pass for one', () => {
    const [first, second] = [finalizeEvent(draft, 'atx_1', 0, at), finalizeEvent(draft, 'atx_1', 0, at)];
    expect(first?.id).not.toBe(second?.id);
    expect(first?.leafHash).not.toBe(second?.leafHash);
  });
});

describe('a customer in a leaf', () => {
  const key = () => randomBytes(32);
  const underDigest = (id: string, customerKey: Buffer) => ({ id, digest: (salt: Buffer) => auditDigest(customerKey, salt, id) });

  test('is a digest under their own key, and never their id', () => {
    const customerKey = key();
    const event = finalizeEvent({ ...draft, customers: [underDigest('cus_1', customerKey)] }, 'atx_1', 0, at);
    const leaf = JSON.parse(event.leaf.toString('utf8')) as { salt: string; customers: [string] };
    expect(event.leaf.toString('utf8')).not.toContain('cus_1');
    const salt = Buffer.from(leaf.salt, 'base64url');
    expect(matchesAuditDigest(customerKey, salt, 'cus_1', leaf.customers[0])).toBe(true);
    expect(matchesAuditDigest(customerKey, salt, 'cus_2', leaf.customers[0])).toBe(false);
  });

  test('cannot be followed from one event to the next', () => {
    const customers = [underDigest('cus_1', key())];
    expect(leafOf({ customers }).customers).not.toEqual(leafOf({ customers }).customers);
  });

  test('stands in no order that would tell who came first', () => {
    const customers = Array.from({ length: 20 }, (_, index) => underDigest(`cus_${index}`, key()));
    const digests = leafOf({ customers }).customers as string[];
    expect(digests).toEqual([...digests].sort());
  });

  test('means nothing once the key is destroyed, even to somebody who guesses the id', () => {
    const customerKey = key();
    const leaf = leafOf({ customers: [underDigest('cus_1', customerKey)] }) as unknown as { salt: string; customers: [string] };
    const salt = Buffer.from(leaf.salt, 'base64url');
    customerKey.fill(0);
    expect(() => matchesAuditDigest(customerKey, salt, 'cus_1', leaf.customers[0])).toThrow(KeyDestroyed);
    // Whatever other key is tried: the digest depends on the one that is gone.
    for (let tried = 0; tried < 50; tried += 1) expect(matchesAuditDigest(key(), salt, 'cus_1', leaf.customers[0])).toBe(false);
  });
});

describe('a note of an event', () => {
  test('stands beside the leaf, which holds its digest only', () => {
    const noteKey = randomBytes(32);
    const text = 'the customer called from +31 6 1234 5678';
    const note = {
      name: 'reason',
      keyId: 'key_1',
      seal: () => Buffer.from('sealed'),
      digest: (salt: Buffer) => auditDigest(noteKey, salt, text),
    };
    const leaf = leafOf({ notes: [note] }) as { salt: string; notes: Record<string, string> };
    expect(JSON.stringify(leaf)).not.toContain('1234');
    expect(matchesAuditDigest(noteKey, Buffer.from(leaf.salt, 'base64url'), text, leaf.notes.reason as string)).toBe(true);
  });
});
