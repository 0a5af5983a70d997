import { createHmac } from 'node:crypto';
import type { WebhookRequest } from '../helpdesk.port';
import { judgeRtWebhook } from './rt.webhook';

const secret = 'a secret of the tests';
const now = new Date('2026-11-20T13:00:00Z');
const seconds = now.getTime() / 1000;
const notice = { event: 'ticket.changed', ticket: 7, transactions: [{ id: '12', type: 'Set' }, { id: 11 }] };

const signed = (content: unknown = notice, { at = String(seconds), by = secret } = {}): WebhookRequest => {
  const body = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const signature = createHmac('sha256', by).update(`${at}.`).update(body).digest('hex');
  return { headers: { 'x-rt-timestamp': at, 'x-rt-signature': `sha256=${signature}` }, body, now };
};

const outcome = (request: WebhookRequest, key: string | undefined = secret): string => judgeRtWebhook(request, key).outcome;

test('a notice that verifies is a hint at its ticket, named by its transactions', () => {
  expect(judgeRtWebhook(signed(), secret)).toEqual({
    outcome: 'hint',
    eventId: 'ticket:7:11-12',
    type: 'ticket.changed',
    at: now,
    references: ['7'],
  });
});

test.each([0, 300, -300])('a timestamp %i s from now is accepted', (difference) => {
  expect(outcome(signed(notice, { at: String(seconds + difference) }))).toBe('hint');
});

const { headers, body } = signed();
const forged: [string, WebhookRequest][] = [
  ['without a signature', { headers: { 'x-rt-timestamp': String(seconds) }, body, now }],
  ['without a timestamp', { headers: { 'x-rt-signature': headers['x-rt-signature'] }, body, now }],
  ['with another secret', signed(notice, { by: 'guessed' })],
  ['with an empty secret', signed(notice, { by: '' })],
  ['with another body', { headers, body: Buffer.from(JSON.stringify({ ...notice, ticket: 8 })), now }],
  ['with another timestamp', { headers: { ...headers, 'x-rt-timestamp': String(seconds + 1) }, body, now }],
  ['with the dot moved', { headers: { ...headers, 'x-rt-timestamp': `${seconds}`.slice(0, -1) }, body, now }],
  ['with a cut signature', { headers: { ...headers, 'x-rt-signature': headers['x-rt-signature']?.slice(0, -2) }, body, now }],
  ['with more than a signature', { headers: { ...headers, 'x-rt-signature': `${headers['x-rt-signature']}00` }, body, now }],
  [
    'with another algorithm',
    { headers: { ...headers, 'x-rt-signature': headers['x-rt-signature']?.replace('sha256', 'sha1') }, body, now },
  ],
  ['301 s old', signed(notice, { at: String(seconds - 301) })],
  ['301 s ahead', signed(notice, { at: String(seconds + 301) })],
  ['with a timestamp that is none', signed(notice, { at: 'now' })],
  ['with a timestamp in milliseconds', signed(notice, { at: String(seconds * 1000) })],
  ['with a negative timestamp', signed(notice, { at: `-${seconds}` })],
];
test.each(forged)('a notice %s is rejected', (_, request) => {
  expect(outcome(request)).toBe('rejected');
});

test('without a configured secret everything is rejected, also what an empty one signed', () => {
  expect(judgeRtWebhook(signed(), undefined).outcome).toBe('rejected');
  expect(judgeRtWebhook(signed(notice, { by: '' }), '').outcome).toBe('rejected');
});

test('what verifies but isn’t understood is unknown, under its own type where it has a proper one', () => {
  const judge = (content: unknown) => judgeRtWebhook(signed(content), secret);
  expect(judge({ event: 'queue.created' })).toEqual({
    outcome: 'unknown',
    eventId: expect.stringMatching(/^digest:[0-9a-f]{64}$/),
    type: 'queue.created',
    at: now,
  });
  for (const content of ['not JSON', '', 'null', [], { event: 'Vera <vera@customers.example>' }, { event: 'x'.repeat(65) }]) {
    expect(judge(content)).toMatchObject({ outcome: 'unknown', type: 'unrecognized' });
  }
  expect(judge({ ...notice, ticket: '7 OR 1' })).toMatchObject({ outcome: 'unknown', type: 'ticket.changed' });
});

test('two notices of a ticket are two events, the same one twice is one', () => {
  const id = (content: unknown) => {
    const judged = judgeRtWebhook(signed(content), secret);
    return judged.outcome === 'rejected' ? null : judged.eventId;
  };
  expect(id(notice)).toBe(id({ ...notice, note: 'again' }));
  expect(id(notice)).not.toBe(id({ ...notice, transactions: [{ id: 13 }] }));
});
