import { createHmac } from 'node:crypto';

/** A message as Standard Webhooks signs it. */
export interface SignedMessage {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers of a message after the Standard Webhooks specification: its id, the seconds of this sending, and for each key `v1,` and the
 * base64 of HMAC-SHA256 over `<id>.<seconds>.<body>`. Of two keys one may be new to the receiver, or not yet.
 */
export const signatureHeaders = ({ id, at, body }: SignedMessage, keys: readonly Buffer[]): Record<string, string> => {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
};
