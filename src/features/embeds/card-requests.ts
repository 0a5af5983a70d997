import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { CardSection } from './embeds.section';
import { ContextRefused } from './signed-contexts';

/** Of a Canvas Kit request what is looked at: from the inbox, where a teammate has a conversation open. Customers' messengers name neither. */
const inboxRequest = z.object({
  workspace_id: z.string(),
  admin: z.object({ id: z.union([z.string(), z.number()]) }),
  conversation: z.object({
    id: z
      .union([z.string(), z.int()])
      .transform(String)
      .pipe(z.string().regex(/^\d{1,20}$/)),
  }),
});

const isSignedWith = (secret: string, body: Buffer, signature: string | undefined): boolean => {
  if (signature === undefined || !/^[0-9a-f]{64}$/i.test(signature)) return false;
  return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), Buffer.from(signature, 'hex'));
};

/**
 * The conversation that a request of Intercom's Canvas Kit is about: `X-Body-Signature` is the HMAC (RFC 2104, SHA-256, hexadecimal) of its bytes
 * under the app's client secret, and nothing is read before that is so. No time is in it, so that one that is sent again says the same again.
 * Throws `ContextRefused`.
 */
export const conversationIn = (body: Buffer, signature: string | undefined, { workspace, secret }: CardSection): string => {
  if (!isSignedWith(secret, body, signature)) throw new ContextRefused('context-signature');
  let content: unknown;
  try {
    content = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ContextRefused('context');
  }
  const { data } = inboxRequest.safeParse(content);
  if (!data) throw new ContextRefused('context');
  if (data.workspace_id !== workspace) throw new ContextRefused('context-audience');
  return data.conversation.id;
};

/** What Intercom shows for it (Canvas Kit, components): a button that leads to the ticket in the console, where its reader signs in. */
export const cardTo = (address: string) => ({
  canvas: {
    content: {
      components: [
        {
          type: 'button',
          id: 'counterfoil',
          label: 'Open in Counterfoil',
          style: 'secondary',
          action: { type: 'url', url: address },
        },
      ],
    },
  },
});
