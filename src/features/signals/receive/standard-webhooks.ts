import { createHmac, timingSafeEqual } from 'node:crypto';

/** What came by HTTP, as bytes: the signature is over these. Names of headers are in lower case. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly now: Date;
}

/** Seconds by which a message's timestamp may differ from our clock, in either direction. */
const tolerance = 300;
/** Signatures of one message that are looked at: one for each secret that its sender has, and of other versions. */
const mostSignatures = 10;

/** The key that a secret stands for: what follows `whsec_`, in base64; null where it isn't that. */
export const webhookKey = (secret: string): Buffer | null => {
  const encoded = secret.replace(/^whsec_/, '');
  const key = Buffer.from(encoded, 'base64');
  return key.length > 0 && key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '') ? key : null;
};

/**
 * Whether a message is signed by one of these keys, after the Standard Webhooks specification: `webhook-signature` has, among others by
 * blanks, `v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`.
 */
export const isSignedByOneOf = ({ headers, body, now }: SignedRequest, keys: readonly Buffer[]): boolean => {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': given = '' } = headers;
  if (id === '' || id.length > 256 || !/^[1-9]\d{0,11}$/.test(timestamp)) return false;
  const signatures = given
    .split(' ')
    .slice(0, mostSignatures)
    .flatMap((each) => (each.startsWith('v1,') ? Buffer.from(each.slice(3), 'base64') : []));
  const isSigned = keys.some((key) => {
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    return signatures.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  });
  // Judged after the signature, so that an unproven sender learns nothing of our clock.
  return isSigned && Math.abs(now.getTime() / 1_000 - Number(timestamp)) <= tolerance;
};
