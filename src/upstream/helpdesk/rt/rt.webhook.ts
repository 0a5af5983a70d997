import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { WebhookJudgement, WebhookRequest } from '../helpdesk.port';
import { identifier } from './rt.records';

/** Seconds by which a webhook's timestamp may differ from our clock, in either direction. */
const tolerance = 300;

export const understoodEvent = 'ticket.changed';

const notice = z.object({
  event: z.literal(understoodEvent),
  ticket: identifier,
  transactions: z.array(z.object({ id: identifier })).max(10_000),
});

const eventName = z.object({ event: z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/i) });

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const rejected = (why: string): WebhookJudgement => ({ outcome: 'rejected', why });

/**
 * Judges a notice of the scrip that `test/real/rt-up.sh` installs: `X-RT-Signature: sha256=<hex>` is the HMAC-SHA256
 * (RFC 2104) of `<X-RT-Timestamp>.<body>`, the timestamp in seconds of the Unix epoch. RT loses notices and repeats them:
 * a hint says which ticket to read again and nothing else of it is believed.
 */
export const judgeRtWebhook = (request: WebhookRequest, secret: string | undefined): WebhookJudgement => {
  if (secret === undefined || secret === '') return rejected('no webhook secret is configured');
  const signature = /^sha256=([0-9a-f]{64})$/i.exec(request.headers['x-rt-signature'] ?? '')?.[1];
  if (signature === undefined) return rejected('x-rt-signature is missing or not sha256=<64 hexadecimal digits>');
  const timestamp = request.headers['x-rt-timestamp'] ?? '';
  if (!/^[1-9]\d{0,11}$/.test(timestamp)) return rejected('x-rt-timestamp is missing or not in seconds');
  const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(request.body).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return rejected('the signature does not match');
  // judged after the signature, so that an unproven sender learns nothing of our clock
  const seconds = Number(timestamp);
  if (Math.abs(request.now.getTime() / 1000 - seconds) > tolerance) {
    return rejected(`x-rt-timestamp is more than ${tolerance} s from now`);
  }

  const at = new Date(seconds * 1000);
  const body = parsed(request.body);
  const understood = notice.safeParse(body);
  if (!understood.success) {
    const type = eventName.safeParse(body);
    const digest = createHash('sha256').update(`${timestamp}.`).update(request.body).digest('hex');
    return { outcome: 'unknown', eventId: `digest:${digest}`, type: type.success ? type.data.event : 'unrecognized', at };
  }
  const { event, ticket, transactions } = understood.data;
  // a transaction belongs to one batch, so that the batch's ends name it
  const ids = transactions.map(({ id }) => Number(id)).sort((a, b) => a - b);
  const span = ids.length === 0 ? `at-${timestamp}` : `${ids[0]}-${ids[ids.length - 1]}`;
  return { outcome: 'hint', eventId: `ticket:${ticket}:${span}`, type: event, at, references: [ticket] };
};
