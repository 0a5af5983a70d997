import { isSignedByOneOf, webhookKey } from './standard-webhooks';

// Of the specification's own libraries.
const secret = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const request = {
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: Buffer.from('{"test": 2432232314}'),
  now: new Date(1_614_265_330_000),
};

describe('a message of Standard Webhooks', () => {
  it('is proven by the signature that the specification’s libraries make', () => {
    expect(isSignedByOneOf(request, [webhookKey(secret) as Buffer])).toBe(true);
    expect(isSignedByOneOf(request, [Buffer.alloc(24), webhookKey(`whsec_${secret}`) as Buffer])).toBe(true);
  });

  it('isn’t by another key, over another body, or by none', () => {
    expect(isSignedByOneOf(request, [Buffer.alloc(24)])).toBe(false);
    expect(isSignedByOneOf({ ...request, body: Buffer.from('{"test": 2432232315}') }, [webhookKey(secret) as Buffer])).toBe(
      false,
    );
    expect(isSignedByOneOf(request, [])).toBe(false);
  });

  it.each([
    ['whsec_', null],
    ['not base64!', null],
    ['whsec_AAAA', 3],
    ['AAAAAA==', 4],
    ['AAAAAA', 4],
  ])('has a secret such as %s, of so many bytes', (text, bytes) => {
    expect(webhookKey(text)?.length ?? null).toBe(bytes);
  });
});
