import { createHmac } from 'node:crypto';

/** Seconds for which a code is the current one (RFC 6238, 5.2). */
const step = 30;

/** The HMAC-based code of a counter, six digits (RFC 4226, 5.3). */
const codeOf = (secret: Buffer, counter: number): string => {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac('sha1', secret).update(message).digest();
  const offset = (digest[digest.length - 1] ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
};

/** The code of an instant (RFC 6238), and for how many seconds more it is the current one. */
export const totp = (secret: Buffer, at: Date): { readonly code: string; readonly secondsLeft: number } => {
  const seconds = Math.floor(at.getTime() / 1_000);
  return { code: codeOf(secret, Math.floor(seconds / step)), secondsLeft: step - (seconds % step) };
};

/** Whether a code is that of this instant, or of the step before or after it (RFC 6238, 5.2: one step for the way, and for clocks). */
export const isTotp = (secret: Buffer, given: string, at: Date): boolean =>
  [-1, 0, 1].some((steps) => totp(secret, new Date(at.getTime() + steps * step * 1_000)).code === given);
