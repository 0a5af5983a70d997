import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { judgeSignature, judgeWebhook } from './stripe.webhook';

const secret = 'whsec_test_secret';
const at = 1_780_000_000;
const now = new Date(at * 1_000);

const event = (fields: object = {}) => ({
  id: 'evt_1',
  object: 'event',
  api_version: '2026-10-28.endive',
  created: at - 3,
  livemode: false,
  type: 'customer.updated',
  data: { object: { id: 'cus_1', object: 'customer', email: 'canary@example.com', metadata: { note: 'canary' } } },
  ...fields,
});

const sign = (payload: string, timestamp = at, key = secret) =>
  new Stripe('sk_test_unused').webhooks.generateTestHeaderString({ payload, secret: key, timestamp });

const judge = (
  body: object | string,
  header?: string,
  when = now,
  key: string | null = secret,
  livemode: boolean | null = false,
) => {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return judgeWebhook(
    { headers: { 'stripe-signature': header ?? sign(payload) }, body: Buffer.from(payload), now: when },
    key,
    livemode,
  );
};

describe('a signature', () => {
  test('is the known answer', () => {
    const body = '{"id":"evt_1","object":"event"}';
    const header = 't=1614265330,v1=42b3d2b2181207b6b299df380bf37599bb895dc182467ba12e046b1916c4cd19';
    const then = new Date(1_614_265_330_000);
    expect(judgeSignature(header, Buffer.from(body), secret, then)).toBe('genuine');
    expect(judgeSignature(header, Buffer.from(`${body} `), secret, then)).toBe('bad-signature');
    expect(judgeSignature(header, Buffer.from(body), 'whsec_test_secreT', then)).toBe('bad-signature');
    expect(judgeSignature(header, Buffer.from(body), secret, now)).toBe('bad-timestamp');
  });

  const body = JSON.stringify(event());
  const right = sign(body).split('v1=')[1] ?? '';
  const wrong = 'ab'.repeat(32);
  test.each([
    ['one of several', `t=${at},v1=${wrong},v1=${right}`, 'genuine'],
    ['one of several, first', `t=${at},v1=${right},v1=${wrong}`, 'genuine'],
    ['beside the old scheme', `t=${at},v1=${right},v0=${wrong}`, 'genuine'],
    ['with spaces after the commas', `t=${at}, v1=${right}`, 'genuine'],
    ['forged', `t=${at},v1=${wrong}`, 'bad-signature'],
    ['of another second', `t=${at - 1},v1=${right}`, 'bad-signature'],
    ['of the old scheme only', `t=${at},v0=${right}`, 'malformed-signature'],
    ['cut short', `t=${at},v1=${right.slice(0, 62)}`, 'malformed-signature'],
    ['in capitals', `t=${at},v1=${right.toUpperCase()}`, 'malformed-signature'],
    ['without a time', `v1=${right}`, 'malformed-signature'],
    ['without a signature', `t=${at}`, 'malformed-signature'],
    ['of a time in words', `t=now,v1=${right}`, 'malformed-signature'],
    ['of a negative time', `t=-5,v1=${right}`, 'malformed-signature'],
    ['of a time with a tail', `t=${at}x,v1=${right}`, 'malformed-signature'],
    ['of two headers joined', `t=${at},v1=${right}, t=${at},v1=${wrong}`, 'malformed-signature'],
    ['of two times', `t=${at - 900},t=${at},v1=${right}`, 'malformed-signature'],
    ['of hundreds', `t=${at}${`,v1=${wrong}`.repeat(40)},v1=${right}`, 'malformed-signature'],
    ['of megabytes', `t=${at},v1=${right},${'x'.repeat(100_000)}`, 'malformed-signature'],
    ['empty', '', 'no-signature'],
  ])('%s', (_, header, expected) => {
    expect(judgeSignature(header, Buffer.from(body), secret, now)).toBe(expected);
  });

  test('absent is no signature', () => {
    expect(judgeSignature(undefined, Buffer.from(body), secret, now)).toBe('no-signature');
  });

  test.each([
    [-301, 'bad-timestamp'],
    [-300, 'genuine'],
    [0, 'genuine'],
    [300, 'genuine'],
    [301, 'bad-timestamp'],
    [86_400 * 365 * 20, 'bad-timestamp'],
  ])('made %d seconds from now is %s', (offset, expected) => {
    expect(judgeSignature(sign(body, at + offset), Buffer.from(body), secret, now)).toBe(expected);
  });

  test('made a moment too far in the future is refused although the SDK takes it', () => {
    const header = sign(body, at + 86_400);
    expect(Stripe.webhooks.signature?.verifyHeader(body, header, secret, 300, undefined, now.getTime())).toBe(true);
    expect(judgeSignature(header, Buffer.from(body), secret, now)).toBe('bad-timestamp');
  });

  test('stands for bytes, not for what they decode to', () => {
    const broken = Buffer.concat([Buffer.from('{"id":"evt_'), Buffer.from([0xff]), Buffer.from('"}')]);
    const decoded = new TextDecoder().decode(broken);
    const header = `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${decoded}`).digest('hex')}`;
    expect(judgeSignature(header, Buffer.from(decoded), secret, now)).toBe('genuine');
    expect(judgeSignature(header, broken, secret, now)).toBe('bad-signature');
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(body)]);
    expect(judgeSignature(sign(body), marked, secret, now)).toBe('bad-signature');
    expect(judgeSignature(sign(''), Buffer.alloc(0), secret, now)).toBe('bad-signature');
  });
});

describe('a webhook', () => {
  test('that is understood is a hint with the customer and nothing else of the event', () => {
    expect(judge(event())).toEqual({
      outcome: 'hint',
      eventId: 'evt_1',
      type: 'customer.updated',
      at: new Date((at - 3) * 1_000),
      references: ['cus_1'],
    });
  });

  test('about a dispute is a hint without a reference', () => {
    const dispute = event({ type: 'charge.dispute.created', data: { object: { id: 'dp_1', charge: 'ch_1' } } });
    expect(judge(dispute)).toMatchObject({ outcome: 'hint', references: [] });
  });

  test.each([
    ['of a type that changes nothing here', { type: 'invoice.paid' }, 'evt_1', 'invoice.paid'],
    ['of the other mode', { livemode: true }, 'evt_1', 'customer.updated'],
    ['of a connected account', { account: 'acct_1' }, 'evt_1', 'customer.updated'],
    [
      'of the second version',
      {
        id: 'evt_2',
        object: 'v2.core.event',
        type: 'v2.core.account.updated',
        created: new Date((at - 3) * 1_000).toISOString(),
      },
      'evt_2',
      'v2.core.account.updated',
    ],
  ])('%s is unknown', (_, fields, eventId, type) => {
    expect(judge(event(fields))).toEqual({ outcome: 'unknown', eventId, type, at: new Date((at - 3) * 1_000) });
  });

  test.each([
    ['not JSON', 'canary, not json'],
    ['an array', '[]'],
    ['null', 'null'],
    ['without an id', event({ id: undefined })],
    ['with an id that is a path', event({ id: '../../etc' })],
    ['with a type of prose', event({ type: 'a sentence with canary' })],
    ['without a time', event({ created: 'yesterday' })],
  ])('that is genuine but %s is rejected', (_, body) => {
    expect(judge(body)).toEqual({ outcome: 'rejected', why: 'malformed-event' });
  });

  test('whose signature fails is rejected and says nothing of it', () => {
    expect(judge(event(), sign('another body'))).toEqual({ outcome: 'rejected', why: 'bad-signature' });
    expect(judge(event(), '')).toEqual({ outcome: 'rejected', why: 'no-signature' });
  });

  test.each([null, '', ' '])('is rejected where the secret is %p', (key) => {
    const body = JSON.stringify(event());
    const signature = createHmac('sha256', key ?? '')
      .update(`${at}.${body}`)
      .digest('hex');
    expect(judge(body, `t=${at},v1=${signature}`, now, key)).toEqual({ outcome: 'rejected', why: 'no-secret-configured' });
  });

  test('is judged alike each time it comes: repetition is the receiver’s to recognise, by the event’s id', () => {
    expect(judge(event())).toEqual(judge(event()));
  });
});
