import Stripe from 'stripe';
import type { WebhookJudgement, WebhookRequest } from '../../helpdesk/helpdesk.port';
import { concernOf, eventSchema, transactionsOf } from './stripe.events';

/** Seconds by which a webhook's timestamp may differ from our clock, in either direction. */
export const timestampTolerance = 300;

/** More signatures than Stripe sends while a secret is rolled; each costs a comparison. */
const mostSignatures = 16;

export type SignatureVerdict = 'genuine' | 'no-signature' | 'malformed-signature' | 'bad-timestamp' | 'bad-signature';

/**
 * Judges a `Stripe-Signature` header over the exact bytes of the body (HMAC-SHA256 of `<t>.<body>`; the comparison is
 * the SDK's, in constant time). Any of several `v1` signatures may match: Stripe signs with both secrets while one is
 * rolled. Exactly one `t` is accepted: the SDK would take the last, and proxies join repeated headers with a comma.
 */
export const judgeSignature = (header: string | undefined, body: Buffer, secret: string, now: Date): SignatureVerdict => {
  if (header === undefined || header === '') return 'no-signature';
  if (header.length > 4_096) return 'malformed-signature';
  const parts = header.split(',').map((part) => part.trim());
  const stamps = parts.filter((part) => part.startsWith('t='));
  const signatures = parts.filter((part) => /^v1=[0-9a-f]{64}$/.test(part));
  const seconds = /^t=(\d{1,12})$/.exec(stamps[0] ?? '')?.[1];
  if (stamps.length !== 1 || seconds === undefined || signatures.length === 0 || signatures.length > mostSignatures)
    return 'malformed-signature';
  // The SDK bounds the past only.
  if (Math.abs(now.getTime() / 1_000 - Number(seconds)) > timestampTolerance) return 'bad-timestamp';
  // The SDK signs what it decodes, and bytes that aren't UTF-8 all decode to the same mark.
  const text = body.toString('utf8');
  if (text === '' || !Buffer.from(text, 'utf8').equals(body)) return 'bad-signature';
  try {
    const scheme = [`t=${seconds}`, ...signatures].join(',');
    const receivedAt = now.getTime();
    const matches = Stripe.webhooks.signature?.verifyHeader(text, scheme, secret, timestampTolerance, undefined, receivedAt);
    return matches === true ? 'genuine' : 'bad-signature';
  } catch {
    return 'bad-signature';
  }
};

/**
 * A `hint` with no references means that something changed whose customer only `changes` can find out: a dispute's
 * event names its charge, not its customer. An event of the other mode (test, live) or of a connected account is
 * `unknown`: it is genuine, but not about what our key can see.
 */
export const judgeWebhook = (
  { headers, body, now }: WebhookRequest,
  secret: string | null,
  livemode: boolean | null,
): WebhookJudgement => {
  // An HMAC under an empty key can be made by anybody.
  if (secret === null || secret.trim() === '') return { outcome: 'rejected', why: 'no-secret-configured' };
  const verdict = judgeSignature(headers['stripe-signature'], body, secret, now);
  if (verdict !== 'genuine') return { outcome: 'rejected', why: verdict };
  const event = eventSchema.safeParse(parsed(body)).data;
  if (event === undefined) return { outcome: 'rejected', why: 'malformed-event' };
  const { id: eventId, type } = event;
  const at = new Date(event.created * 1_000);
  const otherMode = livemode !== null && typeof event.livemode === 'boolean' && event.livemode !== livemode;
  const concern = otherMode ? null : concernOf(event);
  if (concern === null) return { outcome: 'unknown', eventId, type, at };
  const transactions = transactionsOf(event);
  return {
    outcome: 'hint',
    eventId,
    type,
    at,
    references: concern.customers,
    ...(transactions.length > 0 ? { transactions } : {}),
  };
};

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
